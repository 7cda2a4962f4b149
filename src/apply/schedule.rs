//! What may run next: hazards, not barriers. Hosts go on by themselves and meet at cluster tasks.

use super::engine::{Engine, Stage};
use super::turn::Asking;
use crate::inventory::HostName;
use crate::plan::{Act, Claim, Class, Decision, Reach, Refusal, Step, UnitVerb, Via, Wait};

/// How many acts are sent to a host without waiting.
const BATCH: usize = 64;

/// Where a host stands in the playbook.
#[derive(Debug)]
pub(super) enum Frontier {
    /// Nothing is left for it.
    Done,
    /// Questions are open.
    Asking(Asking),
    /// These steps can be sent, in order: the task's index with each.
    Batch(Vec<(usize, Step)>),
    /// It has arrived at a cluster task that has something to do; all members must.
    Cluster(usize),
    /// Something is under way by itself.
    Wait(usize),
    /// A value is not known. It may come from another host.
    Unknown(String),
    /// It cannot go on.
    Stuck(String),
    /// A task refuses to go on.
    Refused(usize),
}

impl<F: super::Fleet> Engine<'_, F> {
    pub(super) fn frontier(&self, host: &HostName) -> Frontier {
        let mut batch: Vec<(usize, Step)> = Vec::new();
        let mut doubtful = Vec::new();
        for &index in self.ties.of_host(host) {
            let work = &self.works[index];
            if self.stopper(work.layer).is_some() {
                continue;
            }
            if self.progress[index].is_doubtful() {
                doubtful.push(index);
                continue;
            }
            // What the task would do after these steps is not known before they have run.
            if batch.iter().any(|(_, step)| self.may_move(step, index)) {
                return Frontier::Batch(batch);
            }
            let halt = match &self.progress[index].stage {
                Stage::Skipped => continue,
                Stage::Fresh | Stage::Asking(_) => Frontier::Asking(Asking {
                    first: self.needed_by(work.layer, &doubtful),
                    turn: self.asked_along(host, index),
                }),
                Stage::Unknown(why) => Frontier::Unknown(format!("{}: {why}", work.task)),
                Stage::Blind(why) => Frontier::Stuck(format!("{}: {why}", work.task)),
                Stage::Wrong(diagnostics) => Frontier::Stuck(diagnostics.to_string()),
                Stage::Decided(verdict) if work.cluster => {
                    if !self.has_work(index, &verdict.decision) {
                        continue;
                    }
                    let first = self.needed_by(work.layer, &doubtful);
                    if first.is_empty() {
                        Frontier::Cluster(index)
                    } else {
                        let turn = Vec::new();
                        Frontier::Asking(Asking { first, turn })
                    }
                }
                Stage::Decided(verdict) => {
                    let decision = &verdict.decision;
                    if self.is_idle(decision) {
                        continue;
                    }
                    let first = self.needed_by(work.layer, &doubtful);
                    if !first.is_empty() {
                        Frontier::Asking(Asking {
                            first,
                            turn: Vec::new(),
                        })
                    } else if !decision.refusals.is_empty() {
                        Frontier::Refused(index)
                    } else if let Some(full) = self.fill(&mut batch, index, decision) {
                        return full;
                    } else if !self.has_wait(decision) {
                        continue;
                    } else {
                        Frontier::Wait(index)
                    }
                }
            };
            return if batch.is_empty() {
                halt
            } else {
                Frontier::Batch(batch)
            };
        }
        if !batch.is_empty() {
            Frontier::Batch(batch)
        } else if doubtful.is_empty() {
            Frontier::Done
        } else {
            Frontier::Asking(Asking {
                first: Vec::new(),
                turn: doubtful,
            })
        }
    }

    /// Whether a host task has nothing to do, to wait for, or to refuse.
    fn is_idle(&self, decision: &Decision) -> bool {
        decision.refusals.is_empty()
            && !self.has_wait(decision)
            && !decision.steps.iter().any(|step| self.is_left(step))
    }

    /// Whether nothing more comes of a task in this run, as far as is known now.
    pub(super) fn is_at_rest(&self, index: usize) -> bool {
        let work = &self.works[index];
        let goes_on = |host: &HostName| !self.stopped_hosts.contains_key(host);
        if self.stopper(work.layer).is_some() || !work.hosts.iter().any(goes_on) {
            return true;
        }
        match &self.progress[index].stage {
            Stage::Skipped => true,
            Stage::Decided(verdict) if work.cluster => !self.has_work(index, &verdict.decision),
            Stage::Decided(verdict) => self.is_idle(&verdict.decision),
            _ => false,
        }
    }

    /// Adds a task's steps to the batch as long as nothing already in it can change what they follow from.
    fn fill(
        &self,
        batch: &mut Vec<(usize, Step)>,
        index: usize,
        decision: &Decision,
    ) -> Option<Frontier> {
        for step in &decision.steps {
            if !self.is_left(step) {
                continue;
            }
            let hazard = batch
                .iter()
                .any(|(_, earlier)| self.may_move(earlier, index));
            let apart =
                !step.needs.is_empty() || matches!(step.class, Class::Restart | Class::Destroy(_));
            if !batch.is_empty() && (hazard || apart || batch.len() >= BATCH) {
                return Some(Frontier::Batch(std::mem::take(batch)));
            }
            batch.push((index, step.clone()));
            // A postcondition is waited for before anything else is sent.
            if apart || step.done.is_some() {
                return Some(Frontier::Batch(std::mem::take(batch)));
            }
        }
        None
    }

    /// Whether a step of a host task is still to be done.
    fn is_left(&self, step: &Step) -> bool {
        self.is_included(&step.subject) && !self.is_done_once(step)
    }

    /// Whether a step may change what a task sees.
    fn may_move(&self, step: &Step, index: usize) -> bool {
        let scope = step.act.writes();
        self.progress[index]
            .asked
            .iter()
            .any(|(about, query)| scope.touches(query, *about == step.subject))
    }

    /// Whether a cluster task has something to do, to wait for, or to stop that is not stopped yet.
    fn has_work(&self, index: usize, decision: &Decision) -> bool {
        let stops = |refusal: &Refusal| match &refusal.reach {
            Reach::Hosts(hosts) => hosts
                .iter()
                .any(|host| !self.stopped_hosts.contains_key(host)),
            Reach::Layer => true,
            // Its waits are the work.
            Reach::Here | Reach::LayerAfterWaits => false,
        };
        self.has_wait(decision)
            || decision.refusals.iter().any(stops)
            || decision.steps.iter().any(|step| self.may_run(index, step))
    }

    /// Whether there is anything to wait for.
    fn has_wait(&self, decision: &Decision) -> bool {
        decision.waits.iter().any(|wait| self.may_come_true(wait))
    }

    /// What depends on a host that `--limit` leaves out, or that is stopped, will not come true in this run.
    pub(super) fn may_come_true(&self, wait: &Wait) -> bool {
        let host = &wait.until.host;
        self.is_included(host) && !self.stopped_hosts.contains_key(host)
    }

    pub(super) fn may_run(&self, index: usize, step: &Step) -> bool {
        self.is_step_included(index, step) && !self.stopped_hosts.contains_key(&step.subject)
    }

    /// The next steps of a cluster task: the first one that may run, and those right behind it that need not wait for
    /// it. What founds a cluster is done for all or not at all.
    pub(super) fn next_of_cluster(&self, index: usize) -> Vec<Step> {
        let Stage::Decided(verdict) = &self.progress[index].stage else {
            return Vec::new();
        };
        let mut next: Vec<Step> = Vec::new();
        for step in &verdict.decision.steps {
            let all_well = self.works[index]
                .hosts
                .iter()
                .all(|host| self.is_included(host) && !self.stopped_hosts.contains_key(host));
            if step.class == Class::Found && !all_well {
                break;
            }
            if !self.may_run(index, step) {
                continue;
            }
            let alone = !is_preparation(step);
            if alone && !next.is_empty() {
                break;
            }
            next.push(step.clone());
            if alone {
                break;
            }
        }
        next
    }

    /// What must come true by itself before this step of the task can begin: a wait for evidence of it
    /// that is known not to hold yet.
    pub(super) fn awaited(&self, index: usize, step: &Step) -> Option<Wait> {
        let Stage::Decided(verdict) = &self.progress[index].stage else {
            return None;
        };
        let known_not_to_hold = |claim: &Claim| {
            let seen = self.memory.get(&claim.host, &claim.query);
            seen.is_some_and(|seen| !claim.holds(seen))
        };
        let mut waits = verdict.decision.waits.iter();
        waits
            .find(|wait| step.needs.contains(&wait.until) && known_not_to_hold(&wait.until))
            .cloned()
    }
}

/// Whether a step of a cluster task only lays something down that nothing reads before a later step: a file, or what
/// starts at boot. After such a step the plan is the rest of the plan, so that several can be done at once.
fn is_preparation(step: &Step) -> bool {
    let lays_down = match &step.act {
        Act::WriteFile { .. } | Act::MakeDirectory { .. } | Act::SetAttributes { .. } => true,
        Act::Unit { verb, .. } => *verb == UnitVerb::Enable,
        _ => false,
    };
    lays_down
        && step.needs.is_empty()
        && step.done.is_none()
        && matches!(step.class, Class::Repair | Class::Create)
        && matches!(step.via, Via::Host(_))
}
