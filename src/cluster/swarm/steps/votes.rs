//! S11: members with another role than the inventory gives them, one at a time and never at the quorum's cost.

use super::{NOTICE_S, Plan};
use crate::cluster::swarm::drift::{self, Drift};
use crate::cluster::swarm::table::Row;
use crate::cluster::swarm::{Member, refuse};
use crate::plan::{Act, Claim, Class, Expect, Step, StepId, SwarmAct};
use crate::probe::Query;

impl<'a> Plan<'a> {
    /// S11: a worker that should be a manager.
    pub(super) fn promote(&mut self, rows: &[(&'a Member, Row<'a>)]) {
        for (member, drift) in drifts(rows) {
            let Drift::Promote(node) = drift else {
                continue;
            };
            let worker = self.roster(Expect::NodeIsWorker(node.id.clone()));
            if node.votes() {
                // Its vote is being taken away; only after that it can be given one again.
                self.wait(being_made_a_worker(member), worker.clone(), NOTICE_S);
                self.quorum.drop_live();
            }
            if !self.quorum.may_grow() {
                self.decision
                    .refusals
                    .push(refuse::cannot_grow(member, self.quorum));
                continue;
            }
            self.quorum.grow();
            self.witnesses.push(&member.host);
            let step = Step::new(
                StepId::new(&["swarm", "promote", member.host.as_str()]),
                &member.host,
                Class::Repair,
                "it is a worker, and the inventory has it among the managers",
                Act::Swarm(SwarmAct::Promote {
                    id: node.id.clone(),
                }),
            )
            .need(worker)
            .need(self.roster(Expect::CanAddManager))
            .done(Claim::new(
                &member.host,
                Query::Docker,
                Expect::SwarmMember { manager: true },
            ));
            let via = self.any_manager(member);
            self.push(member, step.via(via));
        }
    }

    /// S11: a manager that should be a worker.
    pub(super) fn demote(&mut self, rows: &[(&'a Member, Row<'a>)]) {
        for (member, drift) in drifts(rows) {
            let Drift::Demote(node) = drift else { continue };
            // It will have no roster any more; without another manager nobody could say that it is done.
            let witness = self
                .witnesses
                .iter()
                .copied()
                .find(|host| **host != member.host);
            let Some(witness) = witness.filter(|_| self.quorum.may_drop_live()) else {
                let refusal = refuse::cannot_shrink(member, self.quorum);
                self.decision.refusals.push(refusal);
                continue;
            };
            let worker = Claim::new(
                witness,
                Query::SwarmNodes,
                Expect::NodeIsWorker(node.id.clone()),
            );
            if node.role != "manager" {
                self.wait(being_made_a_worker(member), worker.clone(), NOTICE_S);
                self.gate.push(worker);
                self.quorum.drop_live();
                continue;
            }
            self.quorum.drop_live();
            // A working manager loses its control plane: for the health gate that is an interruption.
            let step = Step::new(
                StepId::new(&["swarm", "demote", member.host.as_str()]),
                &member.host,
                Class::Restart,
                "it is a manager, and the inventory has it among the workers",
                Act::Swarm(SwarmAct::Demote {
                    id: node.id.clone(),
                }),
            )
            .need(self.roster(Expect::CanDropManager))
            .done(worker);
            let via = self.any_manager(member);
            self.push(member, step.via(via));
        }
    }
}

/// A host that loses power in the seconds after its demotion comes back with a vote that the managers count as
/// unreachable, and that no second demotion takes away (seen with engine 26.1: the demoted manager starts
/// with its old certificate and joins the raft once more).
fn being_made_a_worker(member: &Member) -> String {
    format!(
        "{0} is being made a worker; when its vote stays (its power was lost in the middle), run `docker swarm leave` on {0} and run again",
        member.host
    )
}

fn drifts<'r, 'a>(
    rows: &'r [(&'a Member, Row<'a>)],
) -> impl Iterator<Item = (&'a Member, Drift<'a>)> + 'r {
    rows.iter().filter_map(|(member, row)| match row {
        Row::Member { node, .. } => Some((*member, drift::role(member, node))),
        _ => None,
    })
}
