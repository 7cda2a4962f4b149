//! The Docker engine and its swarm, asked of the engine's own API over its socket.
//!
//! `GET /info` and `GET /nodes` answer what `docker info` and `docker node inspect` print, without
//! starting the client (which looks for its plug-ins at each start).
//! Source: Docker Engine API v1.41 (engine 20.10) and later; the fields used here are unchanged up to v1.50.

mod roster;

pub(super) use roster::{NODES, parse_nodes};
pub use roster::{Node, Roster};

use super::Seen;
use serde::{Deserialize, Serialize};

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
    #[serde(deserialize_with = "pools")]
    pub default_addr_pool: Vec<String>,
    /// Prefix length of those subnets.
    pub subnet_size: u32,
}

/// The API writes an empty list as `null`.
fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(from)?.unwrap_or_default())
}

/// Docker's own pool, of a swarm that was founded without one.
const OWN_POOL: &str = "10.0.0.0/8";

/// An engine tells its own pool only after it was restarted, and none before (seen with 26.1.5).
fn pools<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let pools = list(from)?;
    Ok(if pools.is_empty() {
        vec![OWN_POOL.to_owned()]
    } else {
        pools
    })
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

/// The API's errors are `{"message": …}`.
pub(super) fn message(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .ok()
        .and_then(|value| Some(value.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| json.trim().chars().take(400).collect())
}
