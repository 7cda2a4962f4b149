//! `provision inventory --list` and `--graph`, in the shapes of `ansible-inventory`.

use super::kind::Kind;
use super::{Group, Host, HostName, Inventory, variables};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What is shown in place of a secret.
const MASK: &str = "********";

impl Inventory {
    /// Groups with their hosts and children, and under `_meta.hostvars` the variables of each host,
    /// as written (templates are not rendered). Secrets are masked, built-in defaults left out.
    pub fn to_list(&self) -> Value {
        let mut root = Map::new();
        let hostvars: Map<String, Value> = self
            .hosts()
            .iter()
            .map(|host| (host.name.to_string(), shown_vars(host)))
            .collect();
        root.insert("_meta".into(), json!({ "hostvars": hostvars }));
        for group in self.shown_groups() {
            let mut entry = Map::new();
            let children = self.children(group);
            if !children.is_empty() {
                entry.insert("children".into(), json!(children));
            }
            let hosts = direct(group);
            if group.name != "all" && !hosts.is_empty() {
                entry.insert("hosts".into(), json!(hosts));
            }
            root.insert(group.name.clone(), Value::Object(entry));
        }
        let ungrouped = self.ungrouped();
        if !ungrouped.is_empty() {
            root.insert("ungrouped".into(), json!({ "hosts": ungrouped }));
        }
        Value::Object(root)
    }

    /// The groups as a tree, hosts below them.
    pub fn to_graph(&self) -> String {
        let mut text = String::from("@all:\n");
        self.branches("all", 1, &mut text);
        text
    }

    fn branches(&self, name: &str, depth: usize, text: &mut String) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        let bars = "  |".repeat(depth);
        for child in self.children(group) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{bars}--@{child}:");
            self.branches(child, depth + 1, text);
            if child == "ungrouped" && !self.groups.contains_key("ungrouped") {
                for host in self.ungrouped() {
                    let _ = writeln!(text, "{bars}  |--{host}");
                }
            }
        }
        if name != "all" {
            for host in direct(group) {
                let _ = writeln!(text, "{bars}--{host}");
            }
        }
    }

    /// Groups of the project that are switched off are not shown.
    fn shown_groups(&self) -> impl Iterator<Item = &Group> {
        self.groups()
            .filter(|group| group.mentioned || !group.hosts.is_empty())
    }

    fn children<'g>(&'g self, group: &'g Group) -> Vec<&'g str> {
        let mut children: Vec<&str> = Vec::new();
        if group.name == "all" {
            children.push("ungrouped");
            let implied = self.shown_groups().filter(|group| !group.mentioned);
            let written = group.children.iter().map(String::as_str);
            let all = written.chain(implied.map(|group| group.name.as_str()));
            children.extend(all.filter(|name| *name != "ungrouped"));
        } else {
            children.extend(group.children.iter().map(String::as_str));
        }
        children
    }

    fn ungrouped(&self) -> Vec<&HostName> {
        let alone = |host: &&Host| host.groups.is_empty();
        let hosts = self.hosts().iter().filter(alone);
        hosts.map(|host| &host.name).collect()
    }
}

fn direct(group: &Group) -> &[HostName] {
    if group.mentioned {
        &group.direct
    } else {
        &group.hosts
    }
}

fn shown_vars(host: &Host) -> Value {
    let vars = host.vars.iter().map(|(name, variable)| {
        let value = if is_secret(name) {
            json!(MASK)
        } else {
            variable.node.to_json()
        };
        (name.clone(), value)
    });
    Value::Object(vars.collect())
}

/// Known secrets, and foreign variables that are called like one.
pub(crate) fn is_secret(name: &str) -> bool {
    match variables::known(name) {
        Some(known) => known.kind == Kind::Secret,
        None => crate::yaml::names_a_secret(name),
    }
}
