//! Patterns of hosts as in Ansible: `all`, a host, a group, `web*`, `~regex`, `web[0:2]`, `a,b` and `a:b` (or), `:&b` (and), `:!c` (but not).

use super::{Host, HostName, Inventory};
use crate::yaml::{Diagnostic, Span, suggest};
use regex::Regex;
use std::collections::HashSet;

enum Sign {
    Or,
    And,
    Not,
}

impl Inventory {
    /// The hosts that a pattern names, in the order of the file.
    ///
    /// None at all is an error, unless the pattern names only groups of the project that this
    /// inventory leaves out: then that layer is switched off.
    pub fn select(&self, pattern: &str, at: &Span) -> Result<Vec<HostName>, Diagnostic> {
        let mut any: Option<HashSet<&HostName>> = None;
        let mut and: Vec<HashSet<&HostName>> = Vec::new();
        let mut not: HashSet<&HostName> = HashSet::new();
        let mut switched_off = true;
        for term in split(pattern) {
            let (sign, name) = match term.strip_prefix('!') {
                Some(name) => (Sign::Not, name),
                None => match term.strip_prefix('&') {
                    Some(name) => (Sign::And, name),
                    None => (Sign::Or, term),
                },
            };
            let hosts: HashSet<_> = self.term(name, at)?.into_iter().collect();
            if !matches!(sign, Sign::Not) && !self.is_switched_off(name) {
                switched_off = false;
            }
            match sign {
                Sign::Or => any.get_or_insert_default().extend(hosts),
                Sign::And => and.push(hosts),
                Sign::Not => not.extend(hosts),
            }
        }
        let chosen = |host: &&Host| {
            any.as_ref().is_none_or(|any| any.contains(&host.name))
                && and.iter().all(|and| and.contains(&host.name))
                && !not.contains(&host.name)
        };
        let result: Vec<HostName> = self
            .hosts()
            .iter()
            .filter(chosen)
            .map(|host| host.name.clone())
            .collect();
        if result.is_empty() && !switched_off {
            return Err(self.nobody(pattern, at));
        }
        if pattern.trim().is_empty() {
            return Err(Diagnostic::new(at, "the pattern of hosts is empty"));
        }
        Ok(result)
    }

    fn is_switched_off(&self, name: &str) -> bool {
        self.groups
            .get(name)
            .is_some_and(|group| !group.mentioned && group.hosts.is_empty())
    }

    fn term(&self, name: &str, at: &Span) -> Result<Vec<&HostName>, Diagnostic> {
        if let Some((base, from, to)) = subscript(name)
            && self.host(name).is_none()
        {
            let hosts = self.term(base, at)?;
            // Places in the order of the file, whatever the order in the group.
            let hosts: Vec<_> = self
                .hosts()
                .iter()
                .map(|host| &host.name)
                .filter(|name| hosts.contains(name))
                .collect();
            let place = |n: i64| usize::try_from(n).or(usize::try_from(n + as_i64(hosts.len())));
            let (Ok(from), Ok(to)) = (place(from), place(to)) else {
                return Ok(Vec::new());
            };
            let count = (to + 1).saturating_sub(from);
            return Ok(hosts.into_iter().skip(from).take(count).collect());
        }
        let name = if name == "*" { "all" } else { name };
        if let Some(group) = self.groups.get(name) {
            return Ok(group.hosts.iter().collect());
        }
        if let Some(host) = self.host(name) {
            return Ok(vec![&host.name]);
        }
        let bad = |why: &dyn std::fmt::Display| {
            let why = why.to_string();
            let last = why.lines().last().unwrap_or_default().to_owned();
            Diagnostic::new(at, format!("cannot read the pattern `{name}`: {last}"))
        };
        let matcher = if let Some(expression) = name.strip_prefix('~') {
            Some(Regex::new(&format!("^(?:{expression})")).map_err(|why| bad(&why))?)
        } else if name.contains(['*', '?', '[']) {
            Some(Regex::new(&glob(name)).map_err(|why| bad(&why))?)
        } else {
            None
        };
        let mut hosts = Vec::new();
        if let Some(matcher) = matcher {
            for group in self.groups().filter(|group| matcher.is_match(&group.name)) {
                hosts.extend(&group.hosts);
            }
            let names = self.hosts().iter().map(|host| &host.name);
            hosts.extend(names.filter(|host| matcher.is_match(host.as_str())));
            if !hosts.is_empty() {
                return Ok(hosts);
            }
        }
        let message = format!("no host and no group is called `{name}`");
        let known = self
            .groups()
            .map(|group| group.name.as_str())
            .chain(self.hosts().iter().map(|host| host.name.as_str()));
        let diagnostic = Diagnostic::new(at, message);
        Err(match suggest(name, known) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("`provision inventory FILE --graph` shows what there is"),
        })
    }

    fn nobody(&self, pattern: &str, at: &Span) -> Diagnostic {
        if let Some(group) = self.groups.get(pattern.trim()) {
            let message = format!("the group `{}` has no hosts", group.name);
            let hint = format!(
                "list its hosts at {}, or remove the group to switch off what it is for",
                group.span
            );
            return Diagnostic::new(at, message).hint(hint);
        }
        Diagnostic::new(at, format!("the pattern `{pattern}` matches no host"))
    }
}

/// Terms are separated by commas, or by colons that are in no brackets and no IPv6 address.
fn split(pattern: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    for part in pattern.split(',') {
        let bare = part.trim().trim_start_matches(['!', '&']);
        if bare.parse::<std::net::Ipv6Addr>().is_ok() {
            terms.push(part.trim());
            continue;
        }
        let mut depth = 0_usize;
        let mut start = 0;
        for (at, c) in part.char_indices() {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                ':' if depth == 0 => {
                    terms.push(part[start..at].trim());
                    start = at + 1;
                }
                _ => {}
            }
        }
        terms.push(part[start..].trim());
    }
    terms.retain(|term| !term.is_empty());
    terms
}

fn as_i64(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// `web[0]`, `web[-1]`, `web[0:2]` (both ends included) and `web[1:]`: some of the hosts of `web`.
fn subscript(name: &str) -> Option<(&str, i64, i64)> {
    let (base, range) = name.strip_suffix(']')?.rsplit_once('[')?;
    let is_number = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.len() < 10 && digits.chars().all(|c| c.is_ascii_digit())
    };
    if base.is_empty() || base.starts_with('~') {
        return None;
    }
    if is_number(range) {
        let place = range.parse().ok()?;
        return Some((base, place, place));
    }
    let (from, to) = range.split_once(':')?;
    if !is_number(from) || !(to.is_empty() || is_number(to)) {
        return None;
    }
    let to = if to.is_empty() { -1 } else { to.parse().ok()? };
    Some((base, from.parse().ok()?, to))
}

/// A shell pattern as a regular expression.
fn glob(pattern: &str) -> String {
    let mut expression = String::from("^");
    let mut in_set = false;
    for c in pattern.chars() {
        match c {
            '[' | ']' => {
                in_set = c == '[';
                expression.push(c);
            }
            '!' if expression.ends_with('[') => expression.push('^'),
            '-' if in_set => expression.push(c),
            '*' if !in_set => expression.push_str(".*"),
            '?' if !in_set => expression.push('.'),
            _ => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    expression
}
