//! What follows when the managers answer: steps in fixed phases, each judged by the quorum that those
//! before it leave, so that the plan after one step is the rest of the plan before it.

mod ghosts;
mod join;
mod votes;

pub(super) use join::{assumption, first_labels, join, joined};

use super::quorum::{Fate, Quorum};
use super::table::{Row, row};
use super::view::View;
use super::{Member, drift};
use crate::inventory::HostName;
use crate::plan::{Claim, Decision, Expect, Reach, Step, Via, Wait};
use crate::probe::Query;
use crate::probe::docker::Node;
use std::collections::{BTreeMap, BTreeSet};

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
    if decision
        .refusals
        .iter()
        .any(|refusal| refusal.reach == Reach::Layer)
    {
        decision.steps.clear();
        decision.waits.clear();
    }
    decision
}

struct Plan<'a> {
    view: &'a View<'a>,
    decision: Decision,
    quorum: Quorum,
    /// What is waited for before the roster is changed: claims of the waits, word for word.
    gate: Vec<Claim>,
    /// What the last step for each host leaves behind.
    left: BTreeMap<&'a HostName, Claim>,
    /// Hosts that will have the roster once the steps so far are done.
    witnesses: Vec<&'a HostName>,
    /// Hosts whose next step was refused: what builds on it is left out.
    stopped: BTreeSet<&'a HostName>,
    /// Hosts that come back, and join drained.
    back: BTreeSet<&'a HostName>,
}

impl<'a> Plan<'a> {
    fn new(view: &'a View<'a>, rows: &[(&'a Member, Row<'a>)]) -> Self {
        let fate = |node: &Node| {
            for (member, row) in rows {
                match row {
                    Row::Member {
                        node: own,
                        coming: Some(_),
                    } if own.id == node.id => return Fate::Returning,
                    Row::Silent if view.entries(member).any(|own| own.id == node.id) => {
                        return Fate::Silent;
                    }
                    _ if view
                        .ghosts(member, row)
                        .iter()
                        .any(|ghost| ghost.id == node.id) =>
                    {
                        return Fate::Lost;
                    }
                    _ => {}
                }
            }
            Fate::Known
        };
        Self {
            view,
            decision: Decision::default(),
            quorum: Quorum::of(view.nodes, fate),
            gate: Vec::new(),
            left: BTreeMap::new(),
            witnesses: view.speakers.iter().map(|member| &member.host).collect(),
            stopped: BTreeSet::new(),
            back: rows
                .iter()
                .filter(|(member, row)| view.comes_back(member, row))
                .map(|(member, _)| &member.host)
                .collect(),
        }
    }

    /// Adds a step that changes the roster: after those for the same host, and never by what those for other
    /// hosts were going to do, since they may be left out (`--limit`) or fail. Where it depends on the
    /// quorum, it asks for the quorum.
    fn push(&mut self, member: &'a Member, mut step: Step) {
        for claim in self.gate.iter().chain(self.left.get(&member.host)) {
            if !step.needs.contains(claim) {
                step.needs.push(claim.clone());
            }
        }
        if let Some(done) = &step.done {
            self.left.insert(&member.host, done.clone());
        }
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
                Row::Returning(coming) => {
                    if member.manager {
                        self.quorum.grow();
                    }
                    (coming, member.manager)
                }
                _ => continue,
            };
            self.wait(coming.what.clone(), coming.until.clone(), coming.deadline_s);
            if member.manager {
                self.witnesses.push(&member.host);
            }
            if votes {
                self.gate.push(coming.until.clone());
            }
        }
    }
}
