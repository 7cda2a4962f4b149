//! Our part of a configuration file, between the markers of the source's scripts, so that a cluster that was
//! built by hand with them is adopted (ruling 9).

use crate::probe::postgres::{BLOCK_BEGIN, BLOCK_END};

/// The text with the block in the place of the present one, else at the end. PostgreSQL takes the last line that
/// names a setting, so what recovery appends below the block stays below it.
pub(super) fn set(now: &[u8], lines: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(now);
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let bare = |line: &str| line.trim_end().to_owned();
    let begin = all.iter().rposition(|line| bare(line) == BLOCK_BEGIN);
    let end = begin.and_then(|begin| {
        let after = all[begin..].iter().position(|line| bare(line) == BLOCK_END);
        after.map(|after| begin + after)
    });
    let (before, after) = match (begin, end) {
        (Some(begin), Some(end)) => (&all[..begin], &all[end + 1..]),
        _ => (&all[..], &all[all.len()..]),
    };
    let mut new = before.concat();
    if !new.is_empty() && !new.ends_with('\n') {
        new.push('\n');
    }
    let lines = lines.trim_end_matches('\n');
    new.push_str(&format!("{BLOCK_BEGIN}\n{lines}\n{BLOCK_END}\n"));
    new.push_str(&after.concat());
    new.into_bytes()
}

/// A line `name = 'value'` of postgresql.conf. Only letters, digits and `_.` stand in a name.
pub(super) fn setting(name: &str, value: &str) -> String {
    format!(
        "{name} = '{}'\n",
        value.replace('\\', "\\\\").replace('\'', "''")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(now: &str, lines: &str) -> String {
        String::from_utf8(set(now.as_bytes(), lines)).unwrap()
    }

    #[test]
    fn the_block_keeps_its_place_and_is_added_once() {
        let once = put("a = 1", "b = 2\n");
        assert_eq!(once, format!("a = 1\n{BLOCK_BEGIN}\nb = 2\n{BLOCK_END}\n"));
        assert_eq!(put(&once, "b = 2"), once);
        let recovered = format!("{once}include_if_exists = 'x'\n");
        let changed = put(&recovered, "b = 3");
        assert_eq!(
            changed,
            format!("a = 1\n{BLOCK_BEGIN}\nb = 3\n{BLOCK_END}\ninclude_if_exists = 'x'\n")
        );
    }

    #[test]
    fn a_value_survives_its_quotes() {
        assert_eq!(
            setting("archive_command", r#"cp "%p" 'a\b'"#),
            "archive_command = 'cp \"%p\" ''a\\\\b'''\n"
        );
    }
}
