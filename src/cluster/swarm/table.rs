//! The decision table: which case the whole swarm is in, and which row each host.
//!
//! The codes (S0, S1 …) are those of `docs/swarm.md`.

use super::state::{Here, Observed, Place};
use super::{Member, State, Swarm, refuse, steps};
use crate::inventory::HostName;
use crate::plan::{Claim, Decision, Expect, Refusal};
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

/// What follows from what the hosts told.
pub(super) fn decide(swarm: &Swarm, state: &State) -> Decision {
    let told = |member: &&Member| swarm.observed(state, member).nodes().is_some();
    let speakers: Vec<&Member> = swarm.members.iter().filter(told).collect();
    let Some(first) = speakers.first().copied() else {
        let traces = |member: &Member| swarm.observed(state, member).here.trace().is_some();
        return if swarm.members.iter().any(traces) {
            super::table_silent::decide(swarm, state)
        } else {
            super::found::decide(swarm, state)
        };
    };
    if let Some(refusal) = refuse::split(swarm, state, &speakers) {
        return refused(refusal);
    }
    let observed = swarm.observed(state, first);
    let (cluster, ca) = match &observed.here {
        Here::Active { place, cluster, .. } => (cluster.as_ref(), &*place.trace.ca_sha256),
        _ => (None, ""),
    };
    let view = View {
        swarm,
        state,
        nodes: observed.nodes().unwrap_or_default(),
        speakers,
        cluster,
        ca,
    };
    steps::decide(&view)
}

/// A decision that is one refusal.
pub(super) fn refused(refusal: Refusal) -> Decision {
    Decision {
        refusals: vec![refusal],
        ..Decision::default()
    }
}

/// The row of the table that a host is in, given a swarm whose managers answer.
pub(super) enum Row<'a> {
    /// It did not answer: nothing is planned for it, and nothing is concluded from it.
    Silent,
    /// S6: a member. It may still be on its way: starting, or not seen by the managers yet.
    Member {
        node: &'a Node,
        coming: Option<Coming>,
    },
    /// S7: a membership that the managers do not list, or not clearly, and that is on its way.
    Returning(Coming),
    /// S1, and S2 when the roster still has what it was before.
    New { assumed: Option<&'a str> },
    /// S7: a membership that the managers have taken off the roster.
    Stale,
    /// S2, S3, S4, S7, S8, S9, S19: a person decides.
    Refused(Refusal),
}

/// Something that only needs time.
pub(super) struct Coming {
    pub what: String,
    pub until: Claim,
    pub deadline_s: u64,
}

/// Which row `member` is in.
pub(super) fn row<'a>(view: &View<'a>, member: &'a Member) -> Row<'a> {
    let observed = view.observed(member);
    if view
        .entries(member)
        .filter(|node| node.state == "ready")
        .count()
        > 1
    {
        return Row::Refused(refuse::twins(view, member));
    }
    match &observed.here {
        Here::Silent(_) => Row::Silent,
        Here::Absent {
            live_restore: true, ..
        } => Row::Refused(refuse::live_restore(&member.host)),
        Here::Absent { assumed, .. } => match view.alive_elsewhere(member) {
            Some((node, host)) => Row::Refused(refuse::not_dead(member, node, host)),
            None => Row::New {
                assumed: assumed.as_deref(),
            },
        },
        Here::Stopped { trace, .. } if view.is_foreign(trace) => foreign(view, member),
        Here::Stopped { silent, .. } => {
            let what = format!(
                "the engine of {} does not run ({silent}); it is a member by its disk, and comes back when the engine starts",
                member.host
            );
            view.returning(view.only_entry(member), coming_back(member, what))
        }
        Here::Pending(place) if view.is_foreign(&place.trace) => foreign(view, member),
        Here::Pending(place) => {
            let what = format!(
                "{} is joining or starting; when it does not arrive, look at `docker info` there, the ports 2377/tcp, 7946 and the clocks",
                member.host
            );
            view.returning(view.arriving(member, place), coming_back(member, what))
        }
        Here::Locked(place) if view.is_foreign(&place.trace) => foreign(view, member),
        Here::Locked(_) => Row::Refused(refuse::locked(member)),
        Here::Broken { place, .. } if view.is_foreign(&place.trace) => foreign(view, member),
        Here::Broken { place, error } => {
            if view.took_off(place) {
                Row::Stale
            } else {
                Row::Refused(refuse::broken(member, error))
            }
        }
        Here::Active { place, manager, .. } => match view.node(&place.node_id) {
            Some(node) => Row::Member {
                node,
                coming: view.not_seen_yet(member, node),
            },
            None if !view.took_off(place) => foreign(view, member),
            None if *manager => Row::Refused(refuse::manager_taken_off(view, member)),
            None => Row::Stale,
        },
    }
}

fn foreign<'a>(view: &View<'a>, member: &Member) -> Row<'a> {
    Row::Refused(refuse::foreign(view, member))
}

fn coming_back(member: &Member, what: String) -> Coming {
    Coming {
        what,
        until: Claim::new(
            &member.host,
            Query::Docker,
            Expect::SwarmMember { manager: false },
        ),
        deadline_s: 300,
    }
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

    fn only_entry(&self, member: &'a Member) -> Option<&'a Node> {
        let mut entries = self.entries(member);
        entries.next().filter(|_| entries.next().is_none())
    }

    /// The entry of a host that is joining: until it has joined, its engine does not say its node id.
    fn arriving(&self, member: &'a Member, place: &Place) -> Option<&'a Node> {
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

    /// A node of this host's name that another host says it is.
    fn alive_elsewhere(&self, member: &'a Member) -> Option<(&'a Node, &'a HostName)> {
        self.entries(member).find_map(|node| {
            self.swarm.members.iter().find_map(|other| {
                let place = self.observed(other).here.place()?;
                (place.node_id == node.id).then_some((node, &other.host))
            })
        })
    }

    /// Whether the disk names another swarm than this one.
    fn is_foreign(&self, trace: &Trace) -> bool {
        !trace.ca_sha256.is_empty() && !self.ca.is_empty() && trace.ca_sha256 != self.ca
    }

    /// Whether it was a member of this very swarm, and the managers no longer list it.
    fn took_off(&self, place: &Place) -> bool {
        !self.ca.is_empty()
            && place.trace.ca_sha256 == self.ca
            && !place.node_id.is_empty()
            && self.node(&place.node_id).is_none()
    }

    fn returning(&self, node: Option<&'a Node>, coming: Coming) -> Row<'a> {
        match node {
            Some(node) => Row::Member {
                node,
                coming: Some(coming),
            },
            None => Row::Returning(coming),
        }
    }

    fn not_seen_yet(&self, member: &Member, node: &Node) -> Option<Coming> {
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
