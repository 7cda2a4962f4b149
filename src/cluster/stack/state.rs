//! What the hosts told about the stack.

use super::Stack as Wanted;
use crate::inventory::HostName;
use crate::probe::docker::{Docker, Roster};
use crate::probe::image::Image;
use crate::probe::stack::Stack;
use crate::probe::stack_node::Node;
use crate::probe::{Answers, PathState, Seen};
use std::collections::{BTreeMap, BTreeSet};

/// What is known.
#[derive(Clone, Debug)]
pub struct State {
    /// The engines of all members and managers.
    pub(super) engines: BTreeMap<HostName, Seen<Docker>>,
    /// Managers with a working control plane, in the order of the inventory.
    pub(super) speakers: Vec<HostName>,
    /// The stack as the first of them sees it.
    pub(super) stack: Option<Seen<Stack>>,
    /// The roster as the first of them sees it.
    pub(super) roster: Option<Seen<Roster>>,
    /// What is on each member, when its engine runs.
    pub(super) nodes: BTreeMap<HostName, Seen<Node>>,
    /// The images of members whose engine runs.
    pub(super) images: BTreeMap<String, BTreeMap<HostName, Seen<Option<Image>>>>,
    /// The secret key, as a member tells that has the shared directory mounted.
    pub(super) key: Option<(HostName, Seen<PathState>)>,
}

impl State {
    /// What is to be asked; `reader` tells what is in the shared directory.
    pub(super) fn look(wanted: &Wanted, seen: &Answers<'_>, reader: Option<&HostName>) -> Self {
        let hosts: BTreeSet<&HostName> = wanted.members.iter().chain(&wanted.managers).collect();
        let engines: BTreeMap<HostName, Seen<Docker>> = hosts
            .into_iter()
            .map(|host| (host.clone(), seen.docker(host)))
            .collect();
        let controls = |host: &&HostName| {
            engines[*host]
                .known()
                .and_then(|docker| docker.engine.as_ref())
                .is_some_and(|engine| engine.swarm.control_available)
        };
        let speakers: Vec<HostName> = wanted.managers.iter().filter(controls).cloned().collect();
        let speaker = speakers.first();
        let stack = speaker.map(|host| seen.stack(host, wanted.file.name()));
        let roster = speaker.map(|host| seen.swarm_nodes(host));
        let runs = |host: &&HostName| {
            engines[*host]
                .known()
                .is_some_and(|docker| docker.engine.is_some())
        };
        let running = wanted.members.iter().filter(runs);
        let nodes = running
            .map(|host| (host.clone(), seen.stack_node(host, wanted.about.clone())))
            .collect();
        let images = wanted.file.images().into_iter().map(|image| {
            let by_host = wanted
                .members
                .iter()
                .filter(runs)
                .map(|host| (host.clone(), seen.image(host, &*image)))
                .collect();
            (image, by_host)
        });
        let images = images.collect();
        let key = reader.map(|host| (host.clone(), seen.path(host, &*wanted.key)));
        Self {
            speakers,
            stack,
            roster,
            nodes,
            images,
            key,
            engines,
        }
    }

    /// What a host's node is set to, when it answers and takes no tasks: `drain`, `pause`.
    pub(super) fn taken_out(&self, host: &HostName) -> Option<&str> {
        let nodes = self.roster.as_ref()?.known()?.nodes.as_ref()?;
        let its = nodes
            .iter()
            .find(|node| node.hostname == host.as_str() && node.state == "ready")?;
        Some(&*its.availability).filter(|set| !["active", ""].contains(set))
    }

    /// Whether the node of a host is drained by this program, until all layers are well there.
    pub(super) fn is_held(&self, host: &HostName) -> bool {
        let marked = self.engines.get(host).and_then(Seen::known);
        marked.is_some_and(|docker| docker.marked) && self.taken_out(host) == Some("drain")
    }

    /// How many hosts take no tasks because their nodes are set so.
    pub(super) fn held(&self, wanted: &Wanted) -> usize {
        let hosts = wanted.members.iter();
        hosts.filter(|host| self.taken_out(host).is_some()).count()
    }

    /// Host names of the nodes that can take tasks of the stack.
    pub(super) fn eligible(&self, wanted: &Wanted) -> Option<BTreeSet<String>> {
        let nodes = self.roster.as_ref()?.known()?.nodes.as_ref()?;
        Some(
            nodes
                .iter()
                .filter(|node| node.state == "ready" && node.availability == "active")
                .filter(|node| {
                    let called = |host: &&HostName| host.as_str() == node.hostname;
                    wanted.members.iter().any(|host| called(&host))
                })
                .map(|node| node.hostname.clone())
                .collect(),
        )
    }

    /// Whether the secret key is there and filled; `None` when nobody knows.
    pub(super) fn key_is_filled(&self) -> Option<bool> {
        let (_, seen) = self.key.as_ref()?;
        Some(matches!(seen.known()?, PathState::File { size, .. } if *size > 0))
    }
}
