//! What each host inherits: groups below groups, and variables by precedence.
//!
//! From weak to strong, as in Ansible: built-in defaults, group variables of the file (those nearest
//! to `all` first), `group_vars/` (again), host variables of the file, `host_vars/`, the command line.
//! Of two groups of one depth the greater `ansible_group_priority` wins, then the later name in the alphabet.

use super::tree::Tree;
use super::{Group, Host, HostName, Settings, Variable, Vars, variables};
use crate::yaml::{self, Diagnostic, Node, Source, Span, Value, is_template};
use indexmap::{IndexMap, IndexSet};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

static DEFAULTS: LazyLock<HashMap<&'static str, Arc<Variable>>> = LazyLock::new(|| {
    let parsed = variables::all().filter_map(|known| {
        let source = Arc::new(Source {
            name: format!("default of {}", known.name),
            text: known.default?.to_owned(),
        });
        let key_span = Span::at_offset(&source, 0);
        let node = if is_template(&source.text) {
            Node {
                span: key_span.clone(),
                value: Value::Text(source.text.clone()),
            }
        } else {
            yaml::load(&source).ok()?
        };
        let node = known.kind.accept(known.name, &node).ok()?;
        Some((known.name, Arc::new(Variable { key_span, node })))
    });
    parsed.collect()
});

/// The built-in default of a known variable.
pub(super) fn default(name: &str) -> Option<Arc<Variable>> {
    DEFAULTS.get(name).cloned()
}

/// How the groups hang together.
struct Shape {
    /// Longest way from `all`, in steps.
    depth: HashMap<String, usize>,
    /// Every group above, without `all`.
    above: HashMap<String, IndexSet<String>>,
}

/// Groups and hosts with everything inherited, connection settings still at their defaults.
pub(super) fn resolve(
    tree: &mut Tree,
    group_vars: &IndexMap<String, Vars>,
    host_vars: &IndexMap<String, Vars>,
    extra: &Vars,
) -> (IndexMap<String, Group>, Vec<Host>) {
    let shape = shape(tree);
    let mut groups: IndexMap<String, Group> = tree
        .groups
        .iter()
        .map(|(name, raw)| {
            let group = Group {
                name: name.clone(),
                span: raw.span.clone(),
                mentioned: true,
                hosts: Vec::new(),
                direct: raw.hosts.iter().cloned().collect(),
                children: raw.children.iter().cloned().collect(),
            };
            (name.clone(), group)
        })
        .collect();
    let below_all: Vec<String> = tree
        .groups
        .keys()
        .filter(|name| *name != "all" && shape.depth.get(*name) == Some(&1))
        .cloned()
        .collect();
    if let Some(all) = groups.get_mut("all") {
        for name in below_all {
            if !all.children.contains(&name) {
                all.children.push(name);
            }
        }
    }
    let mut memberships: HashMap<&HostName, IndexSet<&str>> = HashMap::new();
    for (name, raw) in &tree.groups {
        for host in &raw.hosts {
            let groups = memberships.entry(host).or_default();
            groups.insert(name);
            groups.extend(
                shape
                    .above
                    .get(name)
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            );
        }
    }
    let mut hosts = Vec::new();
    for (name, raw) in &tree.hosts {
        let mut mine: Vec<&str> = memberships
            .get(name)
            .into_iter()
            .flatten()
            .copied()
            .filter(|group| *group != "all")
            .collect();
        mine.sort_by_key(|group| {
            let depth = shape.depth.get(*group).copied().unwrap_or(0);
            (depth, priority(tree, group), *group)
        });
        let mut vars = Vars::new();
        let order = || ["all"].into_iter().chain(mine.iter().copied());
        for group in order() {
            if let Some(raw) = tree.groups.get(group) {
                merge(&mut vars, &raw.vars);
            }
        }
        for group in order() {
            if let Some(more) = group_vars.get(group) {
                merge(&mut vars, more);
            }
        }
        merge(&mut vars, &raw.vars);
        if let Some(more) = host_vars.get(name.as_str()) {
            merge(&mut vars, more);
        }
        merge(&mut vars, extra);
        // A known variable without a value means its default.
        vars.retain(|key, variable| {
            let is_null = matches!(variable.node.value, Value::Null);
            key != PRIORITY && !(is_null && variables::known(key).is_some())
        });
        for group in order() {
            if let Some(group) = groups.get_mut(group) {
                group.hosts.push(name.clone());
            }
        }
        hosts.push(Host {
            name: name.clone(),
            span: raw.span.clone(),
            address: name.to_string(),
            connection: Settings::default(),
            groups: mine.into_iter().map(str::to_owned).collect(),
            vars,
        });
    }
    (groups, hosts)
}

fn merge(vars: &mut Vars, stronger: &Vars) {
    for (key, variable) in stronger {
        vars.insert(key.clone(), variable.clone());
    }
}

/// A property of the group, not of its hosts.
const PRIORITY: &str = "ansible_group_priority";

fn priority(tree: &Tree, group: &str) -> i64 {
    let variable = tree
        .groups
        .get(group)
        .and_then(|raw| raw.vars.get(PRIORITY));
    match variable.map(|variable| &variable.node.value) {
        Some(Value::Int(number, _)) => *number,
        _ => 1,
    }
}

/// Walks the groups from the top; those that are never reached are in a circle.
fn shape(tree: &mut Tree) -> Shape {
    let mut parents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, raw) in &tree.groups {
        for child in raw.children.iter().filter(|_| name != "all") {
            parents.entry(child).or_default().push(name);
        }
    }
    let mut waiting: HashMap<&str, usize> = tree
        .groups
        .keys()
        .map(|name| {
            (
                name.as_str(),
                parents.get(name.as_str()).map_or(0, Vec::len),
            )
        })
        .collect();
    let mut ready: Vec<&str> = tree
        .groups
        .keys()
        .map(String::as_str)
        .filter(|name| waiting.get(name) == Some(&0))
        .collect();
    let mut shape = Shape {
        depth: HashMap::from([("all".to_owned(), 0)]),
        above: HashMap::new(),
    };
    while let Some(name) = ready.pop() {
        let mut depth = usize::from(name != "all");
        let mut above = IndexSet::new();
        for parent in parents.get(name).into_iter().flatten() {
            depth = depth.max(shape.depth.get(*parent).copied().unwrap_or(0) + 1);
            above.insert((*parent).to_owned());
            above.extend(shape.above.get(*parent).into_iter().flatten().cloned());
        }
        shape.depth.insert(name.to_owned(), depth);
        shape.above.insert(name.to_owned(), above);
        for child in tree
            .groups
            .get(name)
            .into_iter()
            .flat_map(|raw| &raw.children)
        {
            if name != "all"
                && let Some(left) = waiting.get_mut(child.as_str())
            {
                *left -= 1;
                if *left == 0 {
                    ready.push(child);
                }
            }
        }
    }
    let circle: Vec<&String> = tree
        .groups
        .keys()
        .filter(|name| !shape.above.contains_key(*name))
        .collect();
    if let Some(first) = circle.first()
        && let Some(raw) = tree.groups.get(*first)
    {
        let names: Vec<_> = circle.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "groups lie below each other in a circle: {}",
            names.join(", ")
        );
        tree.found.push(Diagnostic::new(&raw.span, message));
    }
    shape
}
