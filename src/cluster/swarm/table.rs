//! The decision table: which case the whole swarm is in, and which row each host.
//!
//! The codes (S0, S1 …) are those of `docs/swarm.md`.

use super::state::Here;
use super::view::View;
use super::{Member, State, Swarm, refuse, steps};
use crate::plan::{Claim, Decision, Expect, Refusal};
use crate::probe::Query;
use crate::probe::docker::Node;

/// What follows from what the hosts told.
pub(super) fn decide(swarm: &Swarm, state: &State) -> Decision {
    let speakers = speakers(swarm, state);
    let Some(first) = speakers.first().copied() else {
        let traces = |member: &Member| swarm.observed(state, member).here.trace().is_some();
        return if swarm.members.iter().any(traces) {
            super::table_silent::decide(swarm, state)
        } else {
            super::found::decide(swarm, state)
        };
    };
    if let Some(decision) = refuse::split(swarm, state, &speakers) {
        return decision;
    }
    steps::decide(&view(swarm, state, speakers, first))
}

/// The members that have the roster, in the order of the inventory.
pub(super) fn speakers<'a>(swarm: &'a Swarm, state: &State) -> Vec<&'a Member> {
    let told = |member: &&Member| swarm.observed(state, member).nodes().is_some();
    swarm.members.iter().filter(told).collect()
}

/// The swarm as `first`, one of those who have the roster, tells it.
pub(super) fn view<'a>(
    swarm: &'a Swarm,
    state: &'a State,
    speakers: Vec<&'a Member>,
    first: &'a Member,
) -> View<'a> {
    let observed = swarm.observed(state, first);
    let (cluster, ca) = match &observed.here {
        Here::Active { place, cluster, .. } => (cluster.as_ref(), &*place.trace.ca_sha256),
        _ => (None, ""),
    };
    View {
        swarm,
        state,
        nodes: observed.nodes().unwrap_or_default(),
        speakers,
        cluster,
        ca,
    }
}

/// A decision that is one refusal.
pub(super) fn refused(refusal: Refusal) -> Decision {
    Decision {
        refusals: vec![refusal],
        ..Decision::default()
    }
}

/// The row of the table that a host is in, given a swarm whose managers answer.
pub(super) enum Row<'a> {
    /// It did not answer: nothing is planned for it, and nothing is concluded from it.
    Silent,
    /// S6: a member. It may still be on its way: starting, or not seen by the managers yet.
    Member {
        node: &'a Node,
        coming: Option<Coming>,
    },
    /// S7: a membership that the managers do not list, or not clearly, and that is on its way.
    Returning(Coming),
    /// S1, and S2 when the roster still has what it was before.
    New { assumed: Option<&'a str> },
    /// S7: a membership that the managers have taken off the roster.
    Stale,
    /// S2, S3, S4, S7, S8, S9, S19: a person decides.
    Refused(Refusal),
}

/// Something that only needs time.
pub(super) struct Coming {
    pub what: String,
    pub until: Claim,
    pub deadline_s: u64,
}

/// Which row `member` is in.
pub(super) fn row<'a>(view: &View<'a>, member: &'a Member) -> Row<'a> {
    let observed = view.observed(member);
    if view
        .entries(member)
        .filter(|node| node.state == "ready")
        .count()
        > 1
    {
        return Row::Refused(refuse::twins(view, member));
    }
    match &observed.here {
        Here::Silent(_) => Row::Silent,
        Here::Absent {
            live_restore: true, ..
        } => Row::Refused(refuse::live_restore(&member.host)),
        Here::Absent { assumed, .. } => match view.alive_elsewhere(member) {
            Some((node, host)) => Row::Refused(refuse::not_dead(member, node, host)),
            None => Row::New {
                assumed: assumed.as_deref(),
            },
        },
        Here::Stopped { trace, .. } if view.is_foreign(trace) => foreign(view, member),
        Here::Stopped { silent, .. } => {
            let what = format!(
                "{}: {silent}; it is a member by its disk, and comes back when the engine does; when that stays, look at `journalctl -u docker` there",
                member.host
            );
            view.returning(view.only_entry(member), coming_back(member, what))
        }
        Here::Pending(place) if view.is_foreign(&place.trace) => foreign(view, member),
        Here::Pending(place) => {
            let what = format!(
                "{} is joining or starting; when it does not arrive, look at `docker info` there, the ports 2377/tcp, 7946 and the clocks",
                member.host
            );
            view.returning(view.arriving(member, place), coming_back(member, what))
        }
        Here::Locked(place) if view.is_foreign(&place.trace) => foreign(view, member),
        Here::Locked(_) => Row::Refused(refuse::locked(member)),
        Here::Broken { place, .. } if view.is_foreign(&place.trace) => foreign(view, member),
        Here::Broken { place, error } => {
            if view.took_off(place) {
                Row::Stale
            } else {
                Row::Refused(refuse::broken(member, error))
            }
        }
        Here::Active { place, manager, .. } => match view.node(&place.node_id) {
            Some(node) => Row::Member {
                node,
                coming: view.not_seen_yet(member, node),
            },
            None if !view.took_off(place) => foreign(view, member),
            None if *manager => Row::Refused(refuse::manager_taken_off(view, member)),
            None => Row::Stale,
        },
    }
}

fn foreign<'a>(view: &View<'a>, member: &Member) -> Row<'a> {
    Row::Refused(refuse::foreign(view, member))
}

fn coming_back(member: &Member, what: String) -> Coming {
    Coming {
        what,
        until: Claim::new(
            &member.host,
            Query::Docker,
            Expect::SwarmMember { manager: false },
        ),
        deadline_s: 300,
    }
}
