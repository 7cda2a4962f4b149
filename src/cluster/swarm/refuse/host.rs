//! Refusals about one host: S2, S3, S4, S7, S8, S9, S11, S12, S19.

use super::{all_say, only, refusal};
use crate::cluster::swarm::Member;
use crate::cluster::swarm::quorum::{Quorum, majority};
use crate::cluster::swarm::view::View;
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::docker::Node;

/// S19: Docker forbids `live-restore` in a swarm.
pub(in crate::cluster::swarm) fn live_restore(host: &HostName) -> Refusal {
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
pub(in crate::cluster::swarm) fn not_dead(
    member: &Member,
    node: &Node,
    host: &HostName,
) -> Refusal {
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
pub(in crate::cluster::swarm) fn ghost_holds_quorum(
    member: &Member,
    ghost: &Node,
    quorum: Quorum,
) -> Refusal {
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
pub(in crate::cluster::swarm) fn twins(view: &View<'_>, member: &Member) -> Refusal {
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
pub(in crate::cluster::swarm) fn foreign(view: &View<'_>, member: &Member) -> Refusal {
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

/// S7: a manager by its own word, which the other managers have taken off the roster.
pub(in crate::cluster::swarm) fn manager_taken_off(view: &View<'_>, member: &Member) -> Refusal {
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
pub(in crate::cluster::swarm) fn locked(member: &Member) -> Refusal {
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
pub(in crate::cluster::swarm) fn broken(member: &Member, error: &str) -> Refusal {
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

/// S11: one more manager could cost the quorum.
pub(in crate::cluster::swarm) fn cannot_grow(member: &Member, quorum: Quorum) -> Refusal {
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
pub(in crate::cluster::swarm) fn cannot_shrink(member: &Member, quorum: Quorum) -> Refusal {
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
pub(in crate::cluster::swarm) fn other_address(member: &Member, addr: &str) -> Refusal {
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
