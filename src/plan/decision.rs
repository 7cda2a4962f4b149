//! What follows from the answers: steps, waits, refusals and advice, all four at once.

use super::{Claim, Step};
use crate::inventory::HostName;
use serde::{Deserialize, Serialize};

/// What a module decides about what it sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Changes, in order.
    pub steps: Vec<Step>,
    /// Things that are under way and need no step, only time.
    pub waits: Vec<Wait>,
    /// Reasons not to act.
    pub refusals: Vec<Refusal>,
    /// Things that a person should know.
    pub advice: Vec<Advice>,
}

impl Decision {
    /// Whether there is nothing to do, to wait for, or to refuse.
    pub fn is_settled(&self) -> bool {
        self.steps.is_empty() && self.waits.is_empty() && self.refusals.is_empty()
    }
}

/// Something that is under way by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// What is waited for, as a sentence without a final period.
    pub what: String,
    /// When it has come true.
    pub until: Claim,
    /// How long it may take, in seconds.
    pub deadline_s: u64,
}

/// How much of the rest a refusal stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All later tasks of these hosts.
    Hosts(Vec<HostName>),
    /// This layer and those that need it.
    Layer,
    /// The same, once what is waited for has not come true in time: until then it may pass by itself.
    LayerAfterWaits,
    /// Only what the module itself left out.
    Here,
}

/// A reason not to act, with the evidence and what decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code, such as `S5`: the row of the decision table.
    pub code: String,
    /// Why, as a sentence without a final period.
    pub because: String,
    /// What was seen, one line each.
    pub evidence: Vec<String>,
    /// What to do: a command, a flag, a look.
    pub hint: String,
    /// What it stops.
    pub reach: Reach,
}

/// Something that a person should know, and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// Stable code.
    pub code: String,
    /// The host that it is about, when it is about one.
    pub host: Option<HostName>,
    /// What to know and what to do about it.
    pub text: String,
}
