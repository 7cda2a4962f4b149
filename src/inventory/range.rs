//! `db[1:3]` → db1, db2, db3; also `[01:12]`, `[a:c]`, `[1:9:2]`, and several in one name.

/// The most hosts that one pattern may name.
pub const MAX_HOSTS: usize = 10_000;

/// What a pattern with ranges expands to; the error is a sentence about it.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    // Each range is one level of recursion.
    if pattern.len() > 1000 {
        return Err("the pattern is longer than 1000 characters".into());
    }
    let Some(open) = pattern.find('[') else {
        if pattern.contains(']') {
            return Err(format!("the range in `{pattern}` has a ] without a ["));
        }
        return Ok(vec![pattern.to_owned()]);
    };
    let Some(length) = pattern[open..].find(']') else {
        return Err(format!("the range in `{pattern}` has no ]"));
    };
    let (head, rest) = (&pattern[..open], &pattern[open + length + 1..]);
    let range = &pattern[open + 1..open + length];
    let members = members(range).map_err(|why| format!("the range `[{range}]` {why}"))?;
    let tails = expand(rest)?;
    if members.len() * tails.len() > MAX_HOSTS {
        return Err(format!("`{pattern}` names more than {MAX_HOSTS} hosts"));
    }
    let names = members.iter().flat_map(|member| {
        tails
            .iter()
            .map(move |tail| format!("{head}{member}{tail}"))
    });
    Ok(names.collect())
}

fn members(range: &str) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match parts.as_slice() {
        [first, last] => (*first, *last, "1"),
        [first, last, step] => (*first, *last, *step),
        _ => return Err("is not FIRST:LAST or FIRST:LAST:STEP".into()),
    };
    let step = match step.parse::<usize>() {
        Ok(0) => return Err("has the step 0".into()),
        Ok(step) => step,
        Err(_) => return Err(format!("has the step `{step}`, which is no number")),
    };
    if last.is_empty() {
        return Err("has no end".into());
    }
    // Ansible takes a missing beginning as 0.
    let first = if first.is_empty() { "0" } else { first };
    if let (Some(from), Some(to)) = (letter(first), letter(last))
        && from.is_ascii_lowercase() == to.is_ascii_lowercase()
    {
        let letters = (from..=to).step_by(step).map(|c| c.to_string());
        return nonempty(letters.collect());
    }
    let (Ok(from), Ok(to)) = (first.parse::<usize>(), last.parse::<usize>()) else {
        return Err("has neither two numbers nor two letters of the same case".into());
    };
    if to.saturating_sub(from) / step >= MAX_HOSTS {
        return Err(format!("names more than {MAX_HOSTS} hosts"));
    }
    // A leading zero fixes the width: 01, 02 … 10.
    let padded = first.len() > 1 && first.starts_with('0');
    if padded && first.len() != last.len() {
        return Err("has a leading zero, but ends of different length".into());
    }
    let width = if padded { first.len() } else { 0 };
    let numbers = (from..=to).step_by(step).map(|n| format!("{n:0width$}"));
    nonempty(numbers.collect())
}

fn letter(text: &str) -> Option<char> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if c.is_ascii_alphabetic() => Some(c),
        _ => None,
    }
}

fn nonempty(members: Vec<String>) -> Result<Vec<String>, String> {
    if members.is_empty() {
        return Err("ends before it begins".into());
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_expand() {
        let table: [(&str, &[&str]); 9] = [
            ("db", &["db"]),
            ("db[1:3]", &["db1", "db2", "db3"]),
            ("db[08:11]x", &["db08x", "db09x", "db10x", "db11x"]),
            (
                "[a:c].example.org",
                &["a.example.org", "b.example.org", "c.example.org"],
            ),
            ("[X:Z]", &["X", "Y", "Z"]),
            ("n[1:9:4]", &["n1", "n5", "n9"]),
            ("n[:2]", &["n0", "n1", "n2"]),
            ("n[3:3]", &["n3"]),
            ("r[1:2]-[a:b]", &["r1-a", "r1-b", "r2-a", "r2-b"]),
        ];
        for (pattern, expected) in table {
            assert_eq!(expand(pattern).unwrap(), expected, "{pattern}");
        }
    }

    #[test]
    fn bad_ranges_say_why() {
        let table = [
            ("db[1:3", "the range in `db[1:3` has no ]"),
            ("db1]", "the range in `db1]` has a ] without a ["),
            ("db[3:1]", "the range `[3:1]` ends before it begins"),
            ("db[c:a]", "the range `[c:a]` ends before it begins"),
            (
                "db[1]",
                "the range `[1]` is not FIRST:LAST or FIRST:LAST:STEP",
            ),
            (
                "db[1-3]",
                "the range `[1-3]` is not FIRST:LAST or FIRST:LAST:STEP",
            ),
            ("db[1:]", "the range `[1:]` has no end"),
            ("db[1:9:0]", "the range `[1:9:0]` has the step 0"),
            (
                "db[1:9:x]",
                "the range `[1:9:x]` has the step `x`, which is no number",
            ),
            (
                "db[1:c]",
                "the range `[1:c]` has neither two numbers nor two letters of the same case",
            ),
            (
                "db[A:c]",
                "the range `[A:c]` has neither two numbers nor two letters of the same case",
            ),
            (
                "db[01:100]",
                "the range `[01:100]` has a leading zero, but ends of different length",
            ),
            (
                "db[1:999999999]",
                "the range `[1:999999999]` names more than 10000 hosts",
            ),
            (
                "[1:200][1:200]",
                "`[1:200][1:200]` names more than 10000 hosts",
            ),
        ];
        for (pattern, expected) in table {
            assert_eq!(expand(pattern).unwrap_err(), expected, "{pattern}");
        }
    }
}
