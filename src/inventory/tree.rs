//! The inventory file → groups and hosts as they are written, before anything is inherited.

use super::host::checked;
use super::{HostName, Vars, range};
use crate::yaml::{Diagnostic, Diagnostics, Entry, Node, Span, Value, suggest};
use indexmap::{IndexMap, IndexSet};
use std::sync::Arc;

/// A group as written.
#[derive(Debug)]
pub(super) struct RawGroup {
    pub span: Span,
    pub hosts: IndexSet<HostName>,
    pub children: IndexSet<String>,
    pub vars: Vars,
}

/// A host as written, in whichever groups.
#[derive(Debug)]
pub(super) struct RawHost {
    pub span: Span,
    pub vars: Vars,
}

/// The whole file as written, and what was found wrong with it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub groups: IndexMap<String, RawGroup>,
    pub hosts: IndexMap<HostName, RawHost>,
    pub found: Diagnostics,
    pub advice: Vec<Diagnostic>,
}

const KEYS: [&str; 3] = ["hosts", "children", "vars"];

impl Tree {
    pub fn read(root: &Node) -> Self {
        let mut tree = Self::default();
        tree.group("all", &root.span);
        match &root.value {
            Value::Map(entries) => {
                for entry in entries {
                    tree.top(entry);
                }
            }
            Value::Null => {}
            Value::List(_) => tree.found.push(
                Diagnostic::new(
                    &root.span,
                    "an inventory is a mapping of groups, not a list",
                )
                .hint("a list of plays is a playbook: give it with --playbook"),
            ),
            _ => {
                let message = format!("an inventory is a mapping of groups, not {}", root.kind());
                tree.found.push(Diagnostic::new(&root.span, message));
            }
        }
        if tree.hosts.is_empty() && tree.found.0.is_empty() {
            let message = "the inventory has no hosts";
            let hint = "write them as `all: {hosts: {NAME: {ansible_host: ADDRESS}}}`";
            tree.found
                .push(Diagnostic::new(&root.span, message).hint(hint));
        }
        tree
    }

    fn top(&mut self, entry: &Entry) {
        let name = entry.key.as_str();
        if KEYS.contains(&name) {
            let message = format!("`{name}` stands outside of any group");
            let hint = format!("put it below `all:`, indented by two spaces: all: {{{name}: …}}");
            self.found
                .push(Diagnostic::new(&entry.key_span, message).hint(hint));
            return;
        }
        if name == "plugin" {
            let message = "inventory plugins are not supported";
            let hint = "write out what it finds: ansible-inventory --list --yaml --output FILE";
            self.found
                .push(Diagnostic::new(&entry.key_span, message).hint(hint));
            return;
        }
        self.read_group(name, &entry.key_span, &entry.node);
    }

    pub(super) fn group(&mut self, name: &str, span: &Span) -> &mut RawGroup {
        self.groups
            .entry(name.to_owned())
            .or_insert_with(|| RawGroup {
                span: span.clone(),
                hosts: IndexSet::new(),
                children: IndexSet::new(),
                vars: Vars::new(),
            })
    }

    fn read_group(&mut self, name: &str, span: &Span, node: &Node) {
        let odd = |c: char| c.is_whitespace() || ":&!*?[]~,".contains(c);
        if name.is_empty() || name.contains(odd) {
            let message = format!("`{name}` is no name for a group");
            let hint = "use letters, digits, _ and -";
            self.found.push(Diagnostic::new(span, message).hint(hint));
            return;
        }
        self.group(name, span);
        match &node.value {
            Value::Null => return,
            Value::Map(_) => {}
            Value::List(_) => {
                let message = format!("the group `{name}` is a mapping of {}, not a list", shown());
                let hint = "write its hosts as `hosts: {NAME: {}}`";
                self.found
                    .push(Diagnostic::new(&node.span, message).hint(hint));
                return;
            }
            _ => {
                let kind = node.kind();
                let message = format!("the group `{name}` is a mapping of {}, not {kind}", shown());
                self.found.push(Diagnostic::new(&node.span, message));
                return;
            }
        }
        for entry in node.entries() {
            match entry.key.as_str() {
                "hosts" => self.read_hosts(name, entry),
                "children" => self.read_children(name, entry),
                "vars" => self.read_vars(name, entry),
                key => {
                    let message = format!("unknown key `{key}` in the group `{name}`");
                    let hint = match suggest(key, KEYS) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("a group has {}", shown()),
                    };
                    self.found
                        .push(Diagnostic::new(&entry.key_span, message).hint(hint));
                }
            }
        }
    }

    fn read_hosts(&mut self, group: &str, entry: &Entry) {
        let Some(hosts) = self.mapping(entry, "hosts", "NAME: {}") else {
            return;
        };
        for host in hosts {
            let names = match range::expand(&host.key) {
                Ok(names) => names,
                Err(why) => {
                    self.found.push(Diagnostic::new(&host.key_span, why));
                    continue;
                }
            };
            let vars = self.vars_of(&host.node, "the variables of a host");
            for name in names {
                self.read_host(group, host, &name, &vars);
            }
        }
    }

    fn read_children(&mut self, group: &str, entry: &Entry) {
        let Some(children) = self.mapping(entry, "children", "GROUP: {}") else {
            return;
        };
        for child in children {
            if child.key == "all" || child.key == group {
                let message = format!("the group `{}` cannot be below `{group}`", child.key);
                self.found.push(Diagnostic::new(&child.key_span, message));
                continue;
            }
            self.read_group(&child.key, &child.key_span, &child.node);
            self.group(group, &child.key_span)
                .children
                .insert(child.key.clone());
        }
    }

    fn read_vars(&mut self, group: &str, entry: &Entry) {
        let vars = self.vars_of(&entry.node, "`vars`");
        self.group(group, &entry.key_span).vars.extend(vars);
    }

    /// The entries of `hosts` or `children`, which people like to write as a list.
    fn mapping<'n>(&mut self, entry: &'n Entry, key: &str, shape: &str) -> Option<&'n [Entry]> {
        let diagnostic = match &entry.node.value {
            Value::Map(entries) => return Some(entries),
            Value::Null => return None,
            Value::List(items) => {
                let first = items.first().and_then(Node::scalar);
                let name = first.as_deref().unwrap_or("NAME");
                Diagnostic::new(
                    &entry.node.span,
                    format!("`{key}` is a mapping ({shape}), not a list"),
                )
                .hint(format!(
                    "write `{name}:` with a colon instead of `- {name}`"
                ))
            }
            _ => {
                let kind = entry.node.kind();
                let message = format!("`{key}` is a mapping ({shape}), not {kind}");
                Diagnostic::new(&entry.node.span, message)
            }
        };
        self.found.push(diagnostic);
        None
    }

    /// A mapping of variables, each brought into the form of its kind.
    pub fn vars_of(&mut self, node: &Node, what: &str) -> Vars {
        let mut vars = Vars::new();
        match &node.value {
            Value::Null => {}
            Value::Map(entries) => {
                for entry in entries {
                    match checked(&entry.key, &entry.key_span, &entry.node) {
                        Ok((key, variable)) => {
                            vars.insert(key, Arc::new(variable));
                        }
                        Err(diagnostic) => self.found.push(diagnostic),
                    }
                }
            }
            _ => {
                let message = format!(
                    "{what} must be a mapping (NAME: VALUE), not {}",
                    node.kind()
                );
                self.found.push(Diagnostic::new(&node.span, message));
            }
        }
        vars
    }
}

fn shown() -> String {
    "hosts, children and vars".to_owned()
}
