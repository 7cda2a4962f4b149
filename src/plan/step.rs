//! One change: what, for whom, by which act, on what evidence, and when it is done.

use super::{Act, Claim, Via};
use crate::inventory::HostName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a reviewer approves: `swarm/join`, `package/install/docker-ce`. Not how it is done.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(String);

impl StepId {
    /// An id from its parts: module, verb, object.
    pub fn new(parts: &[&str]) -> Self {
        Self(parts.join("/"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How deep a change cuts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Brings something that exists back to what it should be.
    Repair,
    /// Makes something that was not there: a package, a file, a membership.
    Create,
    /// Creates a whole cluster. Only when every host answered and none shows a trace of one (ruling 1).
    Found,
    /// Interrupts a running service.
    Restart,
    /// Takes away something that cannot be brought back. Never implied by convergence.
    Destroy(String),
}

impl Class {
    /// The name without the object.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Repair => "repair",
            Self::Create => "create",
            Self::Found => "found",
            Self::Restart => "restart",
            Self::Destroy(_) => "destroy",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What a reviewer approves.
    pub id: StepId,
    /// For whom: `--limit`, the health gate and the report go by this.
    pub subject: HostName,
    /// Through which host: bound just before running.
    pub via: Via,
    /// Why, as a sentence without a final period: what was seen that makes it necessary.
    pub why: String,
    /// How it is done.
    pub act: Act,
    /// How deep it cuts.
    pub class: Class,
    /// Evidence that is asked for again just before.
    pub needs: Vec<Claim>,
    /// What may come true by itself and would make this wrong. As long as the decision waits for the same, this is put
    /// off; it is done when that has not come true in time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yields_to: Vec<Claim>,
    /// Postcondition, polled with a deadline; file-like acts check themselves.
    pub done: Option<Claim>,
    /// What is taken for granted because it could not be seen.
    pub assumes: Vec<String>,
    /// Nothing tells whether it has been done: it is done once in each run.
    #[serde(default)]
    pub every_time: bool,
    /// A restart that takes no task of the Swarm from its host: a node that is drained only until all layers are well does
    /// not hold it up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spares_tasks: bool,
}

impl Step {
    /// A step for `subject`, done on `subject` itself.
    pub fn new(
        id: StepId,
        subject: &HostName,
        class: Class,
        why: impl Into<String>,
        act: Act,
    ) -> Self {
        Self {
            id,
            subject: subject.clone(),
            via: Via::Host(subject.clone()),
            why: why.into(),
            act,
            class,
            needs: Vec::new(),
            yields_to: Vec::new(),
            done: None,
            assumes: Vec::new(),
            every_time: false,
            spares_tasks: false,
        }
    }

    /// Adds what is taken for granted.
    #[must_use]
    pub fn assume(mut self, what: impl Into<String>) -> Self {
        self.assumes.push(what.into());
        self
    }

    /// Adds evidence that is asked for again just before.
    #[must_use]
    pub fn need(mut self, claim: Claim) -> Self {
        self.needs.push(claim);
        self
    }

    /// Adds what may come true by itself, and is waited for first.
    #[must_use]
    pub fn yield_to(mut self, claim: Claim) -> Self {
        self.yields_to.push(claim);
        self
    }

    /// Says that no task of the Swarm is taken from its host.
    #[must_use]
    pub fn sparing_tasks(mut self) -> Self {
        self.spares_tasks = true;
        self
    }

    /// Sets the postcondition.
    #[must_use]
    pub fn done(mut self, claim: Claim) -> Self {
        self.done = Some(claim);
        self
    }

    /// Sets through which host it is done.
    #[must_use]
    pub fn via(mut self, via: Via) -> Self {
        self.via = via;
        self
    }
}
