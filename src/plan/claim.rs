//! Evidence and postconditions: statements about a host that can be checked by asking it.

mod postgres;

pub use postgres::{PostgresExpect, is_loaded};
mod gluster;

pub use gluster::GlusterExpect;
mod stack;

pub use stack::StackExpect;
pub(crate) use stack::is_mounted;

use crate::inventory::HostName;
use crate::probe::docker::{self, Docker};
use crate::probe::{Answer, PathState, Query, Seen};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A statement about one host that its answer to one question confirms or denies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Which host is asked.
    pub host: HostName,
    /// What it is asked.
    pub query: Query,
    /// What must hold of the answer.
    pub expect: Expect,
}

/// What must hold of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Exactly this answer.
    Is(Box<Answer>),
    /// Nothing is at the path.
    Absent,
    /// A regular file with this checksum is at the path.
    FileIs(String),
    /// The unit's `ActiveState` is `active` (or is not).
    UnitActive(bool),
    /// The package is installed.
    Installed,
    /// The engine answers.
    EngineRuns,
    /// The engine is in no swarm, and neither its disk nor its daemon shows a trace of one.
    NoSwarm,
    /// The engine is an active member of a swarm; as a manager, with a working control plane.
    SwarmMember {
        /// Whether it must be a manager.
        manager: bool,
    },
    /// The roster lists the node with this id as ready (managers also as reachable).
    NodeReady(String),
    /// The roster lists a ready node at this address; as a manager, a reachable one.
    NodeAtReady {
        /// Advertise address of the node.
        addr: String,
        /// Whether it must be a manager.
        manager: bool,
    },
    /// The roster does not list the node with this id.
    NodeGone(String),
    /// The roster lists the node with this id as down, and not as a reachable manager.
    NodeDown(String),
    /// The roster lists the node with this id as a worker that no longer has a vote.
    NodeIsWorker(String),
    /// The roster has the node with this id as its leader.
    NodeLeads(String),
    /// The roster lists a ready node of this id or host name that tasks may run on.
    NodeActive(String),
    /// The host carries provision's note that it joined it drained, or carries none.
    DrainMarked(bool),
    /// The roster shows that one more manager may fail to come up without costing the quorum; of a single
    /// manager this cannot be asked.
    CanAddManager,
    /// The roster shows that one manager less leaves a quorum.
    CanDropManager,
    /// A former primary has committed nothing past the place where the present one left its timeline.
    NothingPast,
    /// Of a PostgreSQL server.
    Postgres(PostgresExpect),
    /// About `GlusterFS`.
    Gluster(GlusterExpect),
    /// Something is mounted that answers.
    Mounted,
    /// Something about a stack.
    Stack(StackExpect),
    /// The roster lists a ready node of this host name that has these labels, among others.
    NodeLabelled {
        /// Host name of the node.
        hostname: String,
        /// Labels and their values.
        labels: BTreeMap<String, String>,
    },
    /// About Pgpool-II.
    Pgpool(super::PgpoolExpect),
}

impl Claim {
    /// A claim.
    pub fn new(host: &HostName, query: Query, expect: Expect) -> Self {
        Self {
            host: host.clone(),
            query,
            expect,
        }
    }

    /// Whether an answer confirms it. An unknown answer confirms nothing.
    pub fn holds(&self, answer: &Seen<Answer>) -> bool {
        let Seen::Is(answer) = answer else {
            return false;
        };
        match (&self.expect, answer) {
            (Expect::Pgpool(expect), answer) => expect.holds(answer),
            (Expect::Is(wanted), answer) => **wanted == *answer,
            (Expect::Absent, Answer::Path(state)) => *state == PathState::Absent,
            (Expect::FileIs(wanted), Answer::Path(PathState::File { sha256, .. })) => {
                sha256.as_ref() == Some(wanted)
            }
            (Expect::UnitActive(wanted), Answer::Unit(unit)) => unit.is_active() == *wanted,
            (Expect::Installed, Answer::Package(package)) => package.is_some(),
            (Expect::Gluster(expect), answer) => expect.holds(answer),
            (Expect::Mounted, Answer::Mounted(mounted)) => mounted.is_alive(),
            (Expect::EngineRuns, Answer::Docker(docker)) => docker.engine.is_some(),
            (Expect::NoSwarm, Answer::Docker(docker)) => no_swarm(docker),
            (Expect::DrainMarked(wanted), Answer::Docker(docker)) => docker.marked == *wanted,
            (Expect::SwarmMember { manager }, Answer::Docker(docker)) => {
                docker.engine.as_ref().is_some_and(|engine| {
                    engine.swarm.local_node_state == "active"
                        && (!manager || engine.swarm.control_available)
                })
            }
            (Expect::Stack(expect), answer) => expect.holds(answer),
            (Expect::NothingPast, Answer::PostgresPast(past)) => past.commits == Some(0),
            (Expect::Postgres(expect), Answer::Postgres(postgres)) => expect.holds(postgres),
            (expect, Answer::SwarmNodes(roster)) => {
                let Some(nodes) = &roster.nodes else {
                    return false;
                };
                match expect {
                    Expect::NodeReady(id) => {
                        nodes.iter().any(|node| node.id == *id && node.is_ready())
                    }
                    Expect::NodeAtReady { addr, manager } => nodes.iter().any(|node| {
                        let at = node.addr == *addr
                            || node
                                .manager_addr
                                .rsplit_once(':')
                                .is_some_and(|(ip, _)| ip == addr);
                        at && node.is_ready() && (!manager || node.role == "manager")
                    }),
                    Expect::NodeGone(id) => nodes.iter().all(|node| node.id != *id),
                    Expect::NodeDown(id) => {
                        nodes.iter().any(|node| node.id == *id && node.is_down())
                    }
                    Expect::NodeIsWorker(id) => {
                        nodes.iter().any(|node| node.id == *id && !node.votes())
                    }
                    Expect::NodeLeads(id) => nodes.iter().any(|node| node.id == *id && node.leader),
                    Expect::NodeActive(name) => nodes.iter().any(|node| {
                        (node.id == *name || node.hostname == *name)
                            && node.is_ready()
                            && node.availability == "active"
                    }),
                    Expect::CanAddManager => docker::Node::may_add_manager(nodes),
                    Expect::CanDropManager => docker::Node::may_drop_manager(nodes),
                    Expect::NodeLabelled { hostname, labels } => nodes.iter().any(|node| {
                        node.hostname == *hostname
                            && node.is_ready()
                            && labels
                                .iter()
                                .all(|(key, value)| node.labels.get(key) == Some(value))
                    }),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

/// Whether neither the daemon nor the disk knows of a swarm.
pub(crate) fn no_swarm(docker: &Docker) -> bool {
    let engine_says_no = docker
        .engine
        .as_ref()
        .is_none_or(|engine| engine.swarm.local_node_state == "inactive");
    engine_says_no && !docker.hangs && docker.trace.is_empty()
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.host)?;
        match &self.expect {
            Expect::Pgpool(expect) => expect.fmt(f),
            Expect::Is(_) => write!(
                f,
                "{:?} answers as it did when this was planned",
                self.query
            ),
            Expect::Absent => write!(f, "nothing is at {:?}", self.query),
            Expect::FileIs(sha256) => write!(f, "{:?} has the checksum {sha256:.12}", self.query),
            Expect::UnitActive(true) => write!(f, "{:?} is active", self.query),
            Expect::UnitActive(false) => write!(f, "{:?} is not active", self.query),
            Expect::Installed => write!(f, "{:?} is installed", self.query),
            Expect::Gluster(expect) => write!(f, "{expect}"),
            Expect::Mounted => f.write_str("it is mounted, and answers"),
            Expect::EngineRuns => f.write_str("the Docker engine answers"),
            Expect::NoSwarm => f.write_str("the engine is in no swarm, on its disk neither"),
            Expect::SwarmMember { manager: true } => {
                f.write_str("the engine is a working manager of the swarm")
            }
            Expect::SwarmMember { manager: false } => {
                f.write_str("the engine is an active member of the swarm")
            }
            Expect::NodeReady(id) => write!(f, "the roster lists node {id} as ready"),
            Expect::NodeAtReady { addr, .. } => {
                write!(f, "the roster lists a ready node at {addr}")
            }
            Expect::NodeGone(id) => write!(f, "the roster no longer lists node {id}"),
            Expect::NodeDown(id) => write!(f, "the roster lists node {id} as down"),
            Expect::NodeIsWorker(id) => write!(f, "the roster lists node {id} as a worker"),
            Expect::Stack(expect) => write!(f, "{expect}"),
            Expect::NothingPast => {
                f.write_str("it has committed nothing that the present primary lacks")
            }
            Expect::Postgres(expect) => write!(f, "{expect}"),
            Expect::NodeLeads(id) => write!(f, "the roster has node {id} as its leader"),
            Expect::NodeActive(name) => {
                write!(f, "the roster lists node {name} as ready and active")
            }
            Expect::DrainMarked(true) => f.write_str("it is noted that it joins drained"),
            Expect::DrainMarked(false) => f.write_str("no note of a drain is on it"),
            Expect::CanAddManager => f.write_str("one more manager does not endanger the quorum"),
            Expect::CanDropManager => f.write_str("one manager less leaves a quorum"),
            Expect::NodeLabelled { hostname, .. } => {
                write!(f, "the roster lists node {hostname} with its labels")
            }
        }
    }
}
