//! What is kept of the answers, and what becomes doubtful: then the tasks that rest on it decide again.

use super::engine::{Engine, Progress, Stage};
use super::turn::Last;
use crate::inventory::HostName;
use crate::plan::Scope;
use crate::probe::answers::Key;
use crate::probe::{Answer, Query, Seen};
use std::collections::BTreeSet;

impl<F: super::Fleet> Engine<'_, F> {
    /// Keeps what a host answered.
    pub(super) fn learn(
        &mut self,
        host: &HostName,
        answers: impl IntoIterator<Item = (Query, Seen<Answer>)>,
    ) {
        for (query, answer) in answers {
            self.memory.insert(host, query, answer);
        }
        self.ties.touch_askers(host);
    }

    /// Forgets what an act of `host` may have changed.
    pub(super) fn forget(&mut self, host: &HostName, scope: &Scope) {
        let mut gone = self.memory.forget(host, |query, seen| {
            scope.touches(query, true) || (seen.unknown().is_some() && scope.is_above(query))
        });
        if scope.is_wide() {
            for other in self.hosts.iter().filter(|other| *other != host) {
                let touches = |query: &Query, _: &Seen<Answer>| scope.touches(query, false);
                gone.extend(self.memory.forget(other, touches));
            }
        }
        for index in self.refresh(&gone) {
            let progress = &mut self.progress[index];
            // The act was quicker than all its answers. Asked at once again it would be outrun by the next one, too, and
            // others would wait for hosts that are busy with answers that nobody needs yet.
            if progress.last == Last::Never {
                progress.last = Last::Open;
            }
        }
    }

    /// What a task waited for has come true: forgets all that it looked at, which may be otherwise now, and what those rest
    /// on that need its layer and are held up, be it by a refusal or by an answer that they did not get. Their steps need
    /// not be thought of: before one is done, what speaks for it is asked again.
    pub(super) fn forget_awaited(&mut self, index: usize) -> BTreeSet<Key> {
        let layer = self.works[index].layer;
        let held_up = |stage: &Stage| match stage {
            Stage::Decided(verdict) => !verdict.decision.refusals.is_empty(),
            Stage::Blind(_) => true,
            _ => false,
        };
        let concerned = (0..self.works.len()).filter(|other| {
            *other == index
                || self.rests_on(self.works[*other].layer, layer)
                    && held_up(&self.progress[*other].stage)
        });
        let asked: BTreeSet<Key> = concerned
            .flat_map(|other| self.progress[other].asked.iter().cloned())
            .collect();
        self.forget_answers(asked)
    }

    /// Forgets all that a task looked at.
    pub(super) fn forget_asked(&mut self, index: usize) -> BTreeSet<Key> {
        let asked = self.progress[index].asked.clone();
        self.forget_answers(asked)
    }

    /// Forgets what the health of the layers follows from.
    pub(super) fn forget_health(&mut self) {
        let tells = |progress: &&Progress| matches!(&progress.stage, Stage::Decided(verdict) if verdict.health.is_some());
        let telling = self.progress.iter().filter(tells);
        let asked = telling.flat_map(|progress| progress.asked.iter().cloned());
        let gone = self.forget_answers(asked.collect());
        self.refresh(&gone);
    }

    /// Forgets these answers, and says which of them there were.
    fn forget_answers(&mut self, asked: BTreeSet<Key>) -> BTreeSet<Key> {
        let forgotten = asked
            .into_iter()
            .flat_map(|(host, query)| self.memory.forget(&host, |held, _| *held == query));
        forgotten.collect()
    }

    /// Forgets everything, so that all is asked anew.
    pub fn forget_all(&mut self) {
        let mut gone = BTreeSet::new();
        for host in self.hosts.iter() {
            gone.extend(self.memory.forget(host, |_, _| true));
        }
        for progress in &mut self.progress {
            progress.last = Last::Never;
        }
        self.refresh(&gone);
    }

    /// Lets the tasks that depend on these answers decide again, and says which.
    pub(super) fn refresh(&mut self, gone: &BTreeSet<Key>) -> Vec<usize> {
        let mut fresh = Vec::new();
        let hosts: BTreeSet<&HostName> = gone.iter().map(|(host, _)| host).collect();
        let askers: BTreeSet<usize> = hosts
            .into_iter()
            .flat_map(|host| self.ties.askers(host))
            .collect();
        for index in askers {
            let progress = &mut self.progress[index];
            let decided = matches!(
                progress.stage,
                Stage::Decided(_) | Stage::Blind(_) | Stage::Asking(_)
            );
            if decided && progress.asked.iter().any(|key| gone.contains(key)) {
                progress.stage = Stage::Fresh;
                self.ties.touch(index);
                fresh.push(index);
            }
        }
        fresh
    }
}
