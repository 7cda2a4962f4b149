//! How well a layer is, for `provision status` and for the health gate.

use crate::inventory::HostName;
use serde::Serialize;

/// The state of a layer, host by host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Name of the layer, such as `swarm`.
    pub layer: String,
    /// One entry a member, in the order of the inventory.
    pub members: Vec<MemberHealth>,
    /// How many more members it can lose; `None` for layers without a quorum.
    pub margin: Option<Margin>,
}

/// The state of a layer on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberHealth {
    /// The host.
    pub host: HostName,
    /// The verdict.
    pub light: Light,
    /// In the product's own words: `Ready Reachable Leader`.
    pub says: String,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// Works.
    Green,
    /// Works, and something is to be seen to that no restart elsewhere makes worse: little space, a certificate that ends soon.
    Advised,
    /// Kept out of work: a node that is drained, by this program until all else is well, or by a person.
    Held,
    /// Works, but not as it should.
    Yellow,
    /// Does not work.
    Red,
    /// Did not answer, or nobody tells of it now.
    Unknown,
}

/// The quorum margin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Margin {
    /// How many more voters may be lost with the quorum held.
    pub can_lose: usize,
    /// The arithmetic: `3 managers, 3 reachable, quorum 2`.
    pub because: String,
}

impl Margin {
    /// The margin of a majority quorum.
    pub fn majority(what: &str, voters: usize, healthy: usize) -> Self {
        let quorum = voters / 2 + 1;
        Self {
            can_lose: healthy.saturating_sub(quorum),
            because: format!("{voters} {what}, {healthy} healthy, quorum {quorum}"),
        }
    }
}
