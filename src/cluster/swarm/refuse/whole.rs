//! Refusals about the whole swarm: S0, S4, S5, S10, S14, S18, and the advice of S11.

use super::{all_say, refusal};
use crate::cluster::swarm::quorum::majority;
use crate::cluster::swarm::state::Here;
use crate::cluster::swarm::table::refused;
use crate::cluster::swarm::view::is_called;
use crate::cluster::swarm::{Member, State, Swarm};
use crate::plan::{Advice, Claim, Decision, Expect, Reach, Refusal, Wait};
use crate::probe::{Query, Seen};
use std::collections::BTreeSet;

/// S0: no trace is seen, but a host that did not answer may hold the swarm.
pub(in crate::cluster::swarm) fn may_hold_a_swarm(swarm: &Swarm, state: &State) -> Refusal {
    let silent: Vec<&str> = swarm
        .members
        .iter()
        .filter(|member| matches!(swarm.observed(state, member).here, Here::Silent(_)))
        .map(|member| member.host.as_str())
        .collect();
    refusal(
        "S0",
        Reach::Layer,
        format!(
            "no swarm is seen, but {} did not answer and may hold one: founding another would make two",
            silent.join(", ")
        ),
        all_say(swarm, state),
        "bring the host back and run again, or take it out of the inventory when it is gone for good; no flag overrides this",
    )
}

/// S18: the pool that the swarm would have overlaps a network of a host.
pub(in crate::cluster::swarm) fn pool_overlaps(swarm: &Swarm, overlaps: Vec<String>) -> Refusal {
    let which = if swarm.default_addr_pool.is_empty() {
        "Docker's own address pool"
    } else {
        "`default_addr_pool`"
    };
    refusal(
        "S18",
        Reach::Layer,
        format!(
            "{which} overlaps a network of the hosts: containers could lose the way to them, and the pool can only be chosen when the swarm is founded"
        ),
        overlaps,
        "set `default_addr_pool` to a private network that no host uses or routes to, such as 172.30.0.0/16",
    )
}

/// S18: it cannot be told whether the pool overlaps.
pub(in crate::cluster::swarm) fn networks_unknown(evidence: Vec<String>) -> Refusal {
    refusal(
        "S18",
        Reach::Layer,
        "the hosts' own networks are not all known, so the swarm's address pool cannot be checked against them, and it can only be chosen when the swarm is founded".to_owned(),
        evidence,
        "see why `ip -j -4 addr` fails there, and run again",
    )
}

/// S4: hosts are workers of a swarm whose managers are none of the inventory's.
pub(in crate::cluster::swarm) fn managers_outside(
    swarm: &Swarm,
    state: &State,
    managers: &BTreeSet<String>,
) -> Refusal {
    let mut evidence = all_say(swarm, state);
    evidence.extend(
        managers
            .iter()
            .map(|manager| format!("a membership names the manager {manager}")),
    );
    refusal(
        "S4",
        Reach::Layer,
        "the swarm that is seen has its managers outside the inventory".to_owned(),
        evidence,
        "add those hosts to the inventory, or run `docker swarm leave` on the members by hand when that swarm is no longer wanted",
    )
}

/// How long the managers may take to agree on a leader, in seconds. An election takes some; the answers of
/// two managers that were asked before and after it differ as long as they are held.
const ELECTION_S: u64 = 60;

/// S4 or S5: several swarms have working managers among the hosts.
pub(in crate::cluster::swarm) fn split(
    swarm: &Swarm,
    state: &State,
    speakers: &[&Member],
) -> Option<Decision> {
    let (mut ids, mut roots): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
    let mut nameless = false;
    let mut leaders: BTreeSet<&str> = BTreeSet::new();
    let mut follows: Vec<(&Member, &str)> = Vec::new();
    for member in speakers {
        let observed = swarm.observed(state, member);
        if let Here::Active { cluster, place, .. } = &observed.here {
            // While a leader is elected a manager does not name its swarm; its root certificate does.
            match cluster {
                Some(cluster) => _ = ids.insert(&cluster.id),
                None => nameless = true,
            }
            if !place.trace.ca_sha256.is_empty() {
                roots.insert(&place.trace.ca_sha256);
            }
        }
        let nodes = observed.nodes().unwrap_or_default();
        for node in nodes.iter().filter(|node| node.leader) {
            leaders.insert(&node.id);
            follows.push((member, &node.id));
        }
    }
    if ids.len() > 1 || (nameless && roots.len() > 1) {
        return Some(refused(several_swarms(swarm, state)));
    }
    (leaders.len() > 1).then(|| several_leaders(all_say(swarm, state), &leaders, &follows))
}

/// S5, unless it passes: each manager is looked at for the leader that others follow.
fn several_leaders(
    mut evidence: Vec<String>,
    leaders: &BTreeSet<&str>,
    follows: &[(&Member, &str)],
) -> Decision {
    let waits = follows.iter().filter_map(|(member, own)| {
        let other = leaders.iter().find(|leader| *leader != own)?;
        let expect = Expect::NodeLeads((*other).to_owned());
        Some(Wait {
            what: format!(
                "the managers follow different leaders, as they do while one is elected: {} has {own}",
                member.host
            ),
            until: Claim::new(&member.host, Query::SwarmNodes, expect),
            deadline_s: ELECTION_S,
        })
    });
    let waits = waits.collect();
    evidence.extend(
        follows.iter().map(|(member, leader)| {
            format!("{}: its roster has {leader} as its leader", member.host)
        }),
    );
    let refusal = refusal(
        "S5",
        Reach::LayerAfterWaits,
        format!(
            "the managers follow different leaders, and that has not changed in {ELECTION_S} s: one side was recovered with `--force-new-cluster`"
        ),
        evidence,
        "decide which side to keep (`docker service ls` on a manager of each) and let the hosts of the other leave it by hand (`docker swarm leave --force`), and run again",
    );
    Decision {
        waits,
        refusals: vec![refusal],
        ..Decision::default()
    }
}

/// S5, or S4 when only one of the swarms is at home here.
pub(in crate::cluster::swarm) fn several_swarms(swarm: &Swarm, state: &State) -> Refusal {
    let strangers = |member: &&Member| {
        let nodes = swarm.observed(state, member).nodes().unwrap_or_default();
        nodes.iter().any(|node| {
            !swarm
                .members
                .iter()
                .any(|member| is_called(&node.hostname, member.host.as_str()))
        })
    };
    let mut evidence = all_say(swarm, state);
    for member in &swarm.members {
        let nodes = swarm.observed(state, member).nodes().unwrap_or_default();
        if !nodes.is_empty() {
            let names: Vec<&str> = nodes.iter().map(|node| &*node.hostname).collect();
            evidence.push(format!("{}'s roster: {}", member.host, names.join(", ")));
        }
    }
    if swarm.members.iter().any(|member| strangers(&member)) {
        return refusal(
            "S4",
            Reach::Layer,
            "hosts are in a swarm that has nodes outside the inventory, and others in another"
                .to_owned(),
            evidence,
            "decide which swarm to keep; let the hosts of the other leave it by hand (`docker swarm leave`), and run again",
        );
    }
    refusal(
        "S5",
        Reach::Layer,
        "the hosts are in different swarms".to_owned(),
        evidence,
        "keep the swarm that has the services (`docker service ls` on a manager of each); let the hosts of the other leave it by hand (`docker swarm leave --force`), and run again",
    )
}

/// S10: members are seen, but no manager has a quorum.
pub(in crate::cluster::swarm) fn no_quorum(swarm: &Swarm, state: &State) -> Refusal {
    let mut evidence = all_say(swarm, state);
    for member in &swarm.members {
        if let Some(roster) = &swarm.observed(state, member).roster {
            let why = match roster {
                Seen::Is(roster) => &roster.error,
                Seen::Unknown(why) => why,
            };
            evidence.push(format!("{}: asked for the roster: {why}", member.host));
        }
    }
    let managers = swarm.managers().count();
    refusal(
        "S10",
        Reach::Layer,
        format!(
            "no manager tells the roster: the swarm has no quorum ({} of {managers} managers must answer)",
            majority(managers)
        ),
        evidence,
        "bring the other managers back; running tasks keep running meanwhile. `docker swarm init --force-new-cluster` is a last resort, by hand, and only when the other managers are known to be powered off for good",
    )
}

/// S14: a setting that is fixed when the swarm is founded.
pub(in crate::cluster::swarm) fn fixed(setting: &str, has: &str, declared: &str) -> Refusal {
    refusal(
        "S14",
        Reach::Here,
        format!(
            "the swarm was founded with {setting} {has}, and {declared} is declared; this cannot be changed in a swarm that exists"
        ),
        vec![
            format!("the swarm's {setting}: {has}"),
            format!("declared: {declared}"),
        ],
        "declare what the swarm has; a swarm with other values has to be built anew, on purpose",
    )
}

/// S11: an even number of managers bears no more losses than one manager less.
pub(in crate::cluster::swarm) fn even_managers(swarm: &Swarm) -> Option<Advice> {
    let managers = swarm.managers().count();
    let text = match managers {
        1 => "1 manager is its own quorum and bears no loss: without it nothing in the swarm can be changed. 3 bear the loss of 1".to_owned(),
        n if n.is_multiple_of(2) => format!(
            "{managers} managers need {} for a quorum and bear the loss of {}, no more than {} would: make it {} or {}",
            majority(managers),
            managers - majority(managers),
            managers - 1,
            managers - 1,
            managers + 1
        ),
        _ => return None,
    };
    Some(Advice {
        code: "S11".to_owned(),
        host: None,
        text,
    })
}
