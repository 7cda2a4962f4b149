//! What differs between a member and what it should be: S11, S12, S14, S15, S16, S17, S18.

use super::table::Row;
use super::view::View;
use super::{Member, networks, refuse, steps};
use crate::plan::{Act, Advice, Claim, Class, Decision, Expect, Step, StepId, SwarmAct, Via};
use crate::probe::Query;
use crate::probe::docker::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Docker's own UDP port for overlay networks; the API says 0 for it.
const DEFAULT_DATA_PATH_PORT: u32 = 4789;

/// S11: whether a member has the role that the inventory gives it.
pub(super) enum Drift<'a> {
    None,
    Promote(&'a Node),
    Demote(&'a Node),
}

pub(super) fn role<'a>(member: &Member, node: &'a Node) -> Drift<'a> {
    match (member.manager, &*node.role) {
        (true, "worker") => Drift::Promote(node),
        (false, _) if node.votes() => Drift::Demote(node),
        _ => Drift::None,
    }
}

/// What a person should know of one member, and what cannot be changed on it.
pub(super) fn member(view: &View<'_>, member: &Member, node: &Node, decision: &mut Decision) {
    if let super::Here::Active { addr, .. } = &view.observed(member).here
        && !addr.is_empty()
        && *addr != member.addr
    {
        decision.refusals.push(refuse::other_address(member, addr));
    }
    if node.availability == "drain" && view.observed(member).marked {
        decision.advice.push(Advice {
            code: "S15".to_owned(),
            host: Some(member.host.clone()),
            text: "joined drained by provision; it is activated when all its layers are well"
                .to_owned(),
        });
    } else if node.availability != "active" && !node.availability.is_empty() {
        decision.advice.push(Advice {
            code: "S15".to_owned(),
            host: Some(member.host.clone()),
            text: format!(
                "its node is set to `{}`, and not by provision: it is left so; `docker node update --availability active {}` brings it back",
                node.availability, node.id
            ),
        });
    }
}

/// What a person should know of the whole swarm, and what cannot be changed about it.
pub(super) fn whole(view: &View<'_>, decision: &mut Decision) {
    decision.refusals.extend(fixed_settings(view));
    for node in view.extra() {
        decision.advice.push(Advice {
            code: "S16".to_owned(),
            host: None,
            text: format!(
                "the swarm has the {} {} ({}, {}) that is not in the inventory: it is left alone",
                node.role, node.hostname, node.id, node.state
            ),
        });
    }
    decision.advice.extend(refuse::even_managers(view.swarm));
    let pools = view
        .cluster
        .map(|cluster| &cluster.default_addr_pool)
        .into_iter()
        .flatten()
        .filter_map(|pool| pool.parse().ok())
        .collect::<Vec<_>>();
    let overlaps = networks::overlaps(view.swarm, view.state, &pools);
    if !overlaps.is_empty() {
        decision.advice.push(Advice {
            code: "S18".to_owned(),
            host: None,
            text: format!(
                "containers may not reach hosts in a network that the swarm's address pool overlaps, and the pool is fixed: {}",
                overlaps.join("; ")
            ),
        });
    }
}

/// S14: what was fixed when the swarm was founded, against what is declared.
fn fixed_settings(view: &View<'_>) -> Vec<crate::plan::Refusal> {
    let mut found = Vec::new();
    let Some(cluster) = view.cluster else {
        return found;
    };
    let port = match cluster.data_path_port {
        0 => DEFAULT_DATA_PATH_PORT,
        port => port,
    };
    let declared = view.swarm.data_path_port;
    if port != u32::from(declared) {
        found.push(refuse::fixed(
            "data_path_port",
            &port.to_string(),
            &declared.to_string(),
        ));
    }
    if view.swarm.default_addr_pool.is_empty() {
        return found;
    }
    let has: BTreeSet<&str> = cluster
        .default_addr_pool
        .iter()
        .map(|pool| &**pool)
        .collect();
    let wanted: BTreeSet<String> = view
        .swarm
        .default_addr_pool
        .iter()
        .map(ToString::to_string)
        .collect();
    let listed = |set: &BTreeSet<&str>| set.iter().copied().collect::<Vec<_>>().join(", ");
    let wanted: BTreeSet<&str> = wanted.iter().map(|pool| &**pool).collect();
    if has != wanted {
        found.push(refuse::fixed(
            "default_addr_pool",
            &listed(&has),
            &listed(&wanted),
        ));
    }
    if cluster.subnet_size != u32::from(view.swarm.subnet_size) {
        let declared = view.swarm.subnet_size.to_string();
        found.push(refuse::fixed(
            "subnet_size",
            &cluster.subnet_size.to_string(),
            &declared,
        ));
    }
    found
}

/// S17: labels that are missing or differ. None is ever removed: that may move tasks that hold state.
pub(super) fn labels(view: &View<'_>, member: &Member, row: &Row<'_>) -> Option<Step> {
    match row {
        Row::Member { node, coming } => {
            let missing: BTreeMap<String, String> = member
                .labels
                .iter()
                .filter(|(key, value)| node.labels.get(*key) != Some(value))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            if missing.is_empty() {
                return None;
            }
            let step = label(member, (&node.id, &node.hostname), missing, &view.speakers);
            Some(match coming {
                Some(coming) => step.need(coming.until.clone()),
                None => step,
            })
        }
        Row::New { .. } | Row::Stale | Row::Returning(_) => {
            steps::first_labels(member, &view.speakers)
        }
        Row::Silent | Row::Refused(_) => None,
    }
}

/// A step that sets labels on the node that `member` is, with this id and host name.
pub(super) fn label(
    member: &Member,
    (id, hostname): (&str, &str),
    labels: BTreeMap<String, String>,
    via: &[&Member],
) -> Step {
    let speaker = via.first().unwrap_or(&member);
    let words: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let done = Expect::NodeLabelled {
        hostname: hostname.to_owned(),
        labels: labels.clone(),
    };
    Step::new(
        StepId::new(&["swarm", "label", member.host.as_str()]),
        &member.host,
        Class::Repair,
        format!("its node lacks {}", words.join(", ")),
        Act::Swarm(SwarmAct::Label {
            id: id.to_owned(),
            labels,
        }),
    )
    .via(Via::AnyManager(
        via.iter().map(|peer| peer.host.clone()).collect(),
    ))
    .done(Claim::new(&speaker.host, Query::SwarmNodes, done))
}
