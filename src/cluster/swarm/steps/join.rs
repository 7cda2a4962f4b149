//! S1 and S7: hosts that are not in the swarm join it; those whose membership leads nowhere leave it first.

use super::Plan;
use crate::cluster::swarm::table::Row;
use crate::cluster::swarm::{CONTROL_PORT, Member, drift, refuse};
use crate::plan::{Act, Claim, Class, Expect, Step, StepId, SwarmAct};
use crate::probe::Query;

impl<'a> Plan<'a> {
    /// S7: the managers have taken the node off the roster, so its own membership leads nowhere.
    pub(super) fn leave_stale(&mut self, rows: &[(&'a Member, Row<'a>)]) {
        for (member, _) in rows.iter().filter(|(_, row)| matches!(row, Row::Stale)) {
            let Some(place) = self.view.observed(member).here.place() else {
                continue;
            };
            if self.stopped.contains(&member.host) {
                continue;
            }
            let step = Step::new(
                StepId::new(&["swarm", "leave", member.host.as_str()]),
                &member.host,
                Class::Repair,
                format!("the managers no longer list its node {}", place.node_id),
                Act::Swarm(SwarmAct::Leave),
            )
            .need(self.roster(Expect::NodeGone(place.node_id.clone())))
            .done(Claim::new(&member.host, Query::Docker, Expect::NoSwarm));
            self.push(member, step);
        }
    }

    /// S1, and the end of S2 and S7.
    pub(super) fn join(&mut self, rows: &[(&'a Member, Row<'a>)], managers: bool) {
        for (member, row) in rows {
            let assumed = match row {
                Row::New { assumed } => *assumed,
                Row::Stale => None,
                _ => continue,
            };
            if member.manager != managers || self.stopped.contains(&member.host) {
                continue;
            }
            if managers && !self.quorum.may_grow() {
                self.decision
                    .refusals
                    .push(refuse::cannot_grow(member, self.quorum));
                self.stopped.insert(&member.host);
                continue;
            }
            if managers {
                self.quorum.grow();
                self.witnesses.push(&member.host);
            }
            let drained = self.back.contains(&member.host);
            let why = if drained {
                "it is not in the swarm; no task is put on it until its layers are well"
            } else {
                "it is not in the swarm"
            };
            let from = &self.view.speakers;
            let mut step = join(member, from, assumed, why.to_owned(), drained);
            if managers {
                step = step.need(self.roster(Expect::CanAddManager));
            }
            self.push(member, step);
        }
    }
}

/// The assumption that a host is in no swarm.
pub(in crate::cluster::swarm) fn assumption(member: &Member, why: &str) -> String {
    format!("{} is in no swarm: {why}", member.host)
}

/// How a host says that it has joined.
pub(in crate::cluster::swarm) fn joined(member: &Member) -> Claim {
    if member.manager {
        let expect = Expect::NodeAtReady {
            addr: member.addr.clone(),
            manager: true,
        };
        Claim::new(&member.host, Query::SwarmNodes, expect)
    } else {
        // A worker has no roster, and the address that managers see it at need not be the advertised one.
        Claim::new(
            &member.host,
            Query::Docker,
            Expect::SwarmMember { manager: false },
        )
    }
}

/// Always of class `Create`: once the ghost is forgotten, nothing tells a return from a first join.
pub(in crate::cluster::swarm) fn join(
    member: &Member,
    from: &[&Member],
    assumed: Option<&str>,
    why: String,
    drained: bool,
) -> Step {
    let act = Act::Swarm(SwarmAct::Join {
        manager: member.manager,
        advertise_addr: member.addr.clone(),
        remote_addrs: from
            .iter()
            .map(|peer| format!("{}:{CONTROL_PORT}", peer.addr))
            .collect(),
        token_from: from.iter().map(|peer| peer.host.clone()).collect(),
        drained,
    });
    let mut step = Step::new(
        StepId::new(&["swarm", "join", member.host.as_str()]),
        &member.host,
        Class::Create,
        why,
        act,
    )
    .need(Claim::new(&member.host, Query::Docker, Expect::EngineRuns))
    .need(Claim::new(&member.host, Query::Docker, Expect::NoSwarm))
    .done(joined(member));
    if let Some(why) = assumed {
        step = step.assume(assumption(member, why));
    }
    step
}

/// The labels of a host that has yet to join.
pub(in crate::cluster::swarm) fn first_labels(member: &Member, via: &[&Member]) -> Option<Step> {
    let name = member.host.as_str();
    (!member.labels.is_empty()).then(|| {
        drift::label(member, (name, name), member.labels.clone(), via).need(Claim::new(
            &member.host,
            Query::Docker,
            Expect::SwarmMember { manager: false },
        ))
    })
}
