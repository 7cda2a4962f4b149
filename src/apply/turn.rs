//! Whose turn it is to be asked.
//!
//! At first everybody is asked everything, in one go. After that, acts make answers doubtful much faster than anybody
//! needs them: a task is asked again when its hosts have come to it, when something is about to change in a layer that
//! needs its layer, or when nothing else is left to do. What was asked is held to be true as long as no act may have
//! changed it, so this is only about *when* to ask, never about what may be believed.

use super::engine::{Engine, Progress, Stage};
use super::schedule::Frontier;
use crate::inventory::HostName;
use crate::plan::Scope;
use crate::probe::Query;
use std::collections::{BTreeMap, BTreeSet};

/// What a task decided when it could decide last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// It has not decided since everything was forgotten.
    Never,
    /// That nothing is to be done.
    Settled,
    /// That something is to be done, waited for or refused.
    Open,
}

/// The tasks that keep a host from going on, because they have to be asked.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// These at once: what comes next needs their layers.
    pub(super) first: Vec<usize>,
    /// These when all hosts that they are for have come to them.
    pub(super) turn: Vec<usize>,
}

impl Progress {
    /// Whether it has to be asked before it can decide.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Fresh | Stage::Asking(_))
    }

    /// Whether all was well with it before something was done that may have changed that.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_open() && self.last == Last::Settled
    }

    /// Whether a step of it makes all that is known of its host doubtful.
    fn will_be_wide(&self, host: &HostName) -> bool {
        let narrow = |scope: &Scope| matches!(scope, Scope::Entry(_) | Scope::Paths(_));
        let mut pending = self.pending.iter();
        pending.any(|step| step.subject == *host && !narrow(&step.scope))
    }
}

impl<F: super::Fleet> Engine<'_, F> {
    /// Those of the doubtful tasks that a layer rests on: its own, and those of the layers that it needs.
    pub(super) fn needed_by(&self, layer: usize, doubtful: &[usize]) -> Vec<usize> {
        let needed = doubtful.iter().copied();
        needed
            .filter(|index| self.rests_on(layer, self.works[*index].layer))
            .collect()
    }

    /// Whether the layers that this one needs have nothing left to do, also on hosts that have no part in this one.
    pub(super) fn is_ready(&self, layer: usize) -> bool {
        (0..self.works.len())
            .filter(|index| self.works[*index].layer != layer)
            .filter(|index| self.rests_on(layer, self.works[*index].layer))
            .all(|index| self.is_at_rest(index))
    }

    /// Whether a layer is another one, or needs it, be it by way of others.
    pub(super) fn rests_on(&self, layer: usize, other: usize) -> bool {
        layer == other
            || self.layers[layer]
                .needs
                .iter()
                .any(|needed| self.rests_on(*needed, other))
    }

    /// The tasks behind one that a host has come to, as far as it pays to ask them along: up to the next cluster
    /// task, or the next step that will make the answers doubtful again.
    pub(super) fn asked_along(&self, host: &HostName, from: usize) -> Vec<usize> {
        let mut along = vec![from];
        if self.works[from].cluster || self.progress[from].will_be_wide(host) {
            return along;
        }
        let tasks = self.ties.of_host(host).iter().copied();
        for index in tasks.filter(|index| *index > from) {
            let (work, progress) = (&self.works[index], &self.progress[index]);
            if work.cluster && progress.is_doubtful() {
                continue;
            }
            if work.cluster {
                break;
            }
            if progress.is_open() {
                along.push(index);
            }
            if progress.will_be_wide(host) {
                break;
            }
        }
        along
    }

    /// Whether a task is asked as soon as it has a question, whoever's turn it is.
    fn is_asked_at_once(&self, index: usize) -> bool {
        // A reading may be what another host waits for.
        self.progress[index].last == Last::Never || self.works[index].register.is_some()
    }

    /// The tasks whose turn it is to be asked, besides those that are asked at once. A host that is busy has not come
    /// to anything yet.
    pub(super) fn come_to(&self, busy: &BTreeSet<HostName>) -> BTreeSet<usize> {
        let mut now = BTreeSet::new();
        let hosts: BTreeSet<&HostName> = (0..self.works.len())
            .filter(|index| self.progress[*index].is_open() && !self.is_asked_at_once(*index))
            .flat_map(|index| &self.works[index].hosts)
            .filter(|host| !busy.contains(*host) && !self.stopped_hosts.contains_key(*host))
            .collect();
        let mut come: BTreeMap<usize, usize> = BTreeMap::new();
        for host in hosts {
            let Frontier::Asking(asking) = self.frontier(host) else {
                continue;
            };
            now.extend(asking.first);
            for index in asking.turn {
                *come.entry(index).or_default() += 1;
            }
        }
        for (index, hosts) in come {
            let members = self.works[index].hosts.iter();
            let going = members.filter(|host| !self.stopped_hosts.contains_key(*host));
            if hosts >= going.count() {
                now.insert(index);
            }
        }
        now
    }

    /// The questions to a host that are open: of all tasks, or of those that are asked at once and of these. When there
    /// are any, those that are foreseen go along.
    pub(super) fn open_questions(
        &self,
        host: &HostName,
        only: Option<&BTreeSet<usize>>,
    ) -> BTreeSet<Query> {
        let mut open = self.needed(host, only);
        if !open.is_empty() {
            let tasks = self.ties.of_host(host).iter();
            let unknown = tasks
                .map(|&index| &self.progress[index])
                .filter(|progress| matches!(progress.stage, Stage::Unknown(_)));
            let foreseen = unknown
                .flat_map(|progress| &progress.foreseen)
                .filter(|query| self.memory.get(host, query).is_none());
            open.extend(foreseen.cloned());
        }
        open
    }

    fn needed(&self, host: &HostName, only: Option<&BTreeSet<usize>>) -> BTreeSet<Query> {
        let is_asked = |index: &usize| {
            only.is_none_or(|only| self.is_asked_at_once(*index) || only.contains(index))
        };
        self.ties
            .askers(host)
            .filter(is_asked)
            .filter_map(|index| match &self.progress[index].stage {
                Stage::Asking(need) => Some(&need.0),
                _ => None,
            })
            .flatten()
            .filter(|(asked, query)| asked == host && self.memory.get(asked, query).is_none())
            .map(|(_, query)| query.clone())
            .collect()
    }
}
