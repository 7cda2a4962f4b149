//! Changes to a `PostgreSQL` server.

use crate::inventory::Secret;
use serde::{Deserialize, Serialize};

/// A change to a `PostgreSQL` server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostgresAct {
    /// Makes a data directory: beside its place first, then moved there whole.
    Initdb {
        /// Folder of the programs.
        bin: String,
        /// The data directory.
        data: String,
    },
    /// Puts our block into a file of the data directory that does not exist yet.
    Block {
        /// The file.
        path: String,
        /// The lines, without the markers.
        lines: String,
    },
    /// Starts the server past the guard that keeps former primaries down at boot: the evidence of all hosts
    /// stands for what the guard would ask.
    Start {
        /// The systemd unit.
        unit: String,
    },
    /// Moves the data directory of a stopped former primary aside.
    SetAside {
        /// Folder of the programs.
        bin: String,
        /// The data directory.
        data: String,
        /// The timeline that it must be on.
        timeline: u32,
    },
    /// Lets the server read its configuration files again.
    Reload {
        /// Folder of the programs.
        bin: String,
        /// The data directory.
        data: String,
    },
    /// Makes a role, or sets its attributes and password.
    Role {
        /// Folder of the programs.
        bin: String,
        /// What it must be.
        role: RoleSpec,
    },
    /// Makes a database, or gives it its owner.
    Database {
        /// Folder of the programs.
        bin: String,
        /// Its name.
        name: String,
        /// Its owner.
        owner: String,
    },
    /// Makes an extension in a database.
    Extension {
        /// Folder of the programs.
        bin: String,
        /// The database.
        database: String,
        /// The extension.
        name: String,
    },
}

/// What a role must be. Attributes that are not asked for are left as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSpec {
    /// Its name.
    pub name: String,
    /// `SUPERUSER`
    pub superuser: bool,
    /// `CREATEDB`
    pub createdb: bool,
    /// `REPLICATION`
    pub replication: bool,
    /// Roles that it must be a member of.
    pub member_of: Vec<String>,
    /// Its password.
    pub password: Password,
}

/// A password within an act: never shown, and left out of what is written down.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Secret);

impl Password {
    /// Takes one.
    pub fn new(text: &str) -> Self {
        Self(Secret::new(text))
    }

    /// The text, for the computation of what the server checks it against.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Serialize for Password {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("…")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self::new(&text))
    }
}
