//! The swarm after a loss: its nodes are down, and without a majority of its managers nobody tells of it.

use super::Aftermath;
use super::fate::{Fate, Known, either, is_called, told};
use crate::inventory::HostName;
use crate::probe::docker::{Cluster, Docker, Node, Roster};
use crate::probe::{Answer, Memory};
use std::collections::BTreeMap;

/// What a manager says when no majority is there. Source: swarmkit, `manager/controlapi`; so it is captured, too.
pub(super) const NO_LEADER: &str = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.";

/// What becomes of the swarm.
#[derive(Clone, Debug, Default)]
pub struct Swarm {
    /// Managers, and those that would answer; none where there is no swarm, or nobody tells.
    managers: usize,
    answering: usize,
    /// Whether a lost host is part of it.
    concerned: bool,
    /// The leader, when it stays.
    leader: Option<String>,
    /// Who may be elected.
    candidates: Vec<HostName>,
    /// Host names of the nodes that go on taking tasks.
    pub(super) active: Vec<String>,
}

impl Swarm {
    pub(super) fn new(
        hosts: &[HostName],
        lost: &BTreeMap<HostName, Known>,
        memory: &Memory,
    ) -> Self {
        let roster = hosts.iter().find_map(|host| {
            told(memory, host, |answer| match answer {
                Answer::SwarmNodes(roster) => roster.nodes.as_deref(),
                _ => None,
            })
        });
        let Some(nodes) = roster else {
            return Self::default();
        };
        let is_lost = |node: &Node| {
            lost.iter().any(|(host, known)| {
                node.id == known.node || is_called(&node.hostname, host.as_str())
            })
        };
        let voters: Vec<&Node> = nodes.iter().filter(|node| node.votes()).collect();
        let left: Vec<&&Node> = voters
            .iter()
            .filter(|node| node.reachability == "reachable" && !is_lost(node))
            .collect();
        let leader = left.iter().find(|node| node.leader);
        let candidates = left.iter().filter_map(|node| {
            let host = hosts
                .iter()
                .find(|host| is_called(&node.hostname, host.as_str()));
            host.cloned()
        });
        Self {
            managers: voters.len(),
            answering: left.len(),
            concerned: nodes.iter().any(is_lost),
            leader: leader.map(|node| node.hostname.clone()),
            active: nodes
                .iter()
                .filter(|node| node.state == "ready" && node.availability == "active")
                .filter(|node| !is_lost(node))
                .map(|node| node.hostname.clone())
                .collect(),
            candidates: candidates.collect(),
        }
    }

    fn majority(&self) -> usize {
        self.managers / 2 + 1
    }

    pub(super) fn is_without_quorum(&self) -> bool {
        self.concerned && self.answering < self.majority()
    }

    /// A manager without a majority knows that it is one, and nothing more.
    pub(super) fn docker(&self, docker: &mut Docker) {
        let Some(engine) = &mut docker.engine else {
            return;
        };
        if self.is_without_quorum() && engine.swarm.control_available {
            NO_LEADER.clone_into(&mut engine.swarm.error);
            engine.swarm.cluster = Some(Cluster::default());
        }
    }

    pub(super) fn roster(&self, fate: &Fate, roster: &mut Roster) {
        let Some(nodes) = &mut roster.nodes else {
            return;
        };
        if self.is_without_quorum() {
            *roster = Roster {
                nodes: None,
                error: NO_LEADER.to_owned(),
            };
            return;
        }
        for node in nodes {
            let known = |known: &Known| known.node == node.id;
            if !fate.lost.values().any(known) && !fate.is_lost(&node.hostname) {
                continue;
            }
            "down".clone_into(&mut node.state);
            node.leader = false;
            if !node.reachability.is_empty() {
                "unreachable".clone_into(&mut node.reachability);
            }
        }
    }

    pub(super) fn aftermath(&self) -> Vec<Aftermath> {
        if !self.concerned {
            return Vec::new();
        }
        let left = format!("{} of {} managers left", self.answering, self.managers);
        vec![match &self.leader {
            _ if self.is_without_quorum() => Aftermath::decided(
                "swarm",
                format!(
                    "{left}, and a majority is {}: what runs goes on running, nothing can be changed, nobody leads",
                    self.majority()
                ),
            ),
            Some(leader) => {
                Aftermath::decided("swarm", format!("{left}, {leader} goes on leading"))
            }
            None => Aftermath::open(
                "swarm",
                format!(
                    "{left}; one of them is elected: {}, which cannot be told before",
                    either(&self.candidates)
                ),
            ),
        }]
    }
}

/// What is taken for granted about time.
pub(super) fn taken(fate: &Fate) -> Option<String> {
    fate.swarm.concerned.then(|| {
        "the machines that stay have seen the loss, and what they do by themselves about it has ended".to_owned()
    })
}
