//! The true hosts, asked once: what they say is kept for every scene of a rehearsal.

use crate::apply::{Done, Fleet};
use crate::inventory::HostName;
use crate::plan::Act;
use crate::probe::{Answer, Memory, Query, Seen};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What is said about every act.
pub(super) const NOT_DONE: &str = "this is a rehearsal: nothing is done";

/// The true hosts, which are only asked, and each question once.
pub struct Recorder<'f, F> {
    truth: &'f F,
    memory: RefCell<Memory>,
}

impl<'f, F: Fleet> Recorder<'f, F> {
    /// Nothing has been asked yet.
    pub fn new(truth: &'f F) -> Self {
        Self {
            truth,
            memory: RefCell::default(),
        }
    }

    /// What can be told from all that was said so far.
    pub fn read<T>(&self, with: impl FnOnce(&Memory) -> T) -> T {
        with(&self.memory.borrow())
    }
}

impl<F: Fleet> Fleet for Recorder<'_, F> {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        let missing: BTreeSet<Query> = queries
            .iter()
            .filter(|query| self.memory.borrow().get(host, query).is_none())
            .cloned()
            .collect();
        if !missing.is_empty() {
            let told = self.truth.ask(host, missing).await;
            let mut memory = self.memory.borrow_mut();
            for (query, seen) in told {
                memory.insert(host, query, seen);
            }
        }
        let memory = self.memory.borrow();
        let held = |query: Query| {
            let seen = memory.get(host, &query).cloned();
            let nothing = || Seen::Unknown("it was not answered".to_owned());
            (query, seen.unwrap_or_else(nothing))
        };
        queries.into_iter().map(held).collect()
    }

    async fn act(&self, _: &HostName, acts: Vec<Act>, each: impl FnMut(Done)) {
        refuse(&acts, each);
    }

    fn unreachable(&self, host: &HostName) -> Option<String> {
        self.truth.unreachable(host)
    }
}

/// A rehearsal has no way to do anything.
pub(super) fn refuse(acts: &[Act], mut each: impl FnMut(Done)) {
    for _ in acts {
        each(Done::Failed {
            status: 1,
            said: NOT_DONE.to_owned(),
        });
    }
}
