//! Looking without touching: every question that can be put to a host is listed here.
//!
//! A [`Query`] is data. Only this folder turns one into a command, so a module cannot change a host
//! while it looks, even by mistake. A host that does not answer is [`Seen::Unknown`], never "absent".

pub mod answers;
pub mod arp;
pub mod ask;
pub mod brick;
pub mod certificate;
pub mod database_port;
pub mod docker;
pub mod firewall;
pub mod firewall_service;
pub mod gluster;
pub mod gluster_volume;
pub mod image;
pub mod machine;
pub mod mounted;
pub mod network;
pub mod package;
pub mod path;
pub mod pgpool;
pub mod postgres;
pub mod presented;
pub mod shell;
pub mod stack;
pub mod stack_node;
pub mod tables;
pub mod unit;
pub mod user;
mod xml;

pub use answers::{Answers, Memory, Need, Seen};
pub use path::PathState;

use crate::inventory::HostName;
use serde::{Deserialize, Serialize};

/// Declares each question once: its variant, the type of its answer, and the getter for modules.
macro_rules! queries {
    ($( $(#[$doc:meta])* $getter:ident: $variant:ident $(($arg:ty))? => $out:ty ),+ $(,)?) => {
        /// A read-only question to one host.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Query { $( $(#[$doc])* $variant $(($arg))? ),+ }

        /// What a host answered to the [`Query`] of the same name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Answer { $( $(#[$doc])* $variant($out) ),+ }

        impl Query {
            /// Its kind, as a log names it.
            pub fn kind(&self) -> &'static str {
                match self { $( Self::$variant { .. } => stringify!($getter) ),+ }
            }
        }

        impl Answers<'_> {
            $(
                $(#[$doc])*
                pub fn $getter(&self, host: &HostName $(, about: impl Into<$arg>)?) -> Seen<$out> {
                    let query = Query::$variant $(({ let about: $arg = about.into(); about }))?;
                    match self.get(host, query) {
                        Seen::Is(Answer::$variant(answer)) => Seen::Is(answer),
                        Seen::Is(other) => Seen::Unknown(format!("an answer of another kind: {other:?}")),
                        Seen::Unknown(why) => Seen::Unknown(why),
                    }
                }
            )+
        }
    };
}

queries! {
    /// Operating system, names and identity of the machine.
    machine: Machine => machine::Machine,
    /// Addresses, interfaces and their drivers.
    interfaces: Interfaces => Vec<network::Interface>,
    /// The host's clock against the controller's.
    clock: Clock => machine::Clock,
    /// What a name resolves to on the host (IPv4).
    resolve: Resolve(String) => Vec<String>,
    /// Space on the file system that holds a path.
    filesystem: Filesystem(String) => machine::Filesystem,
    /// The installed version of a package; `None` when it is not installed.
    package: Package(String) => Option<package::Installed>,
    /// State of a systemd unit.
    unit: Unit(String) => unit::Unit,
    /// Metadata and checksum of a path.
    path: Path(String) => PathState,
    /// The content of a file; `None` when there is no such file.
    content: Content(String) => Option<path::Content>,
    /// The outcome of a command that only reads.
    command: Command(shell::CommandLine) => shell::Outcome,
    /// firewalld: runtime and permanent configuration of all zones.
    firewall: Firewall => firewall::Firewall,
    /// A login account and its groups; `None` when there is none of this name.
    user: User(String) => Option<user::User>,
    /// The running value of a kernel parameter; `None` when the kernel has none of this name.
    sysctl: Sysctl(String) => Option<String>,
    /// The Docker engine, its place in a swarm, and what a former swarm left on the disk.
    docker: Docker => docker::Docker,
    /// The roster of the swarm as this manager sees it.
    swarm_nodes: SwarmNodes => docker::Roster,
    /// PostgreSQL: its data directory, and what a running server says of itself.
    postgres: Postgres(postgres::About) => postgres::Postgres,
    /// What a stopped PostgreSQL committed past a place in its log.
    postgres_past: PostgresPast(postgres::past::About) => postgres::past::Past,
    /// Pgpool-II: its files, and what the daemon says of nodes and watchdog.
    pgpool: Pgpool(pgpool::About) => pgpool::Pgpool,
    /// What the definition of a service of firewalld lets in; `None` when firewalld knows none of this name.
    firewall_service: FirewallService(String) => Option<firewall_service::Service>,
    /// What is mounted at a place, and whether it answers.
    mounted: Mounted(String) => mounted::Mounted,
    /// The GlusterFS daemon, its pool, and what both left on the disk.
    gluster: Gluster => gluster::Gluster,
    /// A GlusterFS volume as this daemon knows it.
    gluster_volume: GlusterVolume(String) => gluster_volume::Volume,
    /// Processes and healing of a GlusterFS volume, asked through this daemon.
    gluster_status: GlusterStatus(String) => gluster_volume::Status,
    /// The folder of a brick of GlusterFS.
    gluster_brick: GlusterBrick(String) => brick::Folder,
    /// A stack as this manager sees it.
    stack: Stack(String) => stack::Stack,
    /// What of a stack is on this node, and what RabbitMQ keeps there.
    stack_node: StackNode(stack_node::About) => stack_node::Node,
    /// The certificates that containers of a stack present here, and the one in the folder.
    presented: Presented(presented::About) => presented::Presented,
    /// A container image on this host; `None` when it has none of this name.
    image: Image(String) => Option<image::Image>,
    /// Certificates and their keys in a folder.
    certificates: Certificates(certificate::Place) => certificate::Pair,
    /// How many tables of the application a local database has; `None` when this host has no such database.
    tables: Tables(String) => Option<u64>,
    /// Whether another machine of a network has an address.
    address_taken: AddressTaken(arp::About) => bool,
    /// What listens at an address of the network, as seen from this host.
    database_port: DatabasePort(database_port::Endpoint) => database_port::Listens,
}

impl Answer {
    /// The part that only an act can change; `None` when all of it changes by itself.
    pub fn steady(&self) -> Option<Self> {
        Some(match self {
            // A virtual address comes and goes by itself.
            Self::Interfaces(_) | Self::Clock(_) | Self::Filesystem(_) | Self::GlusterStatus(_) => {
                return None;
            }
            Self::Docker(docker) => Self::Docker(docker.steady()),
            Self::SwarmNodes(roster) => Self::SwarmNodes(roster.steady()?),
            Self::Pgpool(pgpool) => Self::Pgpool(pgpool.steady()),
            Self::Postgres(postgres) => Self::Postgres(postgres.steady()),
            Self::Gluster(gluster) => Self::Gluster(gluster.steady()),
            Self::GlusterBrick(folder) => Self::GlusterBrick(folder.steady()),
            Self::Mounted(mounted) => Self::Mounted(mounted.steady()),
            Self::Stack(stack) => Self::Stack(stack.steady()?),
            Self::Certificates(pair) => Self::Certificates(pair.steady()),
            // Containers come and go by themselves.
            Self::Tables(_)
            | Self::DatabasePort(_)
            | Self::AddressTaken(_)
            | Self::StackNode(_)
            | Self::Presented(_) => {
                return None;
            }
            other => other.clone(),
        })
    }
}

impl Query {
    /// Whether only this host's own acts can change the answer; others tell of the cluster as well.
    pub fn is_local(&self) -> bool {
        !matches!(
            self,
            // A virtual address moves when a daemon of another host starts.
            Self::Interfaces
                | Self::Docker
                | Self::SwarmNodes
                | Self::Postgres(_)
                | Self::PostgresPast(_)
                | Self::Pgpool(_)
                | Self::Command(_)
                | Self::Gluster
                | Self::GlusterVolume(_)
                | Self::GlusterStatus(_)
                | Self::GlusterBrick(_)
                | Self::Mounted(_)
                | Self::Stack(_)
                | Self::StackNode(_)
                | Self::Presented(_)
                | Self::Certificates(_)
                | Self::Tables(_)
                | Self::DatabasePort(_)
                | Self::AddressTaken(_)
        )
    }
}
