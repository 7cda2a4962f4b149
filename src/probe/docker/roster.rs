//! The roster: the nodes of a swarm as one of its managers tells them (`GET /nodes`).

use super::super::Seen;
use super::message;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

pub(in crate::probe) const NODES: &str = "\
s=$(systemctl is-active docker.service); [ \"$s\" = active ] || { echo \"docker.service is $s\" >&2; exit 0; }
curl --silent --show-error --max-time 20 --unix-socket /run/docker.sock http://docker/nodes
exit 0";

pub(in crate::probe) fn parse_nodes(stdout: &str, stderr: &str) -> Seen<Roster> {
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
