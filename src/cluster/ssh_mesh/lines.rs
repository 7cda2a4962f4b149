//! The lines of `authorized_keys` and `known_hosts`: those of the mesh exact, those of others as they are.

use crate::inventory::HostName;

/// Who is meant by a line of `authorized_keys`: its comment.
pub(super) fn comment(user: &str, host: &HostName) -> String {
    format!("{user}@{host}")
}

/// The public key in a `.pub` file, without its comment: type and body.
pub(super) fn key(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.lines().next()?.split_whitespace();
    let (kind, body) = (words.next()?, words.next()?);
    let is_key = kind.starts_with("ssh-") || kind.starts_with("ecdsa-");
    is_key.then(|| format!("{kind} {body}"))
}

/// `now` with the lines for which `ours` holds replaced by `lines`, which come last.
pub(super) fn replaced(now: &[u8], ours: impl Fn(&str) -> bool, lines: &[String]) -> Vec<u8> {
    let text = String::from_utf8_lossy(now);
    let kept = text.lines().filter(|line| !ours(line)).map(str::to_owned);
    let mut all: Vec<String> = kept.collect();
    all.extend(lines.iter().cloned());
    let mut joined = all.join("\n");
    if !joined.is_empty() {
        joined.push('\n');
    }
    joined.into_bytes()
}

/// The lines for which `of` holds.
pub(super) fn kept(now: &[u8], of: impl Fn(&str) -> bool) -> Vec<String> {
    let text = String::from_utf8_lossy(now);
    let lines = text.lines().filter(|line| of(line));
    lines.map(str::to_owned).collect()
}

/// Whether a line of `authorized_keys` has this comment, or is the note that stands in for such a line.
pub(super) fn is_of(line: &str, comment: &str) -> bool {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("#") => words.next() == Some(&format!("{comment}:")),
        _ => words.next_back() == Some(comment),
    }
}

/// Whether a line of `known_hosts` names one of these; or is the note that stands in for such a line.
pub(super) fn names(line: &str, wanted: &[&str]) -> bool {
    let mut words = line.split_whitespace();
    match words.next() {
        Some("#") => words
            .next()
            .is_some_and(|name| wanted.contains(&name.trim_end_matches(':'))),
        Some(names) => names.split(',').any(|name| wanted.contains(&name)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_others_stay() {
        let now = b"ssh-rsa AAA me@laptop\nssh-rsa OLD postgres@db1\nssh-rsa B postgres@db10\n";
        let new = replaced(
            now,
            |line| is_of(line, "postgres@db1"),
            &["ssh-rsa NEW postgres@db1".to_owned()],
        );
        assert_eq!(
            String::from_utf8(new).unwrap(),
            "ssh-rsa AAA me@laptop\nssh-rsa B postgres@db10\nssh-rsa NEW postgres@db1\n"
        );
    }

    #[test]
    fn hosts_are_known_by_name_and_address() {
        assert!(names("db1,10.0.0.1 ssh-rsa A", &["10.0.0.1"]));
        assert!(!names(
            "db1.example,10.0.0.11 ssh-rsa A",
            &["db1", "10.0.0.1"]
        ));
        assert!(names("# db1: its key is not known yet", &["db1"]));
    }

    #[test]
    fn a_key_is_a_type_and_a_body() {
        assert_eq!(
            key(b"ssh-ed25519 AAAA root@x\n").as_deref(),
            Some("ssh-ed25519 AAAA")
        );
        assert_eq!(key(b"no key at all"), None);
    }
}
