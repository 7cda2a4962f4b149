//! The Docker engine and its swarm, asked of the engine's own API over its socket.
//!
//! `GET /info` and `GET /nodes` answer what `docker info` and `docker node inspect` print, without
//! starting the client (which looks for its plug-ins at each start).
//! Source: Docker Engine API v1.41 (engine 20.10) and later; the fields used here are unchanged up to v1.50.

use super::Seen;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The engine's socket.
pub const SOCKET: &str = "/run/docker.sock";

/// Where an engine keeps its membership of a swarm.
pub const SWARM_DIR: &str = "/var/lib/docker/swarm";

/// The note of provision that it joined this host drained, and is to activate it when all layers are well. It is
/// written before the join (DESIGN, ruling 6): a drain without it is somebody else's.
pub const DRAIN_MARK: &str = "/var/lib/provision/swarm-drained";

/// What is known about Docker on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Docker {
    /// Whether there is a `docker` or `dockerd` program.
    pub installed: bool,
    /// The engine, when it answers.
    pub engine: Option<Engine>,
    /// Why it does not answer, when it does not.
    pub silent: String,
    /// Whether it runs all the same: an engine that waits for the election of a leader, or hangs.
    pub hangs: bool,
    /// What a swarm left under [`SWARM_DIR`], seen even when no engine runs.
    pub trace: Trace,
    /// Whether there is a [`DRAIN_MARK`].
    pub marked: bool,
}

impl Docker {
    /// Why no engine answers, in a clause.
    pub fn silence(&self) -> String {
        match (self.installed, self.hangs) {
            (false, _) => "its engine does not run (docker is not installed)".to_owned(),
            (true, true) => format!("its engine runs and does not answer ({})", self.silent),
            (true, false) => format!("its engine does not run ({})", self.silent),
        }
    }

    /// Without what an engine changes by itself as others come and go.
    pub fn steady(&self) -> Self {
        let mut steady = self.clone();
        if let Some(engine) = &mut steady.engine {
            let swarm = &mut engine.swarm;
            swarm.remote_managers.clear();
            swarm.local_node_state.clear();
            swarm.error.clear();
            swarm.control_available = false;
            swarm.cluster = None;
        }
        steady.trace.managers.clear();
        steady
    }
}

/// Files of a swarm membership, on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trace {
    /// `docker-state.json` exists: the engine was told to be in a swarm.
    pub state: bool,
    /// SHA-256 of the swarm's root certificate: the identity of the swarm, known to workers too.
    pub ca_sha256: String,
    /// `state.json` of the membership names these managers (`address:port`).
    pub managers: Vec<String>,
}

impl Trace {
    /// Whether nothing is left of any swarm.
    pub fn is_empty(&self) -> bool {
        !self.state && self.ca_sha256.is_empty() && self.managers.is_empty()
    }
}

/// A running engine. The JSON names are the API's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Engine {
    /// `26.1.5`
    pub server_version: String,
    /// Whether containers survive a stop of the daemon: forbids a swarm.
    pub live_restore_enabled: bool,
    /// Its place in a swarm.
    pub swarm: Swarm,
}

/// An engine's own view of its membership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Swarm {
    /// Own id in the swarm.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Own address in the swarm.
    pub node_addr: String,
    /// `inactive`, `pending`, `active`, `error` or `locked`.
    pub local_node_state: String,
    /// Whether it is a manager whose control plane works.
    pub control_available: bool,
    /// Why the state is `error`.
    pub error: String,
    /// The managers that it knows, ordered by id: the engine lists them in the order of a hash map.
    #[serde(deserialize_with = "peers")]
    pub remote_managers: Vec<Peer>,
    /// The swarm, known to managers only.
    pub cluster: Option<Cluster>,
}

/// A manager as another engine knows it; `state.json` on its disk has other keys than its API.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Peer {
    /// Its id.
    #[serde(rename = "NodeID", alias = "node_id")]
    pub node_id: String,
    /// `address:port`
    #[serde(alias = "addr")]
    pub addr: String,
}

/// What is fixed when a swarm is created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Cluster {
    /// Id of the swarm.
    #[serde(rename = "ID")]
    pub id: String,
    /// UDP port of the overlay networks; 0 means the default, 4789.
    pub data_path_port: u32,
    /// Pools that overlay networks take their subnets from.
    #[serde(deserialize_with = "list")]
    pub default_addr_pool: Vec<String>,
    /// Prefix length of those subnets.
    pub subnet_size: u32,
}

/// The roster as one manager sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Roster {
    /// The nodes, ordered by id; `None` when this engine cannot tell.
    pub nodes: Option<Vec<Node>>,
    /// Why it cannot: not a manager, no quorum, no engine.
    pub error: String,
}

impl Roster {
    /// Without what the managers change by themselves: who leads, and whom they hear. A quorum is lost by itself, too.
    pub fn steady(&self) -> Option<Self> {
        let nodes = self.nodes.as_ref()?.iter().map(|node| Node {
            state: String::new(),
            addr: String::new(),
            reachability: String::new(),
            leader: false,
            version: 0,
            ..node.clone()
        });
        Some(Self {
            nodes: Some(nodes.collect()),
            error: String::new(),
        })
    }
}

/// A node of the swarm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its id: never reused.
    pub id: String,
    /// The host name it had when it joined.
    pub hostname: String,
    /// `manager` or `worker`.
    pub role: String,
    /// `active`, `pause` or `drain`.
    pub availability: String,
    /// `ready`, `down`, `unknown` or `disconnected`.
    pub state: String,
    /// The address that it is seen at.
    pub addr: String,
    /// Managers: `reachable` or `unreachable`; empty for workers.
    pub reachability: String,
    /// Whether it leads.
    pub leader: bool,
    /// Managers: address of its control plane, `address:port`.
    pub manager_addr: String,
    /// Labels set on the node.
    pub labels: BTreeMap<String, String>,
    /// Version of the object, which an update must name.
    pub version: u64,
}

impl Node {
    /// Whether it is wanted as a manager, or still has a vote.
    pub fn votes(&self) -> bool {
        self.role == "manager" || !self.reachability.is_empty()
    }

    /// Managers of a roster, and those of them that are reachable.
    fn count(nodes: &[Self]) -> (usize, usize) {
        let voters = || nodes.iter().filter(|node| node.votes());
        let reachable = voters().filter(|node| node.reachability == "reachable");
        (voters().count(), reachable.count())
    }

    /// Whether a manager that is added and never answers would leave the others a majority. From one
    /// manager to two there is no such way.
    pub fn may_add_manager(nodes: &[Self]) -> bool {
        let (managers, reachable) = Self::count(nodes);
        managers <= 1 || reachable > managers.div_ceil(2)
    }

    /// Whether a manager may be taken away: all are reachable, or the others are a majority even while it
    /// still counts.
    pub fn may_drop_manager(nodes: &[Self]) -> bool {
        let (managers, reachable) = Self::count(nodes);
        managers > 1 && (reachable == managers || reachable > managers / 2 + 1)
    }

    /// Whether it works: ready, and as a manager reachable.
    pub fn is_ready(&self) -> bool {
        self.state == "ready" && (self.role != "manager" || self.reachability == "reachable")
    }

    /// Whether the managers have given it up: `down`, and not reachable as a manager either.
    pub fn is_down(&self) -> bool {
        self.state == "down" && self.reachability != "reachable"
    }
}

/// The API writes an empty list as `null`.
fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(from)?.unwrap_or_default())
}

fn peers<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Peer>, D::Error> {
    let mut peers: Vec<Peer> = list(from)?;
    peers.sort();
    Ok(peers)
}

/// What the scripts say of a service that does not run.
const NOT_ACTIVE: &str = "docker.service is ";

// `docker.socket` starts the engine for whoever connects to it, so a look at an engine that is stopped
// must not connect.
pub(super) const DOCKER: &str = "\
d=/var/lib/docker/swarm
m=; [ ! -e /var/lib/provision/swarm-drained ] || m=' marked'
if command -v dockerd >/dev/null || command -v docker >/dev/null; then echo \"installed$m\"; else echo \"absent$m\"; fi
if [ -s $d/docker-state.json ]; then echo state; else echo none; fi
if [ -r $d/certificates/swarm-root-ca.crt ]; then sha256sum <$d/certificates/swarm-root-ca.crt; else echo none; fi
if [ -r $d/state.json ]; then tr -d '\\n' <$d/state.json; fi; echo
s=$(systemctl is-active docker.service); [ \"$s\" = active ] || { echo \"docker.service is $s\" >&2; exit 0; }
curl --silent --show-error --max-time 20 --unix-socket /run/docker.sock http://docker/info
exit 0";

pub(super) fn parse_docker(stdout: &str, stderr: &str) -> Seen<Docker> {
    let lines: Vec<&str> = stdout.splitn(5, '\n').collect();
    let [installed, state, ca, peers, info] = lines[..] else {
        return Seen::Unknown(format!("the look at Docker broke off: {}", stderr.trim()));
    };
    let engine = serde_json::from_str::<Engine>(info)
        .ok()
        .filter(|engine| !engine.server_version.is_empty());
    let silent = match &engine {
        Some(_) => String::new(),
        None if info.trim().is_empty() => stderr.trim().to_owned(),
        None => message(info),
    };
    let managers: Vec<Peer> = serde_json::from_str(peers).unwrap_or_default();
    Seen::Is(Docker {
        installed: installed.starts_with("installed"),
        marked: installed.ends_with(" marked"),
        hangs: engine.is_none() && !stderr.contains(NOT_ACTIVE),
        engine,
        silent,
        trace: Trace {
            state: state == "state",
            ca_sha256: ca
                .split(' ')
                .next()
                .filter(|sum| *sum != "none")
                .unwrap_or_default()
                .to_owned(),
            managers: {
                let mut found: Vec<String> = managers.into_iter().map(|peer| peer.addr).collect();
                found.sort();
                found
            },
        },
    })
}

pub(super) const NODES: &str = "\
s=$(systemctl is-active docker.service); [ \"$s\" = active ] || { echo \"docker.service is $s\" >&2; exit 0; }
curl --silent --show-error --max-time 20 --unix-socket /run/docker.sock http://docker/nodes
exit 0";

pub(super) fn parse_nodes(stdout: &str, stderr: &str) -> Seen<Roster> {
    let nodes: Vec<ApiNode> = match serde_json::from_str(stdout) {
        Ok(nodes) => nodes,
        Err(_) => {
            let error = if stdout.trim().is_empty() {
                stderr.trim().to_owned()
            } else {
                message(stdout)
            };
            return Seen::Is(Roster { nodes: None, error });
        }
    };
    let mut nodes: Vec<Node> = nodes.into_iter().map(ApiNode::flat).collect();
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    Seen::Is(Roster {
        nodes: Some(nodes),
        error: String::new(),
    })
}

/// The API's errors are `{"message": …}`.
pub(super) fn message(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .ok()
        .and_then(|value| Some(value.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| json.trim().chars().take(400).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiNode {
    #[serde(rename = "ID")]
    id: String,
    version: ApiVersion,
    spec: ApiSpec,
    description: ApiDescription,
    status: ApiStatus,
    manager_status: Option<ApiManager>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiVersion {
    index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiSpec {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    role: String,
    availability: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiDescription {
    #[serde(default)]
    hostname: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiStatus {
    state: String,
    #[serde(default)]
    addr: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct ApiManager {
    leader: bool,
    reachability: String,
    addr: String,
}

impl ApiNode {
    fn flat(self) -> Node {
        let manager = self.manager_status.unwrap_or_default();
        Node {
            id: self.id,
            hostname: self.description.hostname,
            role: self.spec.role,
            availability: self.spec.availability,
            state: self.status.state,
            addr: self.status.addr,
            reachability: manager.reachability,
            leader: manager.leader,
            manager_addr: manager.addr,
            labels: self.spec.labels.unwrap_or_default(),
            version: self.version.index,
        }
    }
}
