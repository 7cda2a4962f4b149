//! What is kept of the answers, and what becomes doubtful: then the tasks that rest on it decide again.

use super::engine::{Engine, Stage};
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

    /// Forgets what the health of the layers follows from.
    pub(super) fn forget_health(&mut self) {
        let mut gone = BTreeSet::new();
        for progress in &self.progress {
            if matches!(&progress.stage, Stage::Decided(verdict) if verdict.health.is_some()) {
                for (host, query) in &progress.asked {
                    gone.extend(self.memory.forget(host, |held, _| held == query));
                }
            }
        }
        self.refresh(&gone);
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
