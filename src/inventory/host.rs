//! One host as it is written, and single variables.

use super::tree::{RawHost, Tree};
use super::{HostName, Variable, Vars, variables};
use crate::yaml::{Diagnostic, Entry, Node, Span, Value};
use std::sync::Arc;

impl Tree {
    pub(super) fn read_host(&mut self, group: &str, entry: &Entry, written: &str, vars: &Vars) {
        let (name, port) = match written.split_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => (name, Some(port)),
            _ => (written, None),
        };
        let name = match HostName::parse(name) {
            Ok(name) => name,
            Err(why) => {
                let message = format!("the host name `{name}` {why}");
                let hint = "a host name has letters, digits, hyphens and dots";
                self.found
                    .push(Diagnostic::new(&entry.key_span, message).hint(hint));
                return;
            }
        };
        let span = &entry.key_span;
        self.group(group, span).hosts.insert(name.clone());
        let mut vars = vars.clone();
        if let Some(port) = port {
            let node = Node {
                span: span.clone(),
                value: Value::Text(port.to_owned()),
            };
            match checked("ansible_port", span, &node) {
                Ok((key, variable)) => {
                    vars.entry(key).or_insert_with(|| Arc::new(variable));
                }
                Err(diagnostic) => self.found.push(diagnostic),
            }
        }
        let host = self.hosts.entry(name.clone()).or_insert_with(|| RawHost {
            span: span.clone(),
            vars: Vars::new(),
        });
        for (key, variable) in vars {
            let Some(before) = host.vars.insert(key.clone(), variable.clone()) else {
                continue;
            };
            if before.node.scalar() == variable.node.scalar() && before.node.scalar().is_some() {
                continue;
            }
            let (line, column) = (before.key_span.line, before.key_span.column);
            if key == "ansible_host" {
                let message = format!(
                    "the host `{name}` has another `ansible_host` at line {line}, column {column}"
                );
                let hint = "are these two hosts? give each a name; else keep one of the two";
                self.found
                    .push(Diagnostic::new(&variable.node.span, message).hint(hint));
            } else {
                let message = format!(
                    "`{key}` of the host `{name}` is also set at line {line}, column {column}; this one counts"
                );
                self.advice
                    .push(Diagnostic::new(&variable.key_span, message));
            }
        }
    }
}

/// Names that templates give a meaning of their own.
pub(super) const MAGIC: [&str; 9] = [
    "hostvars",
    "groups",
    "group_names",
    "inventory_hostname",
    "inventory_hostname_short",
    "inventory_dir",
    "play_hosts",
    "item",
    "omit",
];

/// One variable under its present name and in the form of its kind.
pub(crate) fn checked(key: &str, at: &Span, node: &Node) -> Result<(String, Variable), Diagnostic> {
    if MAGIC.contains(&key) {
        let message = format!("`{key}` has a meaning of its own and cannot be set");
        return Err(Diagnostic::new(at, message).hint("give the variable another name"));
    }
    if matches!(key, "ansible_password" | "ansible_ssh_pass") {
        let message = "logging in by password is not supported";
        let hint = "install a key with ssh-copy-id, or use an agent";
        return Err(Diagnostic::new(at, message).hint(hint));
    }
    let old = variables::OLD_NAMES.iter().find(|(old, _)| *old == key);
    let key = old.map_or(key, |(_, new)| new);
    let node = match variables::known(key) {
        // Nothing written means that the default counts.
        Some(known) if !matches!(node.value, Value::Null) => known.kind.accept(key, node)?,
        _ => node.clone(),
    };
    let key_span = at.clone();
    Ok((key.to_owned(), Variable { key_span, node }))
}
