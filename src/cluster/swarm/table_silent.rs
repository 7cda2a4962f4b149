//! A membership is seen, but no manager tells the roster: S4, S5, S7, S8, S9 and S10.

use super::quorum::{majority, until_led};
use super::state::{Here, Place};
use super::table::refused;
use super::{CONTROL_PORT, Member, State, Swarm, refuse};
use crate::plan::{Advice, Claim, Decision, Expect, Reach, Wait};
use crate::probe::Query;
use std::collections::BTreeSet;

/// Waits for what may come back by itself; otherwise says why nothing can be done.
pub(super) fn decide(swarm: &Swarm, state: &State) -> Decision {
    let identities: BTreeSet<&str> = swarm
        .members
        .iter()
        .filter_map(|member| swarm.observed(state, member).here.trace())
        .map(|trace| &*trace.ca_sha256)
        .filter(|ca| !ca.is_empty())
        .collect();
    if identities.len() > 1 {
        return refused(refuse::several_swarms(swarm, state));
    }
    if let Some(strangers) = only_managers_outside(swarm, state) {
        return refused(refuse::managers_outside(swarm, state, &strangers));
    }
    let mut decision = Decision::default();
    for member in &swarm.members {
        let observed = swarm.observed(state, member);
        match &observed.here {
            Here::Stopped { .. } | Here::Pending(_) => decision.waits.push(Wait {
                what: format!("{} {}", member.host, observed.here.says()),
                until: Claim::new(
                    &member.host,
                    Query::Docker,
                    Expect::SwarmMember { manager: false },
                ),
                deadline_s: 300,
            }),
            Here::Locked(_) => decision.refusals.push(refuse::locked(member)),
            Here::Broken { error, .. } => decision.refusals.push(refuse::broken(member, error)),
            Here::Silent(_) | Here::Absent { .. } | Here::Active { .. } => {}
        }
    }
    let mut refusal = refuse::no_quorum(swarm, state);
    if decision.waits.is_empty() {
        if let Some(election) = election(swarm, state) {
            decision.waits.push(election);
            refusal.reach = Reach::LayerAfterWaits;
        }
        decision.refusals.push(refusal);
    } else {
        // The ones that are on their way may be what the quorum lacks.
        decision.advice.push(Advice {
            code: refusal.code,
            host: None,
            text: format!(
                "{}; waiting for the engines that are on their way",
                refusal.because
            ),
        });
    }
    decision
}

/// Enough managers run: they may be about to elect a leader, as they do for seconds after one of them comes back from a
/// cut, whose later term deposes the leader (seen with 26.1).
fn election(swarm: &Swarm, state: &State) -> Option<Wait> {
    let electors = electors(swarm, state);
    let (first, place) = electors.first()?;
    may_elect(swarm, state).then(|| {
        let what = format!(
            "{} managers run, and the swarm has no leader: they may be electing one",
            electors.len()
        );
        until_led(&first.host, &place.node_id, what)
    })
}

/// Whether the managers that run are enough for an election.
pub(super) fn may_elect(swarm: &Swarm, state: &State) -> bool {
    electors(swarm, state).len() >= majority(swarm.managers().count())
}

fn electors<'a>(swarm: &'a Swarm, state: &'a State) -> Vec<(&'a Member, &'a Place)> {
    let managers = swarm.managers();
    managers
        .filter_map(|member| match &swarm.observed(state, member).here {
            Here::Active {
                manager: true,
                place,
                ..
            } => Some((member, place)),
            _ => None,
        })
        .collect()
}

/// The managers that the memberships name, when none of them is a host of the inventory.
fn only_managers_outside(swarm: &Swarm, state: &State) -> Option<BTreeSet<String>> {
    let mut named = BTreeSet::new();
    for member in &swarm.members {
        let here = &swarm.observed(state, member).here;
        if matches!(here, Here::Active { manager: true, .. } | Here::Locked(_)) {
            return None;
        }
        named.extend(
            here.trace()
                .into_iter()
                .flat_map(|trace| trace.managers.clone()),
        );
        named.extend(
            here.place()
                .into_iter()
                .flat_map(|place| place.managers.clone()),
        );
    }
    let inside = |peer: &String| {
        swarm
            .members
            .iter()
            .any(|member| *peer == format!("{}:{CONTROL_PORT}", member.addr))
    };
    (!named.is_empty() && !named.iter().any(inside)).then_some(named)
}
