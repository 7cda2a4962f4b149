//! The hosts as they would answer after a loss.

use super::fate::Fate;
use super::record::{Recorder, refuse};
use super::{blank, swarm};
use crate::apply::{Done, Fleet};
use crate::inventory::HostName;
use crate::plan::Act;
use crate::probe::{Answer, Query, Seen};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What a lost host answers while it is down.
const SILENT: &str = "taken for lost (--assume-lost)";

/// When it is that the hosts are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The lost hosts are down, and the others have seen it.
    Down,
    /// Blank machines of their names and addresses are in their places.
    Replaced,
}

/// The hosts as they would answer.
pub struct Rehearsed<'f, F> {
    source: &'f Recorder<'f, F>,
    fate: &'f Fate,
    scene: Scene,
    /// What had to be supposed of blank machines.
    supposed: RefCell<BTreeSet<String>>,
}

impl<'f, F: Fleet> Rehearsed<'f, F> {
    /// `source` was asked all that `fate` rests on.
    pub fn new(source: &'f Recorder<'f, F>, fate: &'f Fate, scene: Scene) -> Self {
        Self {
            source,
            fate,
            scene,
            supposed: RefCell::default(),
        }
    }

    /// What the answers given so far take for granted, one sentence each.
    pub fn assumptions(&self) -> Vec<String> {
        let mut all = self.source.read(|memory| blank::taken(self.fate, memory));
        all.extend(swarm::taken(self.fate));
        all.extend(self.supposed.borrow().iter().cloned());
        all
    }
}

impl<F: Fleet> Fleet for Rehearsed<'_, F> {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        if !self.fate.lost.contains_key(host) {
            let told = self.source.ask(host, queries).await;
            return told
                .into_iter()
                .map(|(query, seen)| match seen {
                    Seen::Is(answer) => {
                        let foretold = self.fate.survivor(host, &query, answer);
                        (query, foretold)
                    }
                    silent @ Seen::Unknown(_) => (query, silent),
                })
                .collect();
        }
        if self.scene == Scene::Down {
            let silent = |query| (query, Seen::Unknown(SILENT.to_owned()));
            return queries.into_iter().map(silent).collect();
        }
        let mut asked = queries.clone();
        asked.extend(queries.iter().flat_map(blank::rests_on));
        let told = self.source.ask(host, asked).await;
        let machine = blank::Machine {
            host,
            fate: self.fate,
            told: &told,
        };
        let mut supposed = self.supposed.borrow_mut();
        queries
            .into_iter()
            .map(|query| {
                let seen = machine.says(&query, &mut supposed);
                (query, seen)
            })
            .collect()
    }

    async fn act(&self, _: &HostName, acts: Vec<Act>, each: impl FnMut(Done)) {
        refuse(&acts, each);
    }

    fn unreachable(&self, host: &HostName) -> Option<String> {
        match (self.fate.lost.contains_key(host), self.scene) {
            (true, Scene::Down) => Some(SILENT.to_owned()),
            (true, Scene::Replaced) => None,
            (false, _) => self.source.unreachable(host),
        }
    }
}
