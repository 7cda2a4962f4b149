//! The command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::lab::{Lab, Record};
use crate::site::{Named, Network};

/// EL9-like hosts on one Linux machine, for the demo and the tests of `provision`
#[derive(Debug, Parser)]
#[command(name = "lab", version)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The lab a command is about.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// Name of the lab; labs of different names run side by side
    #[arg(long, value_name = "NAME", default_value = "demo")]
    pub name: String,
}

impl Which {
    /// The lab and what is written down about it.
    pub fn lab(&self) -> Result<(Lab, Record)> {
        let lab = Lab::named(&self.name)?;
        let record = lab.record()?;
        Ok((lab, record))
    }
}

/// Some hosts of a lab, or all of them.
#[derive(Args, Clone, Debug)]
pub struct Hosts {
    /// Hosts, by name or address
    #[arg(value_name = "HOST", required_unless_present = "all")]
    pub hosts: Vec<String>,
    /// All hosts of the lab
    #[arg(long, conflicts_with = "hosts")]
    pub all: bool,
}

/// How the hosts see control groups.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupVersion {
    /// One hierarchy for everything; CPU limits are refused and memory limits ignored
    V1,
    /// As on EL9, but without controllers
    V2,
}

/// How `status` prints.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// A table for people
    Text,
    /// One JSON object
    Json,
}

/// Which way `lab repo` switches the mirror.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Reach {
    /// The mirror cannot be reached
    Down,
    /// The mirror can be reached
    Up,
}

/// The verbs of the lab.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the cached base image and the package repositories, and nothing else
    Build,
    /// Make a lab and wait for the sshd of every host
    Up {
        #[command(flatten)]
        which: Which,
        /// Number of hosts [default: 3]
        #[arg(long, value_name = "N", conflicts_with = "names", value_parser = clap::value_parser!(u8).range(1..=200))]
        hosts: Option<u8>,
        /// Network of the hosts; its last address is the gateway
        #[arg(long, value_name = "ADDRESS/PREFIX", default_value_t = Network::default())]
        network: Network,
        /// Names of the hosts, and their addresses if not the network's first ones
        #[arg(long, value_name = "NAME[=ADDRESS]", value_delimiter = ',')]
        names: Vec<Named>,
        /// How the hosts see control groups
        #[arg(long, value_enum, default_value_t = CgroupVersion::V2)]
        cgroup: CgroupVersion,
        /// Put archives of the stack's container images beside the lab's state, in `images`
        #[arg(long)]
        images: bool,
    },
    /// Make archives of the stack's container images, and print where they are
    Images {
        /// Put them into this directory, too
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Load the stack's container images into the Docker of hosts
    LoadImages {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Remove a lab and everything it made
    Down {
        #[command(flatten)]
        which: Which,
    },
    /// Show the hosts of a lab
    Status {
        #[command(flatten)]
        which: Which,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Run a command on a host over ssh, or log in
    Ssh {
        #[command(flatten)]
        which: Which,
        /// Host, by name or address
        host: String,
        /// The command and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Pipe standard input and output to a TCP port of a host (a `ProxyCommand` for ssh)
    Connect {
        #[command(flatten)]
        which: Which,
        /// Host, by name or address
        host: String,
        /// TCP port
        port: u16,
    },
    /// Run a command as root inside a host, without ssh
    Exec {
        #[command(flatten)]
        which: Which,
        /// Host, by name or address
        host: String,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Print the address of a host
    Address {
        #[command(flatten)]
        which: Which,
        /// Host, by name or address
        host: String,
    },
    /// Power loss: the link falls silent, then everything on the host dies at once
    Kill {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Shut hosts down cleanly
    Stop {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Start hosts that are off and wait for their sshd
    Start {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Shut hosts down cleanly and start them again
    Reboot {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Pull the network cable of hosts
    Cut {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Put the network cable of hosts back
    Mend {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Drop what one host sends to another
    Partition {
        #[command(flatten)]
        which: Which,
        /// One host
        a: String,
        /// The other host
        b: String,
        /// Only from the first to the second
        #[arg(long)]
        one_way: bool,
        /// Lose only so many packets of a hundred
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
        loss: Option<u8>,
    },
    /// End all partitions and losses between hosts
    Heal {
        #[command(flatten)]
        which: Which,
    },
    /// Make the package mirror unreachable, or reachable again
    Repo {
        #[command(flatten)]
        which: Which,
        /// Host by name or address, or `all`
        host: String,
        /// Which way
        reach: Reach,
        /// Drop packets instead of refusing connections
        #[arg(long)]
        silent: bool,
    },
    /// Put a blank machine in a host's place: same name and address, new keys and machine-id
    Replace {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
        /// Write the new host keys to the lab's known_hosts
        #[arg(long)]
        refresh_known_hosts: bool,
    },
    /// Put a blank disk, formatted, in the place of the brick's, of hosts that are off
    ReplaceDisk {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Keep the disks of a stopped lab under a label
    Snapshot {
        #[command(flatten)]
        which: Which,
        /// Label to keep it under; an older snapshot of that label is replaced
        label: String,
    },
    /// Put the disks of a stopped lab back to a snapshot
    Restore {
        #[command(flatten)]
        which: Which,
        /// Label of the snapshot
        label: String,
    },
    /// Start a file server outside the hosts, and print what it exports
    NfsServer {
        #[command(flatten)]
        which: Which,
    },
    /// Print the mirror's access log
    MirrorLog {
        #[command(flatten)]
        which: Which,
    },
    /// (internal) keep one host running
    #[command(hide = true)]
    Supervise {
        #[command(flatten)]
        which: Which,
        /// Host
        host: String,
    },
    /// (internal) one boot of one host, from power-on to power-off
    #[command(hide = true)]
    Boot {
        #[command(flatten)]
        which: Which,
        /// Host
        host: String,
    },
    /// (internal) the first process of a host, until it becomes systemd
    #[command(hide = true)]
    Init {
        #[command(flatten)]
        which: Which,
        /// Host
        host: String,
    },
    /// (internal) one service of the fake internet
    #[command(hide = true)]
    Serve {
        #[command(flatten)]
        which: Which,
        /// Service
        service: crate::services::Service,
    },
}
