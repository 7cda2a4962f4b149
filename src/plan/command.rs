//! The one translation of acts into commands: what a plan shows, and what a host runs.

mod file;
mod firewall;
mod gluster;
mod mount;
mod package;
mod postgres;
mod show;
mod stack;
mod swarm;
mod system;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_gluster;
#[cfg(test)]
mod golden_long;
#[cfg(test)]
mod golden_postgres;
#[cfg(test)]
mod golden_stack;
#[cfg(test)]
mod real;

use super::{Act, PostgresAct, Request, StackAct, SwarmAct};
use crate::inventory::HostName;
use std::time::Duration;

/// Exit status of a script that found something else than was planned for (`EX_TEMPFAIL` of sysexits.h).
pub const CHANGED: i32 = 75;

/// One part of an act, in order; a part that fails ends the act.
#[derive(Clone, PartialEq, Eq)]
pub enum Phase {
    /// A script for a POSIX shell on the host; it fails by a status other than 0 and says why on stderr.
    Run {
        /// The text. Holds no secret.
        script: String,
        /// Its standard input. May hold a secret.
        stdin: Option<Vec<u8>>,
        /// How long it may take.
        deadline: Duration,
    },
    /// The same with a file of the controller on its standard input.
    FeedFile {
        /// The text. Holds no secret.
        script: String,
        /// The file. It may be large, so that it is read when it is needed.
        file: String,
        /// How long the script may take once the file has arrived.
        deadline: Duration,
    },
    /// A new ssh login must succeed before going on: the present one may outlive what the act has cut.
    FreshLogin,
}

impl std::fmt::Debug for Phase {
    /// The standard input may hold a secret, so only its size is in a debug message.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run {
                script,
                stdin,
                deadline,
            } => f
                .debug_struct("Run")
                .field("script", script)
                .field("stdin_bytes", &stdin.as_ref().map(Vec::len))
                .field("deadline", deadline)
                .finish(),
            Self::FeedFile {
                script,
                file,
                deadline,
            } => f
                .debug_struct("FeedFile")
                .field("script", script)
                .field("file", file)
                .field("deadline", deadline)
                .finish(),
            Self::FreshLogin => f.write_str("FreshLogin"),
        }
    }
}

impl Phase {
    fn run(script: impl Into<String>, seconds: u64) -> Self {
        Self::Run {
            script: script.into(),
            stdin: None,
            deadline: Duration::from_secs(seconds),
        }
    }

    fn feed(script: impl Into<String>, stdin: Vec<u8>, seconds: u64) -> Self {
        Self::Run {
            script: script.into(),
            stdin: Some(stdin),
            deadline: Duration::from_secs(seconds),
        }
    }
}

/// A secret that is asked for just before the act, and kept in memory only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Late {
    /// The token that a node joins a swarm with.
    JoinToken {
        /// For a manager; otherwise for a worker.
        manager: bool,
        /// The hosts that can tell it; the first that answers.
        from: Vec<HostName>,
    },
    /// Certificates, made on the controller.
    Certificates(Box<Request>),
}

impl Late {
    /// The script that prints the secret, and nothing else, on stdout; empty for what no host is asked.
    pub fn script(&self) -> String {
        match self {
            Self::Certificates(_) => String::new(),
            Self::JoinToken { manager, .. } => {
                format!("docker swarm join-token -q {}", swarm::role(*manager))
            }
        }
    }
}

impl Act {
    /// The secret that must be asked for just before.
    pub fn late(&self) -> Option<Late> {
        match self {
            Self::Swarm(SwarmAct::Join {
                manager,
                token_from,
                ..
            }) => Some(Late::JoinToken {
                manager: *manager,
                from: token_from.clone(),
            }),
            Self::Stack(StackAct::Certify(request)) => {
                Some(Late::Certificates(Box::new(request.clone())))
            }
            _ => None,
        }
    }

    /// The text that it puts into a file whose rest is not known yet.
    pub fn block(&self) -> Option<String> {
        match self {
            Self::Postgres(PostgresAct::Block { lines, .. }) => Some(postgres::block(lines)),
            _ => None,
        }
    }

    /// What is run on the host, in order. `late` is what [`Late::script`] printed.
    pub fn phases(&self, late: Option<&str>) -> Vec<Phase> {
        match self {
            Self::WriteFile {
                path,
                content,
                before,
                mode,
                owner,
                group,
            } => {
                let attributes = file::Attributes::new(*mode, owner.as_deref(), group.as_deref());
                vec![file::write(path, content, before.as_ref(), attributes)]
            }
            Self::MakeDirectory {
                path,
                mode,
                owner,
                group,
            } => {
                let attributes = file::Attributes::new(*mode, owner.as_deref(), group.as_deref());
                vec![file::make_directory(path, attributes)]
            }
            Self::SetAttributes {
                path,
                mode,
                owner,
                group,
            } => {
                let attributes = file::Attributes::new(*mode, owner.as_deref(), group.as_deref());
                vec![file::set_attributes(path, attributes)]
            }
            Self::RemovePath { path } => vec![file::remove(path)],
            Self::InstallPackages(packages) => vec![package::install(packages)],
            Self::RemovePackages(names) => vec![package::remove(names)],
            Self::Unit { unit, verb } => vec![system::unit(unit, *verb)],
            Self::Firewall(change) => firewall::phases(change),
            Self::SetSysctl { key, value } => vec![system::sysctl(key, value)],
            Self::AddToGroup { user, group } => vec![system::add_to_group(user, group)],
            Self::SetHostname(name) => vec![system::hostname(name)],
            Self::Swarm(act) => vec![swarm::phase(act, late)],
            Self::Pgpool(act) => vec![Phase::run(act.script(), act.deadline_s())],
            Self::Postgres(act) => vec![postgres::phase(act)],
            Self::Gluster(act) => vec![gluster::phase(act)],
            Self::Mount(act) => vec![mount::phase(act)],
            Self::Stack(act) => vec![stack::phase(act, late)],
            Self::Command { line, .. } => vec![Phase::run(line.script(), system::COMMAND_SECONDS)],
        }
    }
}
