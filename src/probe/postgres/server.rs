//! What a running server says of itself.

use super::Lsn;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A server that answers on its local socket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// `16.14`
    pub version: String,
    /// Port of the socket that answered.
    pub port: u16,
    /// Whether it is a standby.
    pub in_recovery: bool,
    /// System identifier.
    pub identifier: String,
    /// Timeline: that of the WAL a primary writes, or that a standby receives (else that of its last
    /// restart point).
    pub timeline: u32,
    /// Primary: where it writes.
    pub current: Option<Lsn>,
    /// Standby: what it has received and flushed.
    pub received: Option<Lsn>,
    /// Standby: what it has replayed.
    pub replayed: Option<Lsn>,
    /// When it last read its configuration files, Unix seconds.
    pub loaded_s: f64,
    /// Standby: its connection to the upstream, when it has one.
    pub receiver: Option<Receiver>,
    /// Standbys that are connected, by application name.
    pub senders: Vec<Sender>,
    /// Replication slots, by name.
    pub slots: Vec<Slot>,
    /// Settings that decisions rest on, and all whose change waits for a restart.
    pub settings: BTreeMap<String, Setting>,
    /// Lines of the configuration files that the server would not accept, as `file:line: why`.
    pub file_errors: Vec<String>,
    /// Roles but the built-in ones, by name.
    pub roles: Vec<Role>,
    /// Databases, by name.
    pub databases: Vec<Database>,
    /// Whether the application's database has tables of its own; `None` when there is no such database.
    pub has_tables: Option<bool>,
}

/// A standby's connection to its upstream (`pg_stat_wal_receiver`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Receiver {
    /// `streaming`, `waiting`, `starting` …
    pub status: String,
    /// The upstream's host, as the standby was told.
    pub sender_host: String,
    /// The upstream's port.
    pub sender_port: u16,
    /// The slot that it uses; empty without one.
    pub slot: String,
    /// Timeline of what it has received.
    pub timeline: u32,
}

/// A standby as its upstream sees it (`pg_stat_replication`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sender {
    /// `application_name`: the standby's host name.
    pub name: String,
    /// Its address; empty for the local socket.
    pub address: String,
    /// `startup`, `catchup`, `streaming`, `backup` or `stopping`.
    pub state: String,
    /// `async`, `potential`, `sync` or `quorum`.
    pub sync_state: String,
    /// Bytes that it has yet to replay.
    pub lag_bytes: Option<i64>,
}

/// A replication slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// `physical` or `logical`.
    pub kind: String,
    /// Whether someone streams from it.
    pub active: bool,
    /// `reserved`, `extended`, `unreserved` or `lost`; empty before its first use.
    pub wal_status: String,
    /// Bytes of WAL that it holds back.
    pub retained_bytes: Option<i64>,
}

/// A setting of the running server, in the unit of `pg_settings`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// The value that is in force. Passwords within connection strings are left out.
    pub value: String,
    /// Whether the files hold another one that only a restart brings into force.
    pub pending_restart: bool,
}

/// A role of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `SUPERUSER`
    pub superuser: bool,
    /// `CREATEDB`
    pub createdb: bool,
    /// `CREATEROLE`
    pub createrole: bool,
    /// `REPLICATION`
    pub replication: bool,
    /// `LOGIN`
    pub login: bool,
    /// Roles that it is a member of, directly.
    pub member_of: Vec<String>,
    /// What its password is checked against; `None` without a password.
    pub verifier: Option<Verifier>,
}

/// A password as the server keeps it. Who has it can try passwords against it, so it is never shown: it
/// is compared by [recomputing](Verifier::matches) it from the password and its own salt.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier(String);

impl Verifier {
    /// Takes one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`, or another form of older servers.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(…)")
    }
}

impl Serialize for Verifier {
    /// Says only that there is one.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("…")
    }
}

impl<'de> Deserialize<'de> for Verifier {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

/// A database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// `UTF8`, `SQL_ASCII` …
    pub encoding: String,
    /// `LC_COLLATE`
    pub collate: String,
    /// Its extensions with their versions; asked of `postgres`, `template1` and the application's only.
    pub extensions: BTreeMap<String, String>,
}

impl Server {
    /// The value of a setting that is in force.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|setting| &*setting.value)
    }

    /// Names of the settings that wait for a restart.
    pub fn pending_restart(&self) -> impl Iterator<Item = &str> {
        let pending = self.settings.iter().filter(|(_, set)| set.pending_restart);
        pending.map(|(name, _)| &**name)
    }

    /// The role called `name`.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The database called `name`.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.databases.iter().find(|database| database.name == name)
    }

    /// The standby of this application name, as this server sees it.
    pub fn sender(&self, name: &str) -> Option<&Sender> {
        self.senders.iter().find(|sender| sender.name == name)
    }

    pub(super) fn forget_volatile(&mut self) {
        (self.current, self.received, self.replayed) = (None, None, None);
        self.receiver = None;
        self.senders.clear();
        for slot in &mut self.slots {
            slot.active = false;
            slot.wal_status.clear();
            slot.retained_bytes = None;
        }
        self.has_tables = None;
    }
}

/// The timeline in the name of a WAL file: its first eight digits.
pub fn timeline_of_wal_file(name: &str) -> Option<u32> {
    u32::from_str_radix(name.get(..8)?, 16).ok()
}
