//! The arithmetic of a majority, carried along a plan: each step is judged by what those before it leave.

use crate::probe::docker::Node;

/// Managers of a swarm, and those of them that answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quorum {
    pub managers: usize,
    pub answering: usize,
}

/// The majority of `managers`.
pub(super) fn majority(managers: usize) -> usize {
    managers / 2 + 1
}

impl Quorum {
    /// Counts a roster. `returning` are nodes that do not answer now but are on their way back;
    /// `lost` are nodes that the roster may still take for alive.
    pub fn of(nodes: &[Node], returning: &[&str], lost: &[&str]) -> Self {
        let voters = nodes.iter().filter(|node| node.votes());
        Self {
            managers: voters.clone().count(),
            answering: voters
                .filter(|node| !lost.contains(&&*node.id))
                .filter(|node| node.reachability == "reachable" || returning.contains(&&*node.id))
                .count(),
        }
    }

    /// Whether one more manager may be added: the swarm must survive that it never answers.
    /// From one manager to two there is no such way; the third follows at once.
    pub fn may_grow(self) -> bool {
        self.managers <= 1 || self.answering >= majority(self.managers + 1)
    }

    /// Whether a manager that does not answer may be taken off: the others must be a majority after it.
    pub fn may_drop_lost(self) -> bool {
        self.managers > 1 && self.answering >= majority(self.managers - 1)
    }

    /// Whether a manager that answers may become a worker: all answer, or the others hold the quorum
    /// even while it still counts.
    pub fn may_drop_live(self) -> bool {
        self.managers > 1
            && (self.answering == self.managers || self.answering > majority(self.managers))
    }

    pub fn grow(&mut self) {
        self.managers += 1;
        self.answering += 1;
    }

    pub fn drop_lost(&mut self) {
        self.managers -= 1;
    }

    pub fn drop_live(&mut self) {
        self.managers -= 1;
        self.answering -= 1;
    }

    pub fn says(self) -> String {
        format!(
            "{} managers, {} of them answer, quorum {}",
            self.managers,
            self.answering,
            majority(self.managers)
        )
    }
}
