//! The events of a run, and the one place that they go through.

use super::Redactor;
use crate::inventory::HostName;
use crate::plan::{Class, StepId};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The hosts are being looked at.
    Looking {
        /// How many hosts.
        hosts: usize,
    },
    /// A host answers.
    Connected {
        /// Which.
        host: HostName,
    },
    /// A host does not answer, or may not be used.
    Unreachable {
        /// Which.
        host: HostName,
        /// What was tried and what came back.
        why: String,
    },
    /// Questions went to a host.
    Asked {
        /// Which.
        host: HostName,
        /// How many.
        questions: usize,
        /// Of which kinds.
        kinds: BTreeSet<&'static str>,
    },
    /// The locks are held, or waited for.
    Lock {
        /// In words.
        text: String,
    },
    /// A step begins.
    StepStarted {
        /// For whom.
        host: HostName,
        /// Which.
        id: StepId,
        /// How it is done, in one line.
        shows: String,
    },
    /// A step is done, and its postcondition holds.
    StepDone {
        /// For whom.
        host: HostName,
        /// Which.
        id: StepId,
        /// How deep it cut.
        class: Class,
        /// How long it took.
        took: Duration,
    },
    /// A step failed.
    StepFailed {
        /// For whom.
        host: HostName,
        /// Which.
        id: StepId,
        /// How it was done, in one line.
        shows: String,
        /// What the host said: the last lines.
        said: String,
    },
    /// Something is waited for.
    Waiting {
        /// What.
        what: String,
        /// For how long already.
        since: Duration,
    },
    /// A host's later steps will not be done.
    HostStopped {
        /// Which.
        host: HostName,
        /// Why.
        why: String,
    },
    /// A layer's steps will not be done, nor those of the layers that need it.
    LayerStopped {
        /// Which.
        layer: String,
        /// Why.
        why: String,
    },
    /// Everything was asked again after the last step.
    Verified {
        /// Steps that would still be planned, and things that would be waited for.
        left: usize,
    },
    /// Anything else that a person should read.
    Note {
        /// One sentence.
        text: String,
    },
}

/// Draws events.
pub trait Sink {
    /// Draws one.
    fn event(&mut self, event: &Event);
}

/// What was done on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tasks that were as they should be.
    pub ok: usize,
    /// Steps done.
    pub changed: usize,
    /// Steps failed.
    pub failed: usize,
    /// Tasks left out by a condition, a limit or a stop.
    pub skipped: usize,
    /// Whether it did not answer.
    pub unreachable: bool,
}

/// How a run ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing had to be done.
    Converged,
    /// All that was planned is done, and verified.
    Changed,
    /// A plan was shown; nothing was done.
    Pending,
    /// A step failed.
    Failed,
    /// Something was refused.
    Refused,
    /// Some host did not answer; the rest is done.
    Unreachable,
    /// The hosts are not what they were when the plan was saved.
    Drifted,
    /// After all steps there would still be some.
    NotConverged,
    /// Ctrl-C.
    Interrupted,
}

impl Outcome {
    /// The word of the JSON summary.
    pub fn word(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Changed => "changed",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Drifted => "drifted",
            Self::NotConverged => "not_converged",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code (DESIGN: 64 and 2 are decided elsewhere).
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Converged | Self::Changed | Self::Pending => 0,
            Self::Failed => 1,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::Drifted => 5,
            Self::NotConverged => 6,
            Self::Interrupted => 130,
        }
    }
}

/// Hands events to all sinks and counts.
#[derive(Default)]
pub struct Reporter {
    sinks: RefCell<Vec<Box<dyn Sink>>>,
    redactor: Redactor,
    tallies: RefCell<BTreeMap<HostName, Tally>>,
}

impl Reporter {
    /// A reporter for these sinks.
    pub fn new(sinks: Vec<Box<dyn Sink>>, redactor: Redactor) -> Self {
        Self {
            sinks: RefCell::new(sinks),
            redactor,
            tallies: RefCell::default(),
        }
    }

    /// Something happened.
    pub fn emit(&self, event: &Event) {
        match event {
            Event::StepDone { host, .. } => self.tally(host, |tally| tally.changed += 1),
            Event::StepFailed { host, .. } => self.tally(host, |tally| tally.failed += 1),
            Event::Unreachable { host, .. } => self.tally(host, |tally| tally.unreachable = true),
            _ => {}
        }
        let event = &self.redactor.event(event);
        for sink in self.sinks.borrow_mut().iter_mut() {
            sink.event(event);
        }
    }

    /// Changes a host's count.
    pub fn tally(&self, host: &HostName, change: impl FnOnce(&mut Tally)) {
        change(self.tallies.borrow_mut().entry(host.clone()).or_default());
    }

    /// Ends all sinks, so that a display leaves the terminal as it should be.
    pub fn close(&self) {
        self.sinks.borrow_mut().clear();
    }

    /// The counts by host.
    pub fn tallies(&self) -> BTreeMap<HostName, Tally> {
        self.tallies.borrow().clone()
    }
}
