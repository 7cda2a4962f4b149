//! Which tasks depend on what, so that an answer costs only the tasks that it is for.

use super::engine::Work;
use super::registers::RegisterKey;
use crate::inventory::HostName;
use crate::plan::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// A step that is planned and not done, as later tasks see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) subject: HostName,
    pub(super) scope: Scope,
    pub(super) id: String,
    /// The file that it writes, and the SHA-256 of what that will hold.
    pub(super) writes: Option<(String, String)>,
}

/// Tasks are named by their indices. What is noted here once is not taken back: a tie too many
/// costs a look at a task, nothing else.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// The tasks of each host, in the order of the playbook.
    of_host: BTreeMap<HostName, Vec<usize>>,
    /// Those whose verdict depends on answers of a host.
    askers: BTreeMap<HostName, BTreeSet<usize>>,
    /// Those whose arguments were rendered with a registered value.
    readers: BTreeMap<RegisterKey, BTreeSet<usize>>,
    /// Those with open steps for a host.
    pending: BTreeMap<HostName, BTreeSet<usize>>,
    /// Those with open steps that may change what other hosts answer.
    wide: BTreeSet<usize>,
    /// Those for which something has changed.
    dirty: BTreeSet<usize>,
    /// Of those, the ones before which other steps are open than before.
    endangered: BTreeSet<usize>,
}

impl Ties {
    pub(super) fn new(works: &[Work<'_>]) -> Self {
        let mut of_host: BTreeMap<HostName, Vec<usize>> = BTreeMap::new();
        for (index, work) in works.iter().enumerate() {
            for host in &work.hosts {
                of_host.entry(host.clone()).or_default().push(index);
            }
        }
        Self {
            of_host,
            dirty: (0..works.len()).collect(),
            ..Self::default()
        }
    }

    /// The tasks of a host, in the order of the playbook.
    pub(super) fn of_host(&self, host: &HostName) -> &[usize] {
        self.of_host.get(host).map_or(&[], Vec::as_slice)
    }

    /// The tasks whose verdict depends on answers of a host.
    pub(super) fn askers(&self, host: &HostName) -> impl Iterator<Item = usize> {
        self.askers.get(host).into_iter().flatten().copied()
    }

    /// Notes that a task's verdict depends on answers of a host.
    pub(super) fn asks(&mut self, index: usize, host: &HostName) {
        match self.askers.get_mut(host) {
            Some(askers) => {
                askers.insert(index);
            }
            None => {
                self.askers.insert(host.clone(), BTreeSet::from([index]));
            }
        }
    }

    /// Notes that a task's arguments depend on a registered value.
    pub(super) fn reads(&mut self, index: usize, key: RegisterKey) {
        self.readers.entry(key).or_default().insert(index);
    }

    /// The tasks behind `index` whose arguments depend on a registered value.
    pub(super) fn later_readers(&self, index: usize, key: &RegisterKey) -> Vec<usize> {
        let readers = self.readers.get(key).into_iter();
        readers
            .flat_map(|all| all.range(index + 1..))
            .copied()
            .collect()
    }

    /// Something has changed for a task.
    pub(super) fn touch(&mut self, index: usize) {
        self.dirty.insert(index);
    }

    /// A host has answered.
    pub(super) fn touch_askers(&mut self, host: &HostName) {
        self.dirty
            .extend(self.askers.get(host).into_iter().flatten());
    }

    /// The first task for which something has changed, and whether that is the open steps before it.
    pub(super) fn next(&mut self) -> Option<(usize, bool)> {
        let index = self.dirty.pop_first()?;
        Some((index, self.endangered.remove(&index)))
    }

    /// The open steps of a task are others than before: later tasks may depend on what they change.
    pub(super) fn replan(
        &mut self,
        index: usize,
        before: &[Pending],
        now: &[Pending],
        tasks: usize,
    ) {
        for step in before {
            if let Some(pending) = self.pending.get_mut(&step.subject) {
                pending.remove(&index);
            }
        }
        self.wide.remove(&index);
        for step in now {
            self.pending
                .entry(step.subject.clone())
                .or_default()
                .insert(index);
            if step.scope.is_wide() {
                self.wide.insert(index);
            }
        }
        for step in before.iter().chain(now) {
            if step.scope.is_wide() {
                self.endangered.extend(index + 1..tasks);
            } else if let Some(askers) = self.askers.get(&step.subject) {
                self.endangered.extend(askers.range(index + 1..));
            }
        }
        self.dirty.extend(&self.endangered);
    }

    /// The tasks before `index` with open steps for a host, in order.
    pub(super) fn earlier_for(
        &self,
        index: usize,
        host: &HostName,
    ) -> impl DoubleEndedIterator<Item = usize> {
        let pending = self.pending.get(host).into_iter();
        pending.flat_map(move |all| all.range(..index)).copied()
    }

    /// The tasks before `index` with open steps that could change what one of these hosts answers, in order.
    pub(super) fn earlier_pending<'h>(
        &self,
        index: usize,
        hosts: impl Iterator<Item = &'h HostName>,
    ) -> Vec<usize> {
        let mut earlier: Vec<usize> = self.wide.range(..index).copied().collect();
        let mut last = None;
        for host in hosts {
            if last != Some(host) {
                let pending = self.pending.get(host).into_iter();
                earlier.extend(pending.flat_map(|all| all.range(..index)));
            }
            last = Some(host);
        }
        earlier.sort_unstable();
        earlier.dedup();
        earlier
    }
}
