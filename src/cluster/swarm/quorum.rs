//! The arithmetic of a majority, carried along a plan: each step is judged by what those before it leave.

use crate::inventory::HostName;
use crate::plan::{Claim, Expect, Wait};
use crate::probe::Query;
use crate::probe::docker::Node;

/// Managers of a swarm, and those of them that answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quorum {
    pub managers: usize,
    /// Those that answer, or are on their way back.
    sure: usize,
    /// Those that only the roster says answer.
    unsure: usize,
}

/// What is known of a node besides the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing against the roster's word.
    Known,
    /// Its host does not answer provision.
    Silent,
    /// It does not answer now, but is on its way back.
    Returning,
    /// Its host is no longer this node, whatever the roster says.
    Lost,
}

/// How long an election may take, in seconds. Each attempt takes up to 2 s, and may be lost some times.
const ELECTION_S: u64 = 60;

/// Waits until a manager has a leader and tells the roster, on which its own node is.
pub(in crate::cluster) fn until_led(manager: &HostName, node_id: &str, what: String) -> Wait {
    Wait {
        what,
        until: Claim::new(
            manager,
            Query::SwarmNodes,
            Expect::NodeReady(node_id.to_owned()),
        ),
        deadline_s: ELECTION_S,
    }
}

/// The majority of `managers`.
pub(in crate::cluster) fn majority(managers: usize) -> usize {
    managers / 2 + 1
}

impl Quorum {
    /// Counts a roster, in which a node that has just died still looks alive for some seconds.
    pub fn of(nodes: &[Node], fate: impl Fn(&Node) -> Fate) -> Self {
        let (mut managers, mut sure, mut unsure) = (0, 0, 0);
        for node in nodes.iter().filter(|node| node.votes()) {
            managers += 1;
            match fate(node) {
                Fate::Returning => sure += 1,
                Fate::Lost => {}
                Fate::Silent if node.reachability == "reachable" => unsure += 1,
                Fate::Known if node.reachability == "reachable" => sure += 1,
                Fate::Silent | Fate::Known => {}
            }
        }
        Self {
            managers,
            sure,
            unsure,
        }
    }

    /// How many answer. A host that is silent counts against the quorum: its node counts only as far as
    /// the roster proves it, which takes a majority to be told at all.
    pub fn answering(self) -> usize {
        (self.sure + self.unsure).min(self.sure.max(majority(self.managers)))
    }

    /// Whether one more manager may be added: the swarm must survive that it never answers.
    /// From one manager to two there is no such way; the third follows at once.
    pub fn may_grow(self) -> bool {
        self.managers <= 1 || self.answering() >= majority(self.managers + 1)
    }

    /// Whether a manager that does not answer may be taken off: the others must be a majority after it.
    pub fn may_drop_lost(self) -> bool {
        self.managers > 1 && self.answering() >= majority(self.managers - 1)
    }

    /// Whether a manager that answers may become a worker: all answer, or the others hold the quorum
    /// even while it still counts.
    pub fn may_drop_live(self) -> bool {
        self.managers > 1
            && (self.answering() == self.managers || self.answering() > majority(self.managers))
    }

    pub fn grow(&mut self) {
        self.managers += 1;
        self.sure += 1;
    }

    pub fn drop_lost(&mut self) {
        self.managers -= 1;
    }

    pub fn drop_live(&mut self) {
        self.managers -= 1;
        self.sure = self.sure.saturating_sub(1);
    }

    pub fn says(self) -> String {
        format!(
            "{} managers, {} of them answer, quorum {}",
            self.managers,
            self.answering(),
            majority(self.managers)
        )
    }
}
