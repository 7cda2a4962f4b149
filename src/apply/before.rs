//! What the steps before a task will write: so the plan tells of the restarts that follow, and of none that do not.

use super::engine::{Engine, Progress, Stage};
use super::ties::Ties;
use crate::inventory::HostName;
use crate::probe::answers::Coming;

/// The open steps before a task.
#[derive(Debug)]
pub(super) struct Before<'e> {
    progress: &'e [Progress],
    ties: &'e Ties,
    index: usize,
}

impl Coming for Before<'_> {
    fn sha256(&self, host: &HostName, path: &str) -> Option<String> {
        // The last one that writes it.
        self.ties
            .earlier_for(self.index, host)
            .rev()
            .flat_map(|earlier| self.progress[earlier].pending.iter().rev())
            .filter(|step| step.subject == *host)
            .filter_map(|step| step.writes.as_ref())
            .find(|(written, _)| written == path)
            .map(|(_, sha256)| sha256.clone())
    }
}

impl<F: super::Fleet> Engine<'_, F> {
    /// The open steps before a task.
    pub(super) fn before(&self, index: usize) -> Before<'_> {
        Before {
            progress: &self.progress,
            ties: &self.ties,
            index,
        }
    }

    /// Whether the steps before it write what its verdict expects, when it has one.
    pub(super) fn is_as_expected(&self, index: usize) -> bool {
        let progress = &self.progress[index];
        if !matches!(progress.stage, Stage::Decided(_)) {
            return true;
        }
        let before = self.before(index);
        let mut expected = progress.expected.iter();
        expected.all(|((host, path), sha256)| before.sha256(host, path) == *sha256)
    }

    /// Lets it decide again when the steps before it write something else than its verdict expects.
    pub(super) fn revise(&mut self, index: usize) {
        if !self.is_as_expected(index) {
            self.progress[index].stage = Stage::Fresh;
        }
    }
}
