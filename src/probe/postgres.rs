//! `PostgreSQL` on a host: its data directory, and when it runs, what the server itself says.
//!
//! What is on the disk is read without the server and even without its programs: data that a host holds is
//! a trace of the cluster whether or not anything is installed. The server is asked through its local
//! socket as the account `postgres`, in one session a database, with time limits.
//! Sources: PostgreSQL 16 documentation, chapters 9.27 (functions), 28.2 (statistics views), 54 (views),
//! 73.1 (files of a data directory).

mod parse;
pub mod past;
mod scram;
mod script;
mod server;

pub use server::{
    Database, Receiver, Role, Sender, Server, Setting, Slot, Verifier, timeline_of_wal_file,
};

pub(super) use parse::parse;
pub(super) use script::script;

use serde::{Deserialize, Serialize};

/// The account that the packages make, and the superuser that `initdb` makes when run as it.
pub const ACCOUNT: &str = "postgres";

/// The line before our part of a configuration file: that of the source's scripts (ruling 9).
pub const BLOCK_BEGIN: &str = "# KE2-BEGIN: ke2 custom settings";

/// The line after it.
pub const BLOCK_END: &str = "# KE2-END";

/// A start that provision asks for on the evidence of all hosts leaves this file for the guard.
pub const START_NOTE: &str = "/run/provision/postgres.start";

/// Which instance is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct About {
    /// Folder of the programs, `/usr/pgsql-16/bin`.
    pub bin: String,
    /// The data directory, `/var/lib/pgsql/16/data`.
    pub data: String,
    /// The application's database: whether it holds tables is asked too.
    pub database: String,
}

/// What is known about `PostgreSQL` on a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Postgres {
    /// Whether the server's program is installed.
    pub installed: bool,
    /// What is at the data directory.
    pub data: Data,
    /// Whether the data directory is a mount point: it can then not be removed and made anew.
    pub mount_point: bool,
    /// Contents of `PG_VERSION`, `16`; empty without one.
    pub version: String,
    /// System identifier, from the first eight bytes of `global/pg_control`; empty without that file.
    pub identifier: String,
    /// Other directories that hold data of some `PostgreSQL`, `/var/lib/pgsql/15/data`.
    pub others: Vec<String>,
    /// `standby.signal` is there: the server starts as a standby.
    pub standby_signal: bool,
    /// `recovery.signal` is there: the server starts into a targeted recovery.
    pub recovery_signal: bool,
    /// What `pg_controldata` tells; `None` without data, or without the program.
    pub control: Option<Control>,
    /// The timelines before the newest one that the data directory knows of, oldest first.
    pub history: Vec<Fork>,
    /// A postmaster works on the data directory, ready or not.
    pub running: bool,
    /// Modification time of the newer of `postgresql.conf` and `pg_hba.conf`, Unix seconds.
    pub files_changed_s: Option<f64>,
    /// What the server says, when it answers.
    pub server: Option<Box<Server>>,
    /// Why it does not answer, when it runs and does not.
    pub silent: String,
}

/// What is at the place of the data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// Nothing.
    #[default]
    Absent,
    /// An empty directory.
    Empty,
    /// A data directory: `PG_VERSION` and `global/pg_control` are there.
    Present,
    /// Something else: the first names in it.
    Foreign(Vec<String>),
}

impl Data {
    /// Whether nothing would be lost by making a data directory here.
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Absent | Self::Empty)
    }
}

/// `pg_controldata`, as far as decisions rest on it. Of a running server it lags behind: it is written
/// with each checkpoint or restart point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Control {
    /// `Database system identifier`.
    pub identifier: String,
    /// `Database cluster state`: `in production`, `shut down`, `in archive recovery`,
    /// `shut down in recovery`, `in crash recovery` …
    pub state: String,
    /// `Latest checkpoint's TimeLineID`.
    pub timeline: u32,
    /// `Latest checkpoint location`.
    pub checkpoint: Lsn,
    /// `Latest checkpoint's REDO location`.
    pub redo: Lsn,
    /// `Minimum recovery ending location`; zero for what was a primary.
    pub min_recovery_end: Lsn,
    /// `Min recovery ending loc's timeline`; zero for what was a primary.
    pub min_recovery_end_timeline: u32,
    /// `Data page checksum version` is not zero.
    pub checksums: bool,
}

impl Control {
    /// How far this data certainly reaches: the later of the checkpoint and the end of recovery.
    pub fn reaches(&self) -> (u32, Lsn) {
        let own = (self.timeline, self.checkpoint);
        own.max((self.min_recovery_end_timeline, self.min_recovery_end))
    }
}

/// Where a timeline was left for the next one: a line of a `.history` file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The timeline that was left.
    pub timeline: u32,
    /// Where: what was written beyond it on that timeline is not part of the newer one.
    pub at: Lsn,
}

/// A place in the write-ahead log, in bytes; written `16/B374D848`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl std::str::FromStr for Lsn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = |hex: &str| u32::from_str_radix(hex, 16).map(u64::from);
        text.split_once('/')
            .and_then(|(high, low)| Some(Self(part(high).ok()? << 32 | part(low).ok()?)))
            .ok_or_else(|| format!("`{text}` is no place in the write-ahead log"))
    }
}

impl std::fmt::Display for Lsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl Serialize for Lsn {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Postgres {
    /// Without what a server changes by itself: positions, who is connected, what is being replayed.
    pub fn steady(&self) -> Self {
        let mut steady = self.clone();
        steady.silent.clear();
        if let Some(control) = &mut steady.control {
            *control = Control {
                identifier: std::mem::take(&mut control.identifier),
                checksums: control.checksums,
                ..Control::default()
            };
        }
        steady.history.clear();
        if let Some(server) = &mut steady.server {
            server.forget_volatile();
        }
        steady
    }

    /// Whether the data directory, or another one, holds data.
    pub fn is_trace(&self) -> bool {
        !self.data.is_free() || !self.others.is_empty()
    }

    /// The server, when it answers and is no standby.
    pub fn primary(&self) -> Option<&Server> {
        self.server.as_deref().filter(|server| !server.in_recovery)
    }

    /// The server, when it answers and is a standby.
    pub fn standby(&self) -> Option<&Server> {
        self.server.as_deref().filter(|server| server.in_recovery)
    }
}

#[cfg(test)]
mod tests {
    use super::Lsn;

    #[test]
    fn places_in_the_log_are_read_written_and_ordered() {
        for text in ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<Lsn>().unwrap().to_string(), text);
        }
        assert!("1/0".parse::<Lsn>().unwrap() > "0/FFFFFFFF".parse().unwrap());
        for wrong in ["", "0", "x/1", "1/100000000", "-1/0"] {
            assert!(wrong.parse::<Lsn>().is_err(), "{wrong}");
        }
    }
}
