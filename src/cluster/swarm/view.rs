//! The swarm as its managers tell it: whose entry is whose.

use super::state::{Observed, Place};
use super::table::{Coming, Row};
use super::{Member, State, Swarm};
use crate::inventory::HostName;
use crate::plan::{Claim, Expect};
use crate::probe::Query;
use crate::probe::docker::{Cluster, Node, Trace};
use std::collections::BTreeSet;

/// The swarm as its managers tell it.
pub(super) struct View<'a> {
    pub swarm: &'a Swarm,
    pub state: &'a State,
    /// The members that have the roster, in the order of the inventory.
    pub speakers: Vec<&'a Member>,
    pub nodes: &'a [Node],
    pub cluster: Option<&'a Cluster>,
    /// Identity of the swarm, as workers know it too; empty when it could not be read.
    pub ca: &'a str,
}

impl<'a> View<'a> {
    pub fn observed(&self, member: &Member) -> &'a Observed {
        self.swarm.observed(self.state, member)
    }

    /// The manager that is asked.
    pub fn speaker(&self) -> &'a HostName {
        &self.speakers[0].host
    }

    pub fn node(&self, id: &str) -> Option<&'a Node> {
        self.nodes
            .iter()
            .find(|node| !id.is_empty() && node.id == id)
    }

    /// The entries that carry the host's name.
    pub fn entries(&self, member: &'a Member) -> impl Iterator<Item = &'a Node> {
        let other = |node: &Node| {
            self.swarm
                .members
                .iter()
                .any(|other| other.host != member.host && other.host.as_str() == node.hostname)
        };
        self.nodes
            .iter()
            .filter(move |node| is_called(&node.hostname, member.host.as_str()) && !other(node))
    }

    pub fn only_entry(&self, member: &'a Member) -> Option<&'a Node> {
        let mut entries = self.entries(member);
        entries.next().filter(|_| entries.next().is_none())
    }

    /// The entry of a host that is joining: until it has joined, its engine does not say its node id.
    pub fn arriving(&self, member: &'a Member, place: &Place) -> Option<&'a Node> {
        if place.node_id.is_empty() {
            self.only_entry(member).filter(|node| node.state != "down")
        } else {
            self.node(&place.node_id)
        }
    }

    /// The entries that are what the host was before: its name, but not its node.
    pub fn ghosts(&self, member: &'a Member, row: &Row<'_>) -> Vec<&'a Node> {
        self.entries(member)
            .filter(|node| match row {
                // Not yet given up by the managers, but the host itself has forgotten it.
                Row::New { .. } | Row::Stale => true,
                // A twin that works is S3; here is what an earlier, too early join left.
                Row::Member { node: own, .. } => own.id != node.id && node.state != "ready",
                Row::Silent | Row::Returning(_) | Row::Refused(_) => false,
            })
            .collect()
    }

    /// Whether the host comes back after it was replaced or had left, so that it joins drained (ruling 6): the roster
    /// still has what it was, or the note says that this has begun.
    pub fn comes_back(&self, member: &'a Member, row: &Row<'_>) -> bool {
        matches!(row, Row::New { .. } | Row::Stale)
            && (self.observed(member).marked || !self.ghosts(member, row).is_empty())
    }

    /// A node of this host's name that another host says it is.
    pub fn alive_elsewhere(&self, member: &'a Member) -> Option<(&'a Node, &'a HostName)> {
        self.entries(member).find_map(|node| {
            self.swarm.members.iter().find_map(|other| {
                let place = self.observed(other).here.place()?;
                (place.node_id == node.id).then_some((node, &other.host))
            })
        })
    }

    /// Whether the disk names another swarm than this one.
    pub fn is_foreign(&self, trace: &Trace) -> bool {
        !trace.ca_sha256.is_empty() && !self.ca.is_empty() && trace.ca_sha256 != self.ca
    }

    /// Whether it was a member of this very swarm, and the managers no longer list it.
    pub fn took_off(&self, place: &Place) -> bool {
        !self.ca.is_empty()
            && place.trace.ca_sha256 == self.ca
            && !place.node_id.is_empty()
            && self.node(&place.node_id).is_none()
    }

    pub fn returning(&self, node: Option<&'a Node>, coming: Coming) -> Row<'a> {
        match node {
            Some(node) => Row::Member {
                node,
                coming: Some(coming),
            },
            None => Row::Returning(coming),
        }
    }

    pub fn not_seen_yet(&self, member: &Member, node: &Node) -> Option<Coming> {
        (!node.is_ready()).then(|| Coming {
            what: format!(
                "{} is a member, but the managers see it as {}; when that stays, look at the ports 2377/tcp and 7946 between the hosts",
                member.host,
                if node.reachability.is_empty() { node.state.clone() } else { format!("{}, {}", node.state, node.reachability) },
            ),
            until: Claim::new(self.speaker(), Query::SwarmNodes, Expect::NodeReady(node.id.clone())),
            deadline_s: 120,
        })
    }

    /// Nodes of the roster that no host of the inventory is or was.
    pub fn extra(&self) -> Vec<&'a Node> {
        let own: BTreeSet<&str> = self
            .swarm
            .members
            .iter()
            .filter_map(|member| Some(&*self.observed(member).here.place()?.node_id))
            .collect();
        let named = |node: &Node| {
            self.swarm
                .members
                .iter()
                .any(|member| is_called(&node.hostname, member.host.as_str()))
        };
        self.nodes
            .iter()
            .filter(|node| !own.contains(&*node.id) && !named(node))
            .collect()
    }
}

/// A node keeps the name that its host had when it joined: with its domain, or without.
pub(super) fn is_called(hostname: &str, name: &str) -> bool {
    let extends = |long: &str, short: &str| {
        long.strip_prefix(short)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    hostname == name || extends(hostname, name) || extends(name, hostname)
}
