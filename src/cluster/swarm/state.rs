//! What the hosts told, one word each: the input of the decision table.

use crate::inventory::HostName;
use crate::probe::Seen;
use crate::probe::docker::{Cluster, Docker, Node, Roster, Trace};
use crate::probe::network::Interface;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is known of every member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// By host.
    pub hosts: BTreeMap<HostName, Observed>,
}

/// What is known of one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// Its own view of its membership.
    pub here: Here,
    /// The roster, from an engine that says it is a manager.
    pub roster: Option<Seen<Roster>>,
    /// Whether provision noted that it joined it drained.
    pub marked: bool,
    /// Its IPv4 networks: interface and address with prefix length.
    pub networks: Seen<Vec<(String, String)>>,
}

/// A host's own view of its membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Here {
    /// It did not answer, and why. It may be anything, also the only one that holds the swarm.
    Silent(String),
    /// It is in no swarm.
    Absent {
        /// Why this is not the engine's own word, when it is not.
        assumed: Option<String>,
        /// Whether `live-restore` is on, which Docker forbids in a swarm.
        live_restore: bool,
    },
    /// A membership is on its disk, and no engine answers.
    Stopped {
        /// What is on the disk.
        trace: Trace,
        /// Why no engine answers: `its engine does not run (…)`.
        silent: String,
    },
    /// A join is under way, or the engine is starting.
    Pending(Place),
    /// The engine waits for the unlock key.
    Locked(Place),
    /// The engine gave up its membership.
    Broken {
        /// What is known of the membership.
        place: Place,
        /// The engine's error.
        error: String,
    },
    /// A member by its own word.
    Active {
        /// What is known of the membership.
        place: Place,
        /// Its own address in the swarm.
        addr: String,
        /// Whether it is a manager by its own word. It says so without a quorum, too.
        manager: bool,
        /// The swarm's fixed settings; managers with a quorum only.
        cluster: Option<Cluster>,
        /// The engine's complaint; empty when it has none.
        error: String,
    },
}

/// A membership as the member itself knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its node id; empty when it has none yet.
    pub node_id: String,
    /// What is on the disk.
    pub trace: Trace,
    /// The managers that it knows, `address:port`.
    pub managers: Vec<String>,
}

/// Whether the engine may have the roster, so that it is worth asking.
pub(super) fn may_know_the_roster(docker: &Seen<Docker>) -> bool {
    docker
        .known()
        .and_then(|docker| docker.engine.as_ref())
        .is_some_and(|engine| engine.swarm.control_available)
}

impl Observed {
    pub(super) fn new(
        docker: &Seen<Docker>,
        roster: Option<Seen<Roster>>,
        interfaces: &Seen<Vec<Interface>>,
    ) -> Self {
        let networks = interfaces.clone().map(|interfaces| {
            interfaces
                .into_iter()
                .flat_map(|interface| {
                    let name = interface.name;
                    interface
                        .addresses
                        .into_iter()
                        .map(move |address| (name.clone(), address))
                })
                .collect()
        });
        let here = match docker {
            Seen::Unknown(why) => Here::Silent(why.clone()),
            Seen::Is(docker) => Here::new(docker),
        };
        Self {
            here,
            roster,
            marked: docker.known().is_some_and(|docker| docker.marked),
            networks,
        }
    }

    /// The roster, when this engine has one.
    pub(super) fn nodes(&self) -> Option<&[Node]> {
        self.roster.as_ref()?.known()?.nodes.as_deref()
    }
}

impl Here {
    fn new(docker: &Docker) -> Self {
        let trace = docker.trace.clone();
        let Some(engine) = &docker.engine else {
            return match docker.hangs && trace.is_empty() {
                // Nothing is on its disk, but what the engine itself knows is not told.
                true => Self::Silent(docker.silence()),
                false => Self::without_engine(docker, trace),
            };
        };
        let swarm = &engine.swarm;
        let mut managers: Vec<String> = swarm
            .remote_managers
            .iter()
            .map(|peer| peer.addr.clone())
            .chain(trace.managers.iter().cloned())
            .collect();
        managers.sort();
        managers.dedup();
        let place = Place {
            node_id: swarm.node_id.clone(),
            trace,
            managers,
        };
        match &*swarm.local_node_state {
            // The engine's word counts, unless its disk says otherwise.
            "" | "inactive" if place.trace.is_empty() => Self::Absent {
                assumed: None,
                live_restore: engine.live_restore_enabled,
            },
            "pending" => Self::Pending(place),
            "locked" => Self::Locked(place),
            "active" => Self::Active {
                place,
                addr: swarm.node_addr.clone(),
                manager: swarm.control_available,
                cluster: swarm
                    .cluster
                    .clone()
                    .filter(|cluster| !cluster.id.is_empty()),
                error: swarm.error.clone(),
            },
            "" | "inactive" => Self::Broken {
                place,
                error: "the engine says that it is in no swarm, but a membership is on its disk"
                    .to_owned(),
            },
            state => Self::Broken {
                place,
                error: if swarm.error.is_empty() {
                    format!("its state is `{state}`")
                } else {
                    swarm.error.clone()
                },
            },
        }
    }

    fn without_engine(docker: &Docker, trace: Trace) -> Self {
        if !trace.is_empty() {
            let silent = docker.silence();
            return Self::Stopped { trace, silent };
        }
        let assumed = if docker.installed {
            "its engine does not run yet, and its disk shows no trace of a swarm"
        } else {
            "docker is not installed there yet, and its disk shows no trace of a swarm"
        };
        Self::Absent {
            assumed: Some(assumed.to_owned()),
            live_restore: false,
        }
    }

    /// What is known of its membership, when it has one.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::Pending(place)
            | Self::Locked(place)
            | Self::Broken { place, .. }
            | Self::Active { place, .. } => Some(place),
            Self::Silent(_) | Self::Absent { .. } | Self::Stopped { .. } => None,
        }
    }

    /// What is on its disk, when that is a membership.
    pub(super) fn trace(&self) -> Option<&Trace> {
        match self {
            Self::Stopped { trace, .. } => Some(trace),
            _ => self.place().map(|place| &place.trace),
        }
    }
}
