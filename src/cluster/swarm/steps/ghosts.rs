//! S2: what a host was before it was replaced or left is taken off the roster: first its vote, then its entry.

use super::{NOTICE_S, Plan};
use crate::cluster::swarm::table::Row;
use crate::cluster::swarm::{Member, refuse};
use crate::plan::{Act, Claim, Class, Expect, Step, StepId, SwarmAct};
use crate::probe::Query;
use crate::probe::docker::Node;

impl<'a> Plan<'a> {
    /// S2: what a host was before it was replaced, or before it left.
    pub(super) fn clear_ghosts(&mut self, rows: &[(&'a Member, Row<'a>)]) {
        let ghosts: Vec<(&'a Member, Vec<&'a Node>)> = rows
            .iter()
            .map(|(member, row)| (*member, self.view.ghosts(member, row)))
            .collect();
        for (member, ghosts) in &ghosts {
            for (left, ghost) in ghosts
                .iter()
                .enumerate()
                .map(|(n, ghost)| (ghosts.len() - n, ghost))
            {
                if ghost.votes() && !self.stopped.contains(&member.host) {
                    self.demote_ghost(member, ghost, left);
                }
            }
        }
        for (member, ghosts) in &ghosts {
            for (left, ghost) in ghosts
                .iter()
                .enumerate()
                .map(|(n, ghost)| (ghosts.len() - n, ghost))
            {
                if !self.stopped.contains(&member.host) {
                    self.forget(member, ghost, left);
                }
            }
        }
    }

    fn wait_until_down(&mut self, member: &Member, ghost: &Node) -> Claim {
        let down = self.roster(Expect::NodeDown(ghost.id.clone()));
        if !ghost.is_down() {
            let what = format!(
                "{} is not in the swarm, but the managers still take its former node {} for alive; when that stays, another machine uses its name",
                member.host, ghost.id
            );
            self.wait(what, down.clone(), NOTICE_S);
        }
        down
    }

    /// Ruling 6: noted before anything else is done for the host, so that a run that breaks off anywhere is followed by
    /// one that joins it drained, and activates it at its end.
    fn mark(&mut self, member: &'a Member) {
        let noted = Claim::new(&member.host, Query::Docker, Expect::DrainMarked(true));
        let begun = self.left.contains_key(&member.host);
        if begun || !self.back.contains(&member.host) || self.view.observed(member).marked {
            return;
        }
        let step = Step::new(
            StepId::new(&["swarm", "mark", member.host.as_str()]),
            &member.host,
            Class::Repair,
            "it comes back to a swarm at work: no task is put on it until its layers are well, and this note tells that drain from a person's",
            Act::Swarm(SwarmAct::Mark),
        );
        self.push(member, step.done(noted));
    }

    fn demote_ghost(&mut self, member: &'a Member, ghost: &Node, left: usize) {
        let worker = self.roster(Expect::NodeIsWorker(ghost.id.clone()));
        if ghost.role != "manager" {
            let what = format!(
                "the vote of the lost manager {} ({}) is being taken away",
                ghost.id, member.host
            );
            self.wait(what, worker, NOTICE_S);
            self.quorum.drop_lost();
            return;
        }
        if !self.quorum.may_drop_lost() {
            self.decision
                .refusals
                .push(refuse::ghost_holds_quorum(member, ghost, self.quorum));
            self.stopped.insert(&member.host);
            return;
        }
        self.quorum.drop_lost();
        let down = self.wait_until_down(member, ghost);
        self.mark(member);
        let step = Step::new(
            numbered("demote-lost", member, left),
            &member.host,
            Class::Repair,
            format!(
                "the manager {} that {} was is lost, and still counts in the quorum",
                ghost.id, member.host
            ),
            Act::Swarm(SwarmAct::Demote {
                id: ghost.id.clone(),
            }),
        );
        let via = self.any_manager(member);
        self.push(member, step.via(via).need(down).done(worker));
    }

    fn forget(&mut self, member: &'a Member, ghost: &Node, left: usize) {
        let down = if ghost.votes() {
            self.roster(Expect::NodeDown(ghost.id.clone()))
        } else {
            self.wait_until_down(member, ghost)
        };
        self.mark(member);
        let step = Step::new(
            numbered("forget", member, left),
            &member.host,
            Class::Repair,
            format!(
                "the roster still lists {}, which {} was before it was replaced or left",
                ghost.id, member.host
            ),
            Act::Swarm(SwarmAct::Forget {
                id: ghost.id.clone(),
            }),
        )
        .need(down)
        .need(self.roster(Expect::NodeIsWorker(ghost.id.clone())))
        .done(self.roster(Expect::NodeGone(ghost.id.clone())));
        let via = self.any_manager(member);
        self.push(member, step.via(via));
    }
}

/// Several ghosts of one host are counted down, so that what is left keeps its ids.
fn numbered(verb: &str, member: &Member, left: usize) -> StepId {
    match left {
        1 => StepId::new(&["swarm", verb, member.host.as_str()]),
        _ => StepId::new(&["swarm", verb, member.host.as_str(), &left.to_string()]),
    }
}
