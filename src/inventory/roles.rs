//! The project's own groups: which hosts take which part in the cluster.

use super::{Group, Host};
use crate::yaml::{Diagnostic, Diagnostics, Span, suggest};
use indexmap::IndexMap;

/// The groups that decide a host's part. `managers` and `workers` are both in the Swarm.
pub(super) const ROLES: [&str; 5] = ["managers", "workers", "gluster", "database", "kompira"];

/// A role that is misspelt would give every host every part.
fn misspelt(group: &Group, groups: &IndexMap<String, Group>, found: &mut Diagnostics) {
    let name = group.name.to_ascii_lowercase();
    let near = suggest(&name, ROLES).filter(|role| {
        let same_stem = |a: &str, b: &str| a.trim_end_matches('s') == b.trim_end_matches('s');
        (same_stem(&name, role) || strsim::osa_distance(&name, role) == 1)
            && group.name != **role
            && !groups.contains_key(*role)
    });
    if let Some(role) = near {
        let message = format!("the group `{}` has no meaning here", group.name);
        let hint = format!("did you mean `{role}`? a group of your own needs a name less like it");
        found.push(Diagnostic::new(&group.span, message).hint(hint));
    }
}

/// Adds the groups of [`ROLES`] that the file does not name. When it names none of them every host
/// has every part but `workers`, as in the source document; else those not named are switched off.
pub(super) fn complete(
    groups: &mut IndexMap<String, Group>,
    hosts: &[Host],
    found: &mut Diagnostics,
) {
    for group in groups.values() {
        misspelt(group, groups, found);
    }
    let some_named = ROLES.iter().any(|role| groups.contains_key(*role));
    for role in ROLES {
        let everyone = !some_named && role != "workers";
        groups.entry(role.to_owned()).or_insert_with(|| Group {
            name: role.to_owned(),
            span: Span::builtin("built-in group"),
            mentioned: false,
            hosts: if everyone {
                hosts.iter().map(|host| host.name.clone()).collect()
            } else {
                Vec::new()
            },
            direct: Vec::new(),
            children: Vec::new(),
        });
    }
    let (Some(managers), Some(workers)) = (groups.get("managers"), groups.get("workers")) else {
        return;
    };
    for host in &workers.hosts {
        if managers.hosts.contains(host) {
            let message = format!("`{host}` is both in `managers` and in `workers`");
            let hint = "a node of the Swarm is one or the other";
            found.push(Diagnostic::new(&workers.span, message).hint(hint));
        }
    }
    if managers.hosts.is_empty() && !workers.hosts.is_empty() {
        let message = "there are `workers`, but no `managers`";
        let hint = "a Swarm needs managers, best three";
        found.push(Diagnostic::new(&workers.span, message).hint(hint));
    }
}
