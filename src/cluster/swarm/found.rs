//! S0 and S18: no trace of a swarm is seen anywhere. Founding one is allowed only when every host answered.

use super::state::Here;
use super::table::refused;
use super::{Member, State, Swarm, networks, refuse, steps};
use crate::plan::{Act, Claim, Class, Decision, Expect, Step, StepId, SwarmAct};
use crate::probe::Query;

/// Founds the swarm on the first manager, and joins all others; or says why not.
pub(super) fn decide(swarm: &Swarm, state: &State) -> Decision {
    let mut decision = Decision::default();
    decision.advice.extend(refuse::even_managers(swarm));
    if let Some(refusal) = obstacle(swarm, state) {
        let mut only = refused(refusal);
        only.advice = decision.advice;
        return only;
    }
    let Some(founder) = swarm.managers().next() else {
        return decision;
    };
    decision.steps.push(init(swarm, state, founder));
    let from = [founder];
    for member in swarm.members.iter().skip(1) {
        let why = format!("it is in no swarm yet, and {} founds one", founder.host);
        let mut step = steps::join(member, &from, assumed(swarm, state, member), why, false)
            .need(steps::joined(founder));
        if member.manager {
            let roster = Query::SwarmNodes;
            step = step.need(Claim::new(&founder.host, roster, Expect::CanAddManager));
        }
        decision.steps.push(step);
    }
    for member in &swarm.members {
        decision.steps.extend(steps::first_labels(member, &from));
    }
    decision
}

fn obstacle(swarm: &Swarm, state: &State) -> Option<crate::plan::Refusal> {
    let silent = |member: &Member| matches!(swarm.observed(state, member).here, Here::Silent(_));
    if swarm.members.iter().any(silent) {
        return Some(refuse::may_hold_a_swarm(swarm, state));
    }
    for member in &swarm.members {
        if let Here::Absent {
            live_restore: true, ..
        } = swarm.observed(state, member).here
        {
            return Some(refuse::live_restore(&member.host));
        }
    }
    let unknown = networks::unknown(swarm, state);
    if !unknown.is_empty() {
        return Some(refuse::networks_unknown(unknown));
    }
    let overlaps = networks::overlaps(swarm, state, &networks::pools(swarm));
    (!overlaps.is_empty()).then(|| refuse::pool_overlaps(swarm, overlaps))
}

fn assumed<'a>(swarm: &Swarm, state: &'a State, member: &Member) -> Option<&'a str> {
    match &swarm.observed(state, member).here {
        Here::Absent { assumed, .. } => assumed.as_deref(),
        _ => None,
    }
}

fn init(swarm: &Swarm, state: &State, founder: &Member) -> Step {
    let act = Act::Swarm(SwarmAct::Init {
        advertise_addr: founder.addr.clone(),
        data_path_port: swarm.data_path_port,
        default_addr_pool: networks::founding(swarm)
            .iter()
            .map(ToString::to_string)
            .collect(),
        subnet_size: swarm.subnet_size,
    });
    let mut step = Step::new(
        StepId::new(&["swarm", "init"]),
        &founder.host,
        Class::Found,
        format!(
            "all {} hosts answered, and none is in a swarm or has a trace of one",
            swarm.members.len()
        ),
        act,
    )
    .need(Claim::new(&founder.host, Query::Docker, Expect::EngineRuns));
    for member in &swarm.members {
        step = step.need(Claim::new(&member.host, Query::Docker, Expect::NoSwarm));
        if let Some(why) = assumed(swarm, state, member) {
            step = step.assume(steps::assumption(member, why));
        }
    }
    step.done(steps::joined(founder))
}
