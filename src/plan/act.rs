//! The changes that exist. An act is typed data; [`Act::argv`] is its only translation into a command.

mod postgres;

pub use postgres::{Password, PostgresAct, RoleSpec};
mod gluster;
mod mount;

pub use gluster::{GlusterAct, Member};
pub use mount::MountAct;
mod stack;

pub use stack::{Reload, Request, StackAct, Subject};

use crate::inventory::HostName;
use crate::probe::shell::CommandLine;
use serde::{Deserialize, Serialize};

/// Through which host an act is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// This one.
    Host(HostName),
    /// Any of these, which are managers of the swarm with a working control plane; the first that answers.
    AnyManager(Vec<HostName>),
}

/// One change to a host, or through a host to its cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Puts a whole file in place: temporary file beside it, fsync, rename.
    WriteFile {
        /// Absolute path.
        path: String,
        /// What it will hold.
        content: Content,
        /// What it holds now; `None` when there is no file. Checked on the host before the rename.
        before: Option<Content>,
        /// Permission bits; those of the present file, or 0644, when not given.
        mode: Option<u32>,
        /// Owner; the present one, or root, when not given.
        owner: Option<String>,
        /// Group; the present one, or root, when not given.
        group: Option<String>,
    },
    /// Makes a directory (and its parents), or sets the attributes of one.
    MakeDirectory {
        /// Absolute path.
        path: String,
        /// Permission bits.
        mode: Option<u32>,
        /// Owner.
        owner: Option<String>,
        /// Group.
        group: Option<String>,
    },
    /// Sets attributes of an existing file or directory.
    SetAttributes {
        /// Absolute path.
        path: String,
        /// Permission bits.
        mode: Option<u32>,
        /// Owner.
        owner: Option<String>,
        /// Group.
        group: Option<String>,
    },
    /// Removes a file, or an empty directory. Never recursive.
    RemovePath {
        /// Absolute path.
        path: String,
    },
    /// Installs packages in one transaction; nothing is removed or replaced for them.
    InstallPackages(Vec<Package>),
    /// Removes packages in one transaction.
    RemovePackages(Vec<String>),
    /// Does something to a systemd unit.
    Unit {
        /// Name with its suffix, such as `docker.service`.
        unit: String,
        /// What.
        verb: UnitVerb,
    },
    /// Opens or closes something in a firewalld zone, confirm-or-revert.
    Firewall(FirewallChange),
    /// Sets a kernel parameter now; the file that keeps it is a `WriteFile`.
    SetSysctl {
        /// Name, such as `net.ipv4.ip_forward`.
        key: String,
        /// Value.
        value: String,
    },
    /// Adds an account to a supplementary group.
    AddToGroup {
        /// Account.
        user: String,
        /// Group.
        group: String,
    },
    /// Sets the host's name, now and for the next boot.
    SetHostname(String),
    /// Changes a Docker Swarm.
    Swarm(SwarmAct),
    /// Changes the nodes of Pgpool-II.
    Pgpool(super::PgpoolAct),
    /// Changes a PostgreSQL server.
    Postgres(PostgresAct),
    /// Changes a `GlusterFS` pool or volume.
    Gluster(GlusterAct),
    /// Changes what is mounted.
    Mount(MountAct),
    /// Changes a stack, or what it needs.
    Stack(StackAct),
    /// Runs a command of the user's.
    Command {
        /// What to run.
        line: CommandLine,
        /// What it may change; the whole host when nothing is said.
        writes: Option<Vec<String>>,
    },
}

/// What a file holds. A secret content is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The bytes, as text where they are text.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub bytes: Vec<u8>,
    /// Whether it must not be shown.
    pub secret: bool,
}

impl std::fmt::Debug for Content {
    /// A file may hold secrets, so its content is never in a debug message.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes)", self.bytes.len())
    }
}

impl Content {
    /// A content that may be shown.
    pub fn plain(text: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: text.into(),
            secret: false,
        }
    }

    /// SHA-256 in hexadecimal, as `sha256sum` prints it.
    pub fn sha256(&self) -> String {
        use sha2::Digest;
        sha2::Sha256::digest(&self.bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// A package to install.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Name.
    pub name: String,
    /// `version` or `version-release`; the newest at apply when not given.
    pub version: Option<String>,
}

/// What is done to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitVerb {
    /// Starts at boot.
    Enable,
    /// Does not start at boot.
    Disable,
    /// Starts now.
    Start,
    /// Stops now.
    Stop,
    /// Stops and starts.
    Restart,
    /// Reads its configuration again.
    Reload,
}

impl UnitVerb {
    /// systemctl's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}

/// A change of a firewalld zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirewallChange {
    /// The zone.
    pub zone: String,
    /// What is opened (`open`) or closed.
    pub items: Vec<FirewallItem>,
    /// Whether the items are opened or closed.
    pub open: bool,
    /// Whether the running firewall is changed.
    pub runtime: bool,
    /// Whether the configuration for the next start is changed.
    pub permanent: bool,
}

/// Something that a zone lets in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirewallItem {
    /// `2377/tcp`
    Port(String),
    /// `glusterfs`
    Service(String),
    /// `esp`
    Protocol(String),
}

impl FirewallItem {
    /// The kind in firewall-cmd's options and the value: `("port", "2377/tcp")`.
    pub fn option(&self) -> (&'static str, &str) {
        match self {
            Self::Port(port) => ("port", port),
            Self::Service(service) => ("service", service),
            Self::Protocol(protocol) => ("protocol", protocol),
        }
    }
}

/// A change of a Docker Swarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwarmAct {
    /// Creates a swarm with this host as its first manager.
    Init {
        /// Address that the other nodes reach this one at.
        advertise_addr: String,
        /// UDP port of the overlay networks.
        data_path_port: u16,
        /// Pools of the overlay networks' subnets.
        default_addr_pool: Vec<String>,
        /// Prefix length of those subnets.
        subnet_size: u8,
    },
    /// Joins this host. The token is asked of a manager just before, and goes to the engine's socket on standard input.
    Join {
        /// Whether as a manager.
        manager: bool,
        /// Own address.
        advertise_addr: String,
        /// Managers to ask, `address:2377`.
        remote_addrs: Vec<String>,
        /// Inventory hosts that can give the token.
        token_from: Vec<HostName>,
        /// Whether no task may be put there until it is activated.
        #[serde(default)]
        drained: bool,
    },
    /// Notes on this host that it is going to be joined drained, and by whom.
    Mark,
    /// Takes that note away.
    Unmark,
    /// Lets tasks run on a node.
    Activate {
        /// Node id, or the host name of a node that has yet to join.
        id: String,
    },
    /// Leaves the swarm: only for a membership that the managers no longer know.
    Leave,
    /// Makes a manager of a worker.
    Promote {
        /// Node id.
        id: String,
    },
    /// Makes a worker of a manager.
    Demote {
        /// Node id.
        id: String,
    },
    /// Takes a node that is down off the roster.
    Forget {
        /// Node id.
        id: String,
    },
    /// Sets labels on a node.
    Label {
        /// Node id, or the host name of a node that has yet to join: Docker refuses an ambiguous one.
        id: String,
        /// Labels to set.
        labels: std::collections::BTreeMap<String, String>,
    },
}
