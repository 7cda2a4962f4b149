//! Why not: one function a row of the table. Each says what was seen, and what a person can do.

use super::quorum::{Quorum, majority};
use super::state::Here;
use super::table::View;
use super::{Member, State, Swarm};
use crate::inventory::HostName;
use crate::plan::{Advice, Reach, Refusal};
use crate::probe::docker::Node;
use std::collections::{BTreeMap, BTreeSet};

fn refusal(
    code: &str,
    reach: Reach,
    because: String,
    evidence: Vec<String>,
    hint: &str,
) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because,
        evidence,
        hint: hint.to_owned(),
        reach,
    }
}

fn only(member: &Member) -> Reach {
    Reach::Hosts(vec![member.host.clone()])
}

/// What every member said, one line each.
fn all_say(swarm: &Swarm, state: &State) -> Vec<String> {
    swarm
        .members
        .iter()
        .map(|member| {
            format!(
                "{}: {}",
                member.host,
                swarm.observed(state, member).here.says()
            )
        })
        .collect()
}

/// S0: no trace is seen, but a host that did not answer may hold the swarm.
pub(super) fn may_hold_a_swarm(swarm: &Swarm, state: &State) -> Refusal {
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
pub(super) fn pool_overlaps(swarm: &Swarm, overlaps: Vec<String>) -> Refusal {
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
pub(super) fn networks_unknown(evidence: Vec<String>) -> Refusal {
    refusal(
        "S18",
        Reach::Layer,
        "the hosts' own networks are not all known, so the swarm's address pool cannot be checked against them, and it can only be chosen when the swarm is founded".to_owned(),
        evidence,
        "see why `ip -j -4 addr` fails there, and run again",
    )
}

/// S19: Docker forbids `live-restore` in a swarm.
pub(super) fn live_restore(host: &HostName) -> Refusal {
    refusal(
        "S19",
        Reach::Hosts(vec![host.clone()]),
        format!(
            "`live-restore` is on in the engine of {host}, and Docker lets no such engine into a swarm"
        ),
        vec![format!("{host}: LiveRestoreEnabled is true")],
        "set \"live-restore\": false in /etc/docker/daemon.json there and restart docker (its containers stop once)",
    )
}

/// S2: what looks like a ghost is alive under another name.
pub(super) fn not_dead(member: &Member, node: &Node, host: &HostName) -> Refusal {
    refusal(
        "S2",
        only(member),
        format!(
            "the roster's node {} has the name of {}, but it is {host}, which answers and says so: it is cut off or misnamed, not lost",
            node.id, member.host
        ),
        vec![
            format!(
                "roster: {} is called {}, {}",
                node.id, node.hostname, node.state
            ),
            format!("{host}: its node id is {}", node.id),
        ],
        "give the hosts their own names (`hostnamectl set-hostname`), or mend the link between them, and run again",
    )
}

/// S2: the ghost still counts, and without it the rest is no majority.
pub(super) fn ghost_holds_quorum(member: &Member, ghost: &Node, quorum: Quorum) -> Refusal {
    refusal(
        "S2",
        Reach::Layer,
        format!(
            "taking the lost manager {} ({}) off would leave fewer managers than a majority",
            ghost.id, member.host
        ),
        vec![quorum.says()],
        "bring back another manager first",
    )
}

/// S3: two nodes of one name, both at work.
pub(super) fn twins(view: &View<'_>, member: &Member) -> Refusal {
    let evidence = view
        .nodes
        .iter()
        .filter(|node| node.hostname == member.host.as_str())
        .map(|node| {
            format!(
                "roster: {} {} {} at {}",
                node.id, node.hostname, node.state, node.addr
            )
        })
        .collect();
    refusal(
        "S3",
        Reach::Layer,
        format!(
            "two nodes called {} are both ready: a clone of the machine, or two machines of one name",
            member.host
        ),
        evidence,
        "find out which machine is which (`docker info --format '{{.Swarm.NodeID}}'` on each), rename or remove the wrong one, and run again",
    )
}

/// S4: the host is in another swarm.
pub(super) fn foreign(view: &View<'_>, member: &Member) -> Refusal {
    refusal(
        "S4",
        Reach::Layer,
        format!(
            "{} is a member of another swarm; leaving it would delete what it holds of that one",
            member.host
        ),
        all_say(view.swarm, view.state),
        "when that swarm is no longer wanted, run `docker swarm leave` on the host by hand (for a manager `--force`, which deletes its copy of that swarm's state)",
    )
}

/// S4: hosts are workers of a swarm whose managers are none of the inventory's.
pub(super) fn managers_outside(
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

/// S4 or S5: several swarms have working managers among the hosts.
pub(super) fn split(swarm: &Swarm, state: &State, speakers: &[&Member]) -> Option<Refusal> {
    let mut clusters: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    let mut leaders: BTreeSet<&str> = BTreeSet::new();
    for member in speakers {
        let observed = swarm.observed(state, member);
        if let Here::Active { cluster, place, .. } = &observed.here {
            let id = cluster
                .as_ref()
                .map_or(&*place.trace.ca_sha256, |cluster| &*cluster.id);
            clusters.entry(id).or_default().push(member);
        }
        let nodes = observed.nodes().unwrap_or_default();
        leaders.extend(
            nodes
                .iter()
                .filter(|node| node.leader)
                .map(|node| &*node.id),
        );
    }
    if clusters.len() > 1 {
        return Some(several_swarms(swarm, state));
    }
    (leaders.len() > 1).then(|| {
        let mut evidence = all_say(swarm, state);
        evidence.extend(leaders.iter().map(|leader| format!("a roster has {leader} as its leader")));
        refusal(
            "S5",
            Reach::Layer,
            "the managers follow different leaders: one side was recovered with `--force-new-cluster`, or an election is under way".to_owned(),
            evidence,
            "run again in a minute; when it stays, decide which side to keep and let the other leave by hand",
        )
    })
}

/// S5, or S4 when only one of the swarms is at home here.
pub(super) fn several_swarms(swarm: &Swarm, state: &State) -> Refusal {
    let strangers = |member: &&Member| {
        let nodes = swarm.observed(state, member).nodes().unwrap_or_default();
        nodes.iter().any(|node| {
            !swarm
                .members
                .iter()
                .any(|member| super::table::is_called(&node.hostname, member.host.as_str()))
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

/// S7: a manager by its own word, which the other managers have taken off the roster.
pub(super) fn manager_taken_off(view: &View<'_>, member: &Member) -> Refusal {
    refusal(
        "S7",
        only(member),
        format!(
            "{} takes itself for a manager, but the managers no longer list it",
            member.host
        ),
        all_say(view.swarm, view.state),
        "its copy of the swarm's state leads nowhere; look at it, run `docker swarm leave --force` there, and run again to join it",
    )
}

/// S8: autolock.
pub(super) fn locked(member: &Member) -> Refusal {
    refusal(
        "S8",
        only(member),
        format!(
            "the swarm's state on {} is locked, and only the unlock key opens it",
            member.host
        ),
        vec![format!("{}: LocalNodeState is locked", member.host)],
        "run `docker swarm unlock` there (the key: `docker swarm unlock-key` on a manager that is not locked), and run again; never `leave --force`, which deletes the only local copy",
    )
}

/// S9: the engine gave up its membership.
pub(super) fn broken(member: &Member, error: &str) -> Refusal {
    refusal(
        "S9",
        only(member),
        format!(
            "the engine of {} has given up its membership: {error}",
            member.host
        ),
        vec![format!("{}: {error}", member.host)],
        "check the clock first (an expired certificate may only look so). When the membership is lost: `docker swarm leave --force` there, and run again; provision then takes the old node off the roster and joins the host anew",
    )
}

/// S10: members are seen, but no manager has a quorum.
pub(super) fn no_quorum(swarm: &Swarm, state: &State) -> Refusal {
    let mut evidence = all_say(swarm, state);
    for member in &swarm.members {
        if let Some(roster) = &swarm.observed(state, member).roster {
            let why = match roster {
                crate::probe::Seen::Is(roster) => &roster.error,
                crate::probe::Seen::Unknown(why) => why,
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

/// S11: one more manager could cost the quorum.
pub(super) fn cannot_grow(member: &Member, quorum: Quorum) -> Refusal {
    refusal(
        "S11",
        Reach::Here,
        format!(
            "with {} as one more manager the quorum would be {}, and it would be lost if {} did not come up",
            member.host,
            majority(quorum.managers + 1),
            member.host
        ),
        vec![quorum.says()],
        "bring back the managers that do not answer first",
    )
}

/// S11: one manager less would cost the quorum.
pub(super) fn cannot_shrink(member: &Member, quorum: Quorum) -> Refusal {
    refusal(
        "S11",
        Reach::Here,
        format!(
            "making a worker of the manager {} could cost the quorum",
            member.host
        ),
        vec![quorum.says()],
        "bring back the managers that do not answer first",
    )
}

/// S12: an advertise address cannot be edited.
pub(super) fn other_address(member: &Member, addr: &str) -> Refusal {
    refusal(
        "S12",
        Reach::Here,
        format!(
            "{} is in the swarm as {addr}, but the inventory says {}; the address of a member cannot be changed",
            member.host, member.addr
        ),
        vec![format!("{}: NodeAddr is {addr}", member.host)],
        "when the inventory is right: one host at a time, `docker node demote` it from another manager, `docker swarm leave` on it, and run again; otherwise set its `advertise_address`",
    )
}

/// S14: a setting that is fixed when the swarm is founded.
pub(super) fn fixed(setting: &str, has: &str, declared: &str) -> Refusal {
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
pub(super) fn even_managers(swarm: &Swarm) -> Option<Advice> {
    let managers = swarm.managers().count();
    managers.is_multiple_of(2).then(|| Advice {
        code: "S11".to_owned(),
        host: None,
        text: format!(
            "{managers} managers need {} for a quorum and bear the loss of {}, no more than {} would: make it {} or {}",
            majority(managers),
            managers - majority(managers),
            managers - 1,
            managers - 1,
            managers + 1
        ),
    })
}
