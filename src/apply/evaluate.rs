//! What follows from the answers, task by task. Only tasks for which something has changed are looked at.

use super::engine::{Built, Engine, Stage};
use super::ties::Pending;
use super::turn::Last;
use crate::plan::{Act, Step};
use crate::playbook::Val;
use crate::probe::Answers;
use crate::probe::answers::Key;
use std::collections::BTreeSet;

impl<F: super::Fleet> Engine<'_, F> {
    /// Lets every task make of the answers what it can. Pure but for its own notes: nothing is asked here.
    ///
    /// Knowledge flows forward only: what a task changes concerns later ones, so that one pass is enough.
    pub(super) fn evaluate(&mut self) {
        while let Some((index, endangered)) = self.ties.next() {
            if endangered {
                self.revise(index);
            }
            let built = self.build(index);
            let decided = self.decide(index);
            if built || decided || endangered {
                self.progress[index].hazard = self.hazard(index);
            }
            self.register(index);
            if built || decided {
                self.note_pending(index);
            }
        }
        debug_assert!(self.is_settled(), "a task was not told of a change");
    }

    /// Says whether anything was done.
    fn build(&mut self, index: usize) -> bool {
        let progress = &mut self.progress[index];
        if !matches!(progress.stage, Stage::Fresh) || progress.module.is_some() {
            return false;
        }
        self.registers.take_reads();
        let built = (self.works[index].build)();
        for key in self.registers.take_reads() {
            self.ties.reads(index, key);
        }
        progress.stage = match built {
            Built::Skipped => Stage::Skipped,
            Built::Unknown(why, foreseen) => {
                progress.foreseen = foreseen;
                Stage::Unknown(why)
            }
            Built::Wrong(diagnostics) => Stage::Wrong(diagnostics),
            Built::Module(module) => {
                progress.module = Some(module);
                Stage::Fresh
            }
        };
        true
    }

    /// Whether the questions that a task waited for are answered, or something that it depends on has changed.
    fn may_decide(&self, index: usize) -> bool {
        let progress = &self.progress[index];
        progress.module.is_some()
            && match &progress.stage {
                Stage::Fresh => true,
                Stage::Asking(need) => need
                    .0
                    .iter()
                    .all(|(host, query)| self.memory.get(host, query).is_some()),
                _ => false,
            }
    }

    /// Says whether anything was done.
    fn decide(&mut self, index: usize) -> bool {
        if !self.may_decide(index) {
            return false;
        }
        let Some(module) = &self.progress[index].module else {
            return false;
        };
        let before = self.before(index);
        let seen = Answers::expecting(&self.memory, &before);
        let found = module.verdict(&seen);
        let (asked, expected) = seen.into_asked();
        let progress = &mut self.progress[index];
        progress.asked = asked;
        progress.expected = expected;
        for (host, _) in &progress.asked {
            self.ties.asks(index, host);
        }
        progress.stage = match found {
            Err(need) => Stage::Asking(need),
            Ok(verdict) => {
                progress.health.clone_from(&verdict.health);
                let blind = (!self.works[index].cluster).then(|| {
                    // What a task asks of other hosts it can do without: it says itself what it then takes for granted.
                    let own = |(host, _): &&Key| self.works[index].hosts.contains(host);
                    progress.asked.iter().filter(own).find_map(|(host, query)| {
                        self.memory.get(host, query)?.unknown().map(str::to_owned)
                    })
                });
                match blind.flatten() {
                    Some(why) => Stage::Blind(why),
                    None => {
                        progress.last = match verdict.decision.is_settled() {
                            true => Last::Settled,
                            false => Last::Open,
                        };
                        Stage::Decided(Box::new(verdict))
                    }
                }
            }
        };
        true
    }

    /// The first open step of an earlier task that may change what this one's verdict depends on.
    fn hazard(&self, index: usize) -> Option<String> {
        let asked = &self.progress[index].asked;
        self.ties
            .earlier_pending(index, asked.iter().map(|(host, _)| host))
            .into_iter()
            .flat_map(|earlier| &self.progress[earlier].pending)
            .find(|step| step.may_change(asked))
            .map(|step| format!("{} on {}", step.id, step.subject))
    }

    /// Keeps what a reading found, unless an earlier step may still change it.
    fn register(&mut self, index: usize) {
        let work = &self.works[index];
        let (Some(name), Some(host)) = (&work.register, work.hosts.first()) else {
            return;
        };
        let progress = &self.progress[index];
        let value = match (&progress.stage, &progress.hazard) {
            (Stage::Decided(_), Some(step)) => {
                Val::Unknown(format!("`{name}` cannot be known until {step} has run"))
            }
            (Stage::Decided(verdict), None) => match &verdict.registered {
                Some(value) => Val::Known(value.clone()),
                None => Val::Unknown(format!("task `{}` reads nothing", work.task)),
            },
            (Stage::Skipped, _) => Val::Known(serde_json::json!({"skipped": true})),
            (Stage::Blind(why) | Stage::Unknown(why), _) => Val::Unknown(why.clone()),
            (Stage::Asking(_) | Stage::Fresh | Stage::Wrong(_), _) => {
                Val::Unknown(format!("`{name}` has not been read yet"))
            }
        };
        if !self.registers.set(host, name, value) {
            return;
        }
        for later in self
            .ties
            .later_readers(index, &(host.clone(), name.clone()))
        {
            let progress = &mut self.progress[later];
            progress.module = None;
            progress.stage = Stage::Fresh;
            progress.last = Last::Never;
            self.ties.touch(later);
        }
    }

    /// Notes that a step that nothing tells the end of was done.
    pub(super) fn finish_once(&mut self, index: usize, step: &Step) {
        let key = (step.id.clone(), step.subject.clone());
        self.done_once.insert(key);
        self.note_pending(index);
    }

    fn note_pending(&mut self, index: usize) {
        // Until it can decide again, what it decided last is what it is expected to do.
        let progress = &self.progress[index];
        if progress.is_open() && progress.last != Last::Never {
            return;
        }
        let now = match &self.progress[index].stage {
            Stage::Decided(verdict) => verdict
                .decision
                .steps
                .iter()
                .filter(|step| self.is_step_included(index, step) && !self.is_done_once(step))
                .map(|step| Pending {
                    subject: step.subject.clone(),
                    scope: step.act.writes(),
                    id: step.id.to_string(),
                    writes: match &step.act {
                        Act::WriteFile { path, content, .. } => {
                            Some((path.clone(), content.sha256()))
                        }
                        _ => None,
                    },
                })
                .collect(),
            _ => Vec::new(),
        };
        let progress = &mut self.progress[index];
        if progress.pending != now {
            let before = std::mem::replace(&mut progress.pending, now);
            self.ties
                .replan(index, &before, &progress.pending, self.works.len());
        }
    }

    /// Whether a pass over all tasks would change nothing.
    fn is_settled(&self) -> bool {
        let mut earlier: Vec<&Pending> = Vec::new();
        self.progress.iter().enumerate().all(|(index, progress)| {
            let mut open = earlier.iter();
            let hazard = open.find(|step| step.may_change(&progress.asked));
            let hazard = hazard.map(|step| format!("{} on {}", step.id, step.subject));
            earlier.extend(&progress.pending);
            hazard == progress.hazard
                && self.is_as_expected(index)
                && !matches!(progress.stage, Stage::Fresh)
                && !self.may_decide(index)
        })
    }
}

impl Pending {
    /// Whether one of these answers may be another one after the step.
    fn may_change(&self, asked: &BTreeSet<Key>) -> bool {
        asked
            .iter()
            .any(|(host, query)| self.scope.touches(query, *host == self.subject))
    }
}
