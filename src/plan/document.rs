//! The plan as a reviewer reads it: every step in order, and all that the plan rests on.

use super::{Advice, Refusal, Step, Wait};
use crate::inventory::HostName;
use std::collections::BTreeMap;

/// What would be done, and what is known about it. Deterministic: the same answers give the same bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The steps in the order of the playbook.
    pub steps: Vec<Planned>,
    /// What is under way by itself, with its layer.
    pub waits: Vec<(String, Wait)>,
    /// What is refused, with its layer.
    pub refusals: Vec<(String, Refusal)>,
    /// What a person should know.
    pub advice: Vec<Advice>,
    /// What cannot be known yet.
    pub unknown: Vec<Unknown>,
    /// Hosts that did not answer, and why.
    pub unreachable: BTreeMap<HostName, String>,
    /// How many steps `--limit` leaves out.
    pub left_out: usize,
    /// Hosts that are taken for lost and replaced by blank machines: a rehearsal, which nobody may apply.
    pub assumes_lost: Vec<HostName>,
}

/// A step in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The layer.
    pub layer: String,
    /// The task of the playbook that it follows from.
    pub task: String,
    /// The step.
    pub step: Step,
    /// Why it will not be done, when something refuses or stops it.
    pub blocked: Option<String>,
}

/// Something that cannot be known before something else has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The layer.
    pub layer: String,
    /// The task.
    pub task: String,
    /// For which hosts.
    pub hosts: Vec<HostName>,
    /// Why, as a sentence without a final period.
    pub why: String,
}

impl Plan {
    /// The steps that would be done.
    pub fn open(&self) -> impl Iterator<Item = &Planned> {
        self.steps
            .iter()
            .filter(|planned| planned.blocked.is_none())
    }

    /// Whether nothing would be done and nothing is refused, waited for or unknown.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
            && self.waits.is_empty()
            && self.refusals.is_empty()
            && self.unknown.is_empty()
    }

    /// The number of steps of each class that would be done: `create` 12, `repair` 1 …
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for planned in self.open() {
            *counts.entry(planned.step.class.name()).or_default() += 1;
        }
        counts
    }
}
