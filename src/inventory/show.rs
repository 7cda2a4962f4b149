//! `provision inventory --list` and `--graph`, in the shapes of `ansible-inventory`.

use super::kind::Kind;
use super::{Group, Host, HostName, Inventory, variables};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What is shown in place of a secret.
const MASK: &str = "********";

impl Inventory {
    /// Groups with their hosts and children, and under `_meta.hostvars` the variables of each host,
    /// as written (templates are not rendered). Secrets are masked; built-in defaults and groups
    /// that the file does not name are left out.
    pub fn to_list(&self) -> Value {
        let mut root = Map::new();
        let hostvars: Map<String, Value> = self
            .hosts()
            .iter()
            .map(|host| (host.name.to_string(), shown_vars(host)))
            .collect();
        root.insert("_meta".into(), json!({ "hostvars": hostvars }));
        for group in self.groups().filter(|group| group.mentioned) {
            let mut entry = Map::new();
            let children = children(group);
            if !children.is_empty() {
                entry.insert("children".into(), json!(children));
            }
            if group.name != "all" && !group.direct.is_empty() {
                entry.insert("hosts".into(), json!(group.direct));
            }
            root.insert(group.name.clone(), Value::Object(entry));
        }
        let ungrouped = self.ungrouped();
        if !ungrouped.is_empty() {
            root.insert("ungrouped".into(), json!({ "hosts": ungrouped }));
        }
        Value::Object(root)
    }

    /// The groups as a tree, hosts below them; the project's own groups also when only implied.
    pub fn to_graph(&self) -> String {
        let mut text = String::from("@all:\n");
        self.branches("all", 1, &mut text);
        let implied = self.groups().filter(|group| !group.mentioned);
        for group in implied.filter(|group| !group.hosts.is_empty()) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  |--@{}: (implied)", group.name);
            for host in &group.hosts {
                let _ = writeln!(text, "  |  |--{host}");
            }
        }
        text
    }

    fn branches(&self, name: &str, depth: usize, text: &mut String) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        let bars = "  |".repeat(depth);
        for child in children(group) {
            let _ = writeln!(text, "{bars}--@{child}:");
            self.branches(child, depth + 1, text);
            if child == "ungrouped" && !self.groups.contains_key("ungrouped") {
                for host in self.ungrouped() {
                    let _ = writeln!(text, "{bars}  |--{host}");
                }
            }
        }
        if name != "all" {
            for host in &group.direct {
                let _ = writeln!(text, "{bars}--{host}");
            }
        }
    }

    fn ungrouped(&self) -> Vec<&HostName> {
        let alone = |host: &&Host| host.groups.is_empty();
        let hosts = self.hosts().iter().filter(alone);
        hosts.map(|host| &host.name).collect()
    }
}

/// Ansible names `ungrouped` first, whether or not it has hosts.
fn children(group: &Group) -> Vec<&str> {
    let written = group.children.iter().map(String::as_str);
    if group.name != "all" {
        return written.collect();
    }
    let others = written.filter(|name| *name != "ungrouped");
    ["ungrouped"].into_iter().chain(others).collect()
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
