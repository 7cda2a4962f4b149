//! What the hosts told, one word each: the input of the decision table.

use super::{Postgres, block, deposed};
use crate::cluster::former_primary::{self, Beyond};
use crate::inventory::HostName;
use crate::plan::is_loaded;
use crate::probe::pgpool::Pgpool;
use crate::probe::postgres::{self as probe, Control, Data, Fork, Lsn, Server};
use crate::probe::{Answers, Seen, path};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is known of every member.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct State {
    /// By host.
    pub hosts: BTreeMap<HostName, Observed>,
    /// What Pgpool-II tells on each, while one of two primaries was deposed.
    pub pgpools: BTreeMap<HostName, Seen<Pgpool>>,
}

/// What is known of one member.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observed {
    /// Its own word.
    pub here: Here,
    /// The two files that hold a block of ours, by path; only where there is data.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
    /// Of a stopped former primary beside a present one.
    pub(super) beyond: Option<Beyond>,
}

/// A host's own word.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Here {
    /// It did not answer, and why. It may be anything, also the only one that holds the data.
    Silent(String),
    /// No data.
    Empty {
        /// Whether PostgreSQL is not even installed.
        blank: bool,
        /// Whether the data directory is a mount point.
        mount_point: bool,
    },
    /// Something else than data is at the place of the data directory: the first names in it.
    Foreign(Vec<String>),
    /// Data of PostgreSQL is elsewhere on the host: these directories.
    Elsewhere(Vec<String>),
    /// Data is there, and nothing works on it.
    Stopped(Disk),
    /// A server runs and does not answer, and why.
    Starting(Disk, String),
    /// A server answers.
    Running(Disk, Box<Server>, bool),
}

/// What is on the disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Disk {
    /// `PG_VERSION`
    pub version: String,
    /// System identifier.
    pub identifier: String,
    /// Whether it starts as a standby.
    pub standby: bool,
    /// `pg_controldata`
    pub control: Control,
    /// The timelines that were left.
    pub history: Vec<Fork>,
}

impl Disk {
    fn new(of: &probe::Postgres) -> Self {
        Self {
            version: of.version.clone(),
            identifier: of.identifier.clone(),
            standby: of.standby_signal || of.recovery_signal,
            control: of.control.clone().unwrap_or_default(),
            history: of.history.clone(),
        }
    }

    /// The newest timeline that it knows of, and how far its data certainly reaches.
    pub fn reaches(&self) -> (u32, Lsn) {
        self.control.reaches()
    }

    /// Made by initdb and never started: what it holds is known without asking.
    pub fn is_virgin(&self) -> bool {
        self.control.state == "shut down"
            && self.control.timeline == 1
            && self.control.checkpoint < Lsn(0x200_0000)
    }
}

impl State {
    /// Asks former primaries what they have that the only present one lacks: stopped ones, and one that was deposed and
    /// still runs.
    pub(super) fn look_beyond(&mut self, of: &Postgres, seen: &Answers<'_>) {
        let mut primaries = of
            .members
            .iter()
            .filter(|host| of.here(self, host).primary().is_some());
        let (primary, deposed) = match (primaries.next(), primaries.next()) {
            (None, _) => return,
            (Some(primary), None) => (primary.clone(), None),
            (Some(_), Some(_)) => match deposed::find(of, self) {
                Some(deposed) => (deposed.primary.clone(), Some(deposed.former.clone())),
                None => return,
            },
        };
        if let (Some(_), Some(about)) = (&deposed, &of.pgpool) {
            let tells = |host: &HostName| (host.clone(), seen.pgpool(host, about.clone()));
            self.pgpools = of.members.iter().map(tells).collect();
        }
        let here = of.here(self, &primary);
        let (Some(server), Some(disk)) = (here.primary(), here.disk()) else {
            return;
        };
        let (timeline, history) = (server.timeline, disk.history.clone());
        let primary = former_primary::Present {
            timeline,
            history: &history,
        };
        for (host, observed) in &mut self.hosts {
            let disk = match &observed.here {
                Here::Stopped(disk) if !disk.standby => Some(disk),
                Here::Running(disk, ..) if deposed.as_ref() == Some(host) => Some(disk),
                _ => None,
            };
            if let Some(disk) = disk {
                let own = (&disk.control, &*disk.history);
                observed.beyond = former_primary::look(seen, host, &of.about, own, primary);
            }
        }
    }

    /// What a stopped former primary has that the present one lacks.
    pub(super) fn beyond(&self, host: &HostName) -> Option<&Beyond> {
        self.hosts.get(host)?.beyond.as_ref()
    }
}

impl Observed {
    pub(super) fn new(told: &Seen<probe::Postgres>) -> Self {
        let here = match told {
            Seen::Unknown(why) => Here::Silent(why.clone()),
            Seen::Is(of) => Here::new(of),
        };
        Self {
            here,
            files: BTreeMap::new(),
            beyond: None,
        }
    }

    /// The present content of a file, when it is known.
    pub(super) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path)?.as_deref()
    }

    pub(super) fn keep(&mut self, path: String, content: &Seen<Option<path::Content>>) {
        let bytes = match content {
            Seen::Is(Some(content)) if content.size <= path::CONTENT_LIMIT as u64 => {
                Some(content.bytes.clone())
            }
            _ => None,
        };
        self.files.insert(path, bytes);
    }
}

impl Here {
    fn new(of: &probe::Postgres) -> Self {
        let disk = Disk::new(of);
        match &of.data {
            Data::Foreign(names) => Self::Foreign(names.clone()),
            Data::Absent | Data::Empty if !of.others.is_empty() => {
                Self::Elsewhere(of.others.clone())
            }
            Data::Absent | Data::Empty => Self::Empty {
                blank: !of.installed,
                mount_point: of.mount_point,
            },
            Data::Present if !of.running => Self::Stopped(disk),
            Data::Present => match &of.server {
                Some(server) => Self::Running(disk, server.clone(), is_loaded(of)),
                None => Self::Starting(disk, of.silent.clone()),
            },
        }
    }

    /// What is on the disk, when that is known to be data.
    pub fn disk(&self) -> Option<&Disk> {
        match self {
            Self::Stopped(disk) | Self::Starting(disk, _) | Self::Running(disk, ..) => Some(disk),
            _ => None,
        }
    }

    /// The server, when it answers and is a primary.
    pub fn primary(&self) -> Option<&Server> {
        match self {
            Self::Running(_, server, _) if !server.in_recovery => Some(server),
            _ => None,
        }
    }

    /// The server, when it answers and is a standby.
    pub fn standby(&self) -> Option<&Server> {
        match self {
            Self::Running(_, server, _) if server.in_recovery => Some(server),
            _ => None,
        }
    }

    /// One line for evidence and status.
    pub fn says(&self) -> String {
        match self {
            Self::Silent(why) => format!("did not answer: {why}"),
            Self::Empty { blank: true, .. } => "PostgreSQL is not installed, no data".to_owned(),
            Self::Empty { .. } => "no data".to_owned(),
            Self::Foreign(names) => format!(
                "something else is in the data directory: {}",
                names.join(", ")
            ),
            Self::Elsewhere(places) => format!("data of PostgreSQL in {}", places.join(", ")),
            Self::Stopped(disk) => format!("stopped, {}", disk.says()),
            Self::Starting(disk, why) => {
                format!("runs and does not answer ({why}), {}", disk.says())
            }
            Self::Running(_, server, _) => server_says(server),
        }
    }
}

impl Disk {
    fn says(&self) -> String {
        let (timeline, at) = self.reaches();
        let kind = if self.standby {
            "a standby"
        } else {
            "no standby"
        };
        format!(
            "{kind}, `{}`, timeline {timeline}, reaches {at}, system {}",
            self.control.state, self.identifier
        )
    }
}

fn server_says(server: &Server) -> String {
    let at = |lsn: Option<Lsn>| lsn.unwrap_or_default();
    if server.in_recovery {
        let upstream = match &server.receiver {
            Some(receiver) => format!("{} from {}", receiver.status, receiver.sender_host),
            None => "not connected to a primary".to_owned(),
        };
        format!(
            "standby, {upstream}, timeline {}, received {}, replayed {}, system {}",
            server.timeline,
            at(server.received),
            at(server.replayed),
            server.identifier
        )
    } else {
        format!(
            "primary, timeline {}, at {}, {} standbys connected, system {}",
            server.timeline,
            at(server.current),
            server.senders.len(),
            server.identifier
        )
    }
}

impl Postgres {
    /// Where the two blocks are, and what is in them.
    pub(super) fn blocks(&self) -> [(&'static str, String, &str); 2] {
        let data = &self.about.data;
        [
            (
                "settings",
                format!("{data}/postgresql.conf"),
                &self.settings_text,
            ),
            ("access", format!("{data}/pg_hba.conf"), &self.hba),
        ]
    }

    /// Whether a file holds its block as it should be.
    pub(super) fn holds_block(now: &[u8], lines: &str) -> bool {
        block::set(now, lines) == now
    }
}
