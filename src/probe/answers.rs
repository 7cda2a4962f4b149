//! What the hosts answered, and what still has to be asked.

use super::{Answer, Query};
use crate::inventory::HostName;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// One thing about one host: known, or not known for a reason. Never read `Unknown` as "absent".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen<T> {
    /// The host said so.
    Is(T),
    /// Nobody answered, and why.
    Unknown(String),
}

impl<T> Seen<T> {
    /// The value, when the host answered.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why nothing is known, when nothing is.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Is(_) => None,
            Self::Unknown(why) => Some(why),
        }
    }

    /// The same knowledge about something derived from the value.
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Is(value) => Seen::Is(derive(value)),
            Self::Unknown(why) => Seen::Unknown(why),
        }
    }
}

/// A host and what is asked of it.
pub type Key = (HostName, Query);

/// The questions that must be asked before a module can say what it sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need(pub BTreeSet<Key>);

/// All answers that are held, by host.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    by_host: BTreeMap<HostName, BTreeMap<Query, Seen<Answer>>>,
}

impl Memory {
    /// Keeps an answer.
    pub fn insert(&mut self, host: &HostName, query: Query, answer: Seen<Answer>) {
        self.by_host
            .entry(host.clone())
            .or_default()
            .insert(query, answer);
    }

    /// The answer, when it is held.
    pub fn get(&self, host: &HostName, query: &Query) -> Option<&Seen<Answer>> {
        self.by_host.get(host)?.get(query)
    }

    /// All that is held about a host.
    pub fn of(&self, host: &HostName) -> impl Iterator<Item = (&Query, &Seen<Answer>)> {
        self.by_host.get(host).into_iter().flatten()
    }

    /// Forgets the answers of `host` for which `gone` holds, and says which they were.
    pub fn forget(
        &mut self,
        host: &HostName,
        gone: impl Fn(&Query, &Seen<Answer>) -> bool,
    ) -> BTreeSet<Key> {
        let Some(held) = self.by_host.get_mut(host) else {
            return BTreeSet::new();
        };
        held.extract_if(.., |query, seen| gone(query, seen))
            .map(|(query, _)| (host.clone(), query))
            .collect()
    }
}

/// What the files of hosts will hold once the steps before a task are done.
pub trait Coming: std::fmt::Debug {
    /// SHA-256 of what such a step writes to the file; `None` when none writes it.
    fn sha256(&self, host: &HostName, path: &str) -> Option<String>;
}

/// What a verdict expected of files, by host and path: SHA-256 of what a step before it writes there.
pub type Expected = BTreeMap<(HostName, String), Option<String>>;

/// A view of the [`Memory`] that notes what was asked and what is missing.
///
/// A getter whose answer is missing returns a placeholder and notes the need; [`Answers::settle`]
/// then turns the whole look into `Err(Need)`, so a module states all its questions at once.
#[derive(Debug)]
pub struct Answers<'a> {
    memory: &'a Memory,
    coming: Option<&'a dyn Coming>,
    asked: RefCell<BTreeSet<Key>>,
    missing: RefCell<BTreeSet<Key>>,
    expected: RefCell<Expected>,
}

impl<'a> Answers<'a> {
    /// A fresh view, for whom no step comes before.
    pub fn new(memory: &'a Memory) -> Self {
        Self {
            memory,
            coming: None,
            asked: RefCell::default(),
            missing: RefCell::default(),
            expected: RefCell::default(),
        }
    }

    /// A fresh view with the steps that come before.
    pub fn expecting(memory: &'a Memory, coming: &'a dyn Coming) -> Self {
        Self {
            coming: Some(coming),
            ..Self::new(memory)
        }
    }

    /// SHA-256 of what a step that comes before writes to a file; `None` when none does, and the file stays as it is seen.
    pub fn coming(&self, host: &HostName, path: &str) -> Option<String> {
        let sha256 = self.coming?.sha256(host, path);
        let key = (host.clone(), path.to_owned());
        self.expected.borrow_mut().insert(key, sha256.clone());
        sha256
    }

    pub(super) fn get(&self, host: &HostName, query: Query) -> Seen<Answer> {
        let found = self.memory.get(host, &query).cloned();
        let key = (host.clone(), query);
        if found.is_none() {
            self.missing.borrow_mut().insert(key.clone());
        }
        self.asked.borrow_mut().insert(key);
        found.unwrap_or_else(|| Seen::Unknown("not asked yet".to_owned()))
    }

    /// `state` when every answer was there; otherwise what has to be asked first.
    ///
    /// # Errors
    /// The questions whose answers are missing.
    pub fn settle<T>(&self, state: T) -> Result<T, Need> {
        let missing = self.missing.borrow();
        if missing.is_empty() {
            Ok(state)
        } else {
            Err(Need(missing.clone()))
        }
    }

    /// What was asked through this view, answered or not, and what was expected.
    pub fn into_asked(self) -> (BTreeSet<Key>, Expected) {
        (self.asked.into_inner(), self.expected.into_inner())
    }
}
