//! What follows when the managers answer: steps in fixed phases, each judged by the quorum that those
//! before it leave, so that the plan after one step is the rest of the plan before it.

use super::drift::Drift;
use super::quorum::Quorum;
use super::table::{Row, View, row};
use super::{CONTROL_PORT, Member, drift, refuse};
use crate::inventory::HostName;
use crate::plan::{Act, Claim, Class, Decision, Expect, Step, StepId, SwarmAct, Via, Wait};
use crate::probe::Query;
use crate::probe::docker::Node;
use std::collections::BTreeSet;

/// How long the managers may take to notice that a node is gone, or to hand a vote over, in seconds.
const NOTICE_S: u64 = 120;

/// The steps, waits, refusals and advice for a swarm whose managers answer.
pub(super) fn decide(view: &View<'_>) -> Decision {
    let rows: Vec<(&Member, Row<'_>)> = view
        .swarm
        .members
        .iter()
        .map(|member| (member, row(view, member)))
        .collect();
    let mut plan = Plan::new(view, &rows);
    plan.wait_for_members(&rows);
    plan.clear_ghosts(&rows);
    plan.leave_stale(&rows);
    for managers in [true, false] {
        plan.join(&rows, managers);
        if managers {
            plan.promote(&rows);
        }
    }
    plan.demote(&rows);
    for (member, row) in &rows {
        if !plan.stopped.contains(&member.host) {
            plan.decision.steps.extend(drift::labels(view, member, row));
        }
    }
    let mut decision = plan.decision;
    for (member, row) in rows {
        match row {
            Row::Refused(refusal) => decision.refusals.push(refusal),
            Row::Member { node, .. } => {
                drift::member(view, member, node, &mut decision);
            }
            _ => {}
        }
    }
    drift::whole(view, &mut decision);
    decision
}

struct Plan<'a> {
    view: &'a View<'a>,
    decision: Decision,
    quorum: Quorum,
    /// What a step that changes the number of votes must find true first.
    gate: Vec<Claim>,
    /// Hosts whose next step was refused: what builds on it is left out.
    stopped: BTreeSet<&'a HostName>,
}

impl<'a> Plan<'a> {
    fn new(view: &'a View<'a>, rows: &[(&'a Member, Row<'a>)]) -> Self {
        let returning: Vec<&str> = rows
            .iter()
            .filter_map(|(_, row)| match row {
                Row::Member {
                    node,
                    coming: Some(_),
                } => Some(&*node.id),
                _ => None,
            })
            .collect();
        let lost: Vec<&str> = rows
            .iter()
            .flat_map(|(member, row)| view.ghosts(member, row))
            .map(|node| &*node.id)
            .collect();
        Self {
            view,
            decision: Decision::default(),
            quorum: Quorum::of(view.nodes, &returning, &lost),
            gate: Vec::new(),
            stopped: BTreeSet::new(),
        }
    }

    /// Adds a step that changes the roster: after all that came before it, and before all that follow.
    fn push(&mut self, mut step: Step) {
        for claim in &self.gate {
            if !step.needs.contains(claim) {
                step.needs.push(claim.clone());
            }
        }
        self.gate.extend(step.done.clone());
        self.decision.steps.push(step);
    }

    fn wait(&mut self, what: String, until: Claim, deadline_s: u64) {
        self.decision.waits.push(Wait {
            what,
            until,
            deadline_s,
        });
    }

    fn roster(&self, expect: Expect) -> Claim {
        Claim::new(self.view.speaker(), Query::SwarmNodes, expect)
    }

    /// Preferably not the subject itself; it may be the only one that provision can reach.
    fn any_manager(&self, but: &Member) -> Via {
        let mut hosts: Vec<HostName> = self
            .view
            .speakers
            .iter()
            .map(|member| member.host.clone())
            .collect();
        hosts.sort_by_key(|host| *host == but.host);
        Via::AnyManager(hosts)
    }

    fn wait_for_members(&mut self, rows: &[(&'a Member, Row<'a>)]) {
        for (member, row) in rows {
            let (coming, votes) = match row {
                Row::Member {
                    node,
                    coming: Some(coming),
                } => (coming, node.votes()),
                Row::Returning(coming) => (coming, member.manager),
                _ => continue,
            };
            self.wait(coming.what.clone(), coming.until.clone(), coming.deadline_s);
            if votes {
                self.gate.push(coming.until.clone());
            }
        }
    }

    /// S2: what a host was before it was replaced, or before it left.
    fn clear_ghosts(&mut self, rows: &[(&'a Member, Row<'a>)]) {
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

    fn demote_ghost(&mut self, member: &'a Member, ghost: &Node, left: usize) {
        let worker = self.roster(Expect::NodeIsWorker(ghost.id.clone()));
        if ghost.role != "manager" {
            let what = format!(
                "the vote of the lost manager {} ({}) is being taken away",
                ghost.id, member.host
            );
            self.wait(what, worker.clone(), NOTICE_S);
            self.gate.push(worker);
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
        self.push(step.via(via).need(down).done(worker));
    }

    fn forget(&mut self, member: &'a Member, ghost: &Node, left: usize) {
        let down = if ghost.votes() {
            self.roster(Expect::NodeDown(ghost.id.clone()))
        } else {
            self.wait_until_down(member, ghost)
        };
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
        self.push(step.via(via));
    }

    /// S7: the managers have taken the node off the roster, so its own membership leads nowhere.
    fn leave_stale(&mut self, rows: &[(&'a Member, Row<'a>)]) {
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
            self.push(step);
        }
    }

    /// S1, and the end of S2 and S7.
    fn join(&mut self, rows: &[(&'a Member, Row<'a>)], managers: bool) {
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
            }
            let why = "it is not in the swarm".to_owned();
            self.push(join(member, &self.view.speakers, assumed, why));
        }
    }

    /// S11: a worker that should be a manager.
    fn promote(&mut self, rows: &[(&'a Member, Row<'a>)]) {
        for (member, drift) in drifts(rows) {
            let Drift::Promote(node) = drift else {
                continue;
            };
            if node.votes() {
                // Its vote is being taken away; only after that it can be given one again.
                let worker = self.roster(Expect::NodeIsWorker(node.id.clone()));
                self.wait(
                    format!("{} is being made a worker", member.host),
                    worker.clone(),
                    NOTICE_S,
                );
                self.gate.push(worker);
                self.quorum.drop_live();
            }
            if !self.quorum.may_grow() {
                self.decision
                    .refusals
                    .push(refuse::cannot_grow(member, self.quorum));
                continue;
            }
            self.quorum.grow();
            let step = Step::new(
                StepId::new(&["swarm", "promote", member.host.as_str()]),
                &member.host,
                Class::Repair,
                "it is a worker, and the inventory has it among the managers",
                Act::Swarm(SwarmAct::Promote {
                    id: node.id.clone(),
                }),
            )
            .done(Claim::new(
                &member.host,
                Query::Docker,
                Expect::SwarmMember { manager: true },
            ));
            let via = self.any_manager(member);
            self.push(step.via(via));
        }
    }

    /// S11: a manager that should be a worker.
    fn demote(&mut self, rows: &[(&'a Member, Row<'a>)]) {
        for (member, drift) in drifts(rows) {
            let Drift::Demote(node) = drift else { continue };
            let worker = self.roster(Expect::NodeIsWorker(node.id.clone()));
            if node.role != "manager" {
                self.wait(
                    format!("{} is being made a worker", member.host),
                    worker.clone(),
                    NOTICE_S,
                );
                self.gate.push(worker);
                self.quorum.drop_live();
                continue;
            }
            if !self.quorum.may_drop_live() {
                self.decision
                    .refusals
                    .push(refuse::cannot_shrink(member, self.quorum));
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
            .done(worker);
            let via = self.any_manager(member);
            self.push(step.via(via));
        }
    }
}

fn drifts<'r, 'a>(
    rows: &'r [(&'a Member, Row<'a>)],
) -> impl Iterator<Item = (&'a Member, Drift<'a>)> + 'r {
    rows.iter().filter_map(|(member, row)| match row {
        Row::Member { node, .. } => Some((*member, drift::role(member, node))),
        _ => None,
    })
}

/// Several ghosts of one host are counted down, so that what is left keeps its ids.
fn numbered(verb: &str, member: &Member, left: usize) -> StepId {
    match left {
        1 => StepId::new(&["swarm", verb, member.host.as_str()]),
        _ => StepId::new(&["swarm", verb, member.host.as_str(), &left.to_string()]),
    }
}

/// The assumption that a host is in no swarm.
pub(super) fn assumption(member: &Member, why: &str) -> String {
    format!("{} is in no swarm: {why}", member.host)
}

/// How a host says that it has joined.
pub(super) fn joined(member: &Member) -> Claim {
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
pub(super) fn join(member: &Member, from: &[&Member], assumed: Option<&str>, why: String) -> Step {
    let act = Act::Swarm(SwarmAct::Join {
        manager: member.manager,
        advertise_addr: member.addr.clone(),
        remote_addrs: from
            .iter()
            .map(|peer| format!("{}:{CONTROL_PORT}", peer.addr))
            .collect(),
        token_from: from.iter().map(|peer| peer.host.clone()).collect(),
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
pub(super) fn first_labels(member: &Member, via: &[&Member]) -> Option<Step> {
    (!member.labels.is_empty()).then(|| {
        drift::label(member, member.host.as_str(), member.labels.clone(), via).need(Claim::new(
            &member.host,
            Query::Docker,
            Expect::SwarmMember { manager: false },
        ))
    })
}
