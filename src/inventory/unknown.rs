//! Variables that nobody knows: misspelt ones are errors, foreign ones are worth a word.

use super::tree::Tree;
use super::{Variable, Vars, variables};
use crate::playbook::variables_in;
use crate::yaml::Diagnostic;
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};

/// Looks at every definition once, however many hosts inherit it.
pub(super) fn check(
    tree: &mut Tree,
    folders: [&IndexMap<String, Vars>; 2],
    extra: &Vars,
    used: &BTreeSet<String>,
) {
    let mut used = used.clone();
    let mut unknown: Vec<(&String, &Variable)> = Vec::new();
    let mut reserved: Vec<(&String, &Variable, &str)> = Vec::new();
    let groups = tree.groups.values().map(|group| &group.vars);
    let hosts = tree.hosts.values().map(|host| &host.vars);
    let files = folders.into_iter().flat_map(IndexMap::values);
    for (name, variable) in groups.chain(hosts).chain(files).chain([extra]).flatten() {
        used.extend(variables_in(&variable.node));
        match variables::known(name) {
            None => unknown.push((name, variable)),
            Some(known) if !known.layer.takes_effect() => {
                reserved.push((name, variable, known.layer.name()));
            }
            Some(_) => {}
        }
    }
    let mut advice = Vec::new();
    // A range gives one definition to many hosts.
    let mut seen = BTreeSet::new();
    let mut advised = BTreeSet::new();
    // Foreign inventories give the same names to every host, and comparing is the slow part.
    let mut nearest: HashMap<&str, Option<&str>> = HashMap::new();
    for (name, variable) in unknown {
        let place = (name, variable.key_span.to_string());
        if used.contains(name) || !seen.insert(place) {
            continue;
        }
        let near = *nearest.entry(name).or_insert_with(|| variables::near(name));
        if let Some(near) = near {
            tree.found.push(
                Diagnostic::new(&variable.key_span, format!("unknown variable `{name}`")).hint(
                    format!(
                        "did you mean `{near}`? a variable of your own needs a name less like it"
                    ),
                ),
            );
        } else if !name.starts_with("ansible_") && advised.insert(name) {
            let message = format!("the variable `{name}` is not used");
            advice.push(Diagnostic::new(&variable.key_span, message));
        }
    }
    for (name, variable, layer) in reserved {
        if !used.contains(name) && advised.insert(name) {
            let message =
                format!("`{name}` takes no effect yet: this version has no layer `{layer}`");
            advice.push(Diagnostic::new(&variable.key_span, message));
        }
    }
    tree.advice.extend(advice);
}
