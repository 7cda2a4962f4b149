//! The end of a host's return (ruling 6): tasks may run on it again once all layers are well. Only hosts with provision's
//! own note are activated: a drain without it is a person's.

use super::table::{self, Row};
use super::view::View;
use super::{Member, State, Swarm};
use crate::plan::{Act, Claim, Class, Decision, Expect, Step, StepId, SwarmAct, Via};
use crate::probe::Query;

/// What is left to do for the hosts that came back.
pub(super) fn decide(swarm: &Swarm, state: &State) -> Decision {
    let mut decision = Decision::default();
    let speakers = table::speakers(swarm, state);
    let Some(first) = speakers.first().copied() else {
        return decision;
    };
    let view = table::view(swarm, state, speakers, first);
    for member in &swarm.members {
        let marked = view.observed(member).marked;
        match table::row(&view, member) {
            Row::Member { node, .. } if marked && node.availability == "active" => {
                decision.steps.push(unmark(member));
            }
            Row::Member { node, .. } if marked => {
                decision.steps.extend(activate(&view, member, &node.id));
            }
            row if view.comes_back(member, &row) => {
                // Its id is not known yet; its name is its own again once the old entry is gone.
                decision
                    .steps
                    .extend(activate(&view, member, member.host.as_str()));
            }
            _ => {}
        }
    }
    decision
}

/// First the node, then the note: in the other order a crash between them would leave a drain that nobody owns.
fn activate(view: &View<'_>, member: &Member, id: &str) -> [Step; 2] {
    let active = Claim::new(
        view.speaker(),
        Query::SwarmNodes,
        Expect::NodeActive(id.to_owned()),
    );
    let speakers = view.speakers.iter().map(|speaker| speaker.host.clone());
    let step = Step::new(
        StepId::new(&["swarm", "activate", member.host.as_str()]),
        &member.host,
        Class::Repair,
        "it joined drained, and its layers are well again",
        Act::Swarm(SwarmAct::Activate { id: id.to_owned() }),
    )
    .via(Via::AnyManager(speakers.collect()))
    .need(Claim::new(
        &member.host,
        Query::Docker,
        Expect::SwarmMember { manager: false },
    ))
    .need(Claim::new(
        &member.host,
        Query::Docker,
        Expect::DrainMarked(true),
    ))
    .done(active.clone());
    [step, unmark(member).need(active)]
}

fn unmark(member: &Member) -> Step {
    Step::new(
        StepId::new(&["swarm", "unmark", member.host.as_str()]),
        &member.host,
        Class::Repair,
        "tasks may run on it: the note of its drain has served",
        Act::Swarm(SwarmAct::Unmark),
    )
    .done(Claim::new(
        &member.host,
        Query::Docker,
        Expect::DrainMarked(false),
    ))
}
