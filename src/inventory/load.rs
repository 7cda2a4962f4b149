//! Files and command line → [`Inventory`], with all that is wrong reported at once.

use super::host::checked;
use super::tree::Tree;
use super::{Host, Inventory, Vars, folders, resolve, roles, settings, unknown};
use crate::yaml::{self, Diagnostic, Diagnostics, Node, Source, Span, Value};
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

impl Inventory {
    /// Loads an inventory file, `group_vars/` and `host_vars/` beside it, and `KEY=VALUE`s of the command line.
    pub fn load(path: &Path, extra: &[String]) -> Result<Self, Diagnostics> {
        Self::load_for(path, extra, &BTreeSet::new())
    }

    /// Like [`Inventory::load`]; variables that a playbook uses are not taken for misspelt ones.
    pub fn load_for(
        path: &Path,
        extra: &[String],
        used: &BTreeSet<String>,
    ) -> Result<Self, Diagnostics> {
        let (extra, mut found) = parse_extra(extra);
        let source = match yaml::read(path) {
            Ok(source) => source,
            Err(diagnostic) => {
                found.push(diagnostic);
                return Err(found);
            }
        };
        let (root, more) = yaml::load_on(&source);
        found.0.extend(more.0);
        let Some(root) = root else {
            return Err(ini_hint(&source).map_or(found, Into::into));
        };
        if !found.0.is_empty()
            && let Some(ini) = ini_hint(&source)
        {
            return Err(ini.into());
        }
        let mut tree = Tree::read(&root);
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let names: Vec<String> = tree.groups.keys().cloned().collect();
        let names = names.iter().map(String::as_str);
        let group_vars = folders::read(&folder.join("group_vars"), names, &mut tree);
        let names: Vec<_> = tree.hosts.keys().cloned().collect();
        let names = names.iter().map(super::HostName::as_str);
        let host_vars = folders::read(&folder.join("host_vars"), names, &mut tree);

        unknown::check(&mut tree, [&group_vars, &host_vars], &extra, used);
        let (mut groups, hosts) = resolve::resolve(&mut tree, &group_vars, &host_vars, &extra);
        found.0.append(&mut tree.found.0);
        roles::complete(&mut groups, &hosts, &mut found);
        let index = hosts.iter().enumerate();
        let index: HashMap<_, _> = index.map(|(at, host)| (host.name.clone(), at)).collect();
        let inventory = Self {
            folder: folder.to_owned(),
            advice: tree.advice,
            hosts,
            index,
            groups,
            extra,
        };
        let mut inventory = settings::apply(inventory, &mut found);
        let mut advice = Diagnostics(std::mem::take(&mut inventory.advice));
        advice.sort();
        inventory.advice = advice.0;
        check_names(&inventory.hosts, &mut found);
        check_addresses(&inventory.hosts, &mut found);
        found.sort();
        found.into_result(inventory)
    }
}

/// `KEY=VALUE`s of the command line; values are strings, and become numbers and booleans where a kind asks for them.
fn parse_extra(extra: &[String]) -> (Vars, Diagnostics) {
    let mut found = Diagnostics::default();
    let mut vars: Vars = IndexMap::new();
    for text in extra {
        let source = Arc::new(Source {
            name: "-e".to_owned(),
            text: text.clone(),
        });
        let span = Span::at_offset(&source, 0);
        let Some((key, value)) = text.split_once('=').filter(|(key, _)| is_name(key)) else {
            let message = "a variable of the command line is written NAME=VALUE";
            found.push(Diagnostic::new(&span, message));
            continue;
        };
        let node = Node {
            span: Span::at_offset(&source, key.len() + 1),
            value: Value::Text(value.to_owned()),
        };
        match checked(key, &span, &node) {
            Ok((key, variable)) => {
                vars.insert(key, Arc::new(variable));
            }
            Err(diagnostic) => found.push(diagnostic),
        }
    }
    (vars, found)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// An inventory in Ansible's INI format is no YAML; say so instead of pointing at a bracket.
fn ini_hint(source: &Arc<Source>) -> Option<Diagnostic> {
    let mut offset = 0;
    for line in source.text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with('[') && trimmed.ends_with(']') && !trimmed.contains(['"', ',']) {
            let message = "this looks like an inventory in INI format, which is not supported yet";
            let hint = "convert it: ansible-inventory -i FILE --list --yaml --output NEW.yml";
            let span = Span::at_offset(source, offset);
            return Some(Diagnostic::new(&span, message).hint(hint));
        }
        offset += line.len();
    }
    None
}

/// Names become host names, unless `manage_hosts: false`.
fn check_names(hosts: &[Host], found: &mut Diagnostics) {
    for host in hosts {
        let managed = host
            .var("manage_hosts")
            .is_none_or(|variable| !matches!(variable.node.value, Value::Bool(false)));
        if let Some(why) = host.name.unfit_as_hostname()
            && managed
        {
            let message = format!("`{}` cannot be the name of a host: it {why}", host.name);
            let hint =
                "give it a name and put the address into ansible_host, or set manage_hosts: false";
            found.push(Diagnostic::new(&host.span, message).hint(hint));
        }
    }
}

/// Two hosts with one address are most likely a slip of copying, and one host would be taken for two members.
fn check_addresses(hosts: &[Host], found: &mut Diagnostics) {
    let mut seen: HashMap<(&str, Option<u16>), &Host> = HashMap::new();
    for host in hosts {
        let key = (host.address.as_str(), host.connection.port);
        let Some(first) = seen.get(&key) else {
            seen.insert(key, host);
            continue;
        };
        let span = host
            .vars
            .get("ansible_host")
            .map_or(&host.span, |variable| &variable.node.span);
        let message = format!(
            "`{}` has the same address as `{}`: {}",
            host.name, first.name, host.address
        );
        found.push(Diagnostic::new(span, message).hint("each host needs its own ansible_host"));
    }
    for host in hosts {
        if let Some(vip) = host.vars.get("cluster_vip")
            && vip.node.scalar().as_deref() == Some(host.address.as_str())
        {
            let message = format!("`cluster_vip` is the address of the host `{}`", host.name);
            let hint = "the virtual address must be a free one";
            found.push(Diagnostic::new(&vip.node.span, message).hint(hint));
        }
    }
}
