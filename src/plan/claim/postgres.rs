//! Statements about a `PostgreSQL` server.

use crate::plan::RoleSpec;
use crate::probe::postgres::{Postgres, Role};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What must hold of [`Postgres`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostgresExpect {
    /// No data is anywhere, and nothing runs.
    NoTrace,
    /// There is a data directory that would start as a primary, and nothing runs.
    Stopped,
    /// It runs, answers, and is no standby.
    Primary,
    /// It is not a primary: it does not run, or is a standby that answers.
    NotPrimary,
    /// It runs, answers, and is a standby.
    Standby,
    /// It is a standby, and streams.
    Streaming,
    /// It runs with what is in its configuration files, as far as a reload can bring it about.
    Loaded,
    /// No setting waits for a restart.
    NothingPending,
    /// The role is so.
    Role(RoleSpec),
    /// The database is there, and has this owner.
    Database {
        /// Its name.
        name: String,
        /// Its owner.
        owner: String,
    },
    /// The extension is in the database.
    Extension {
        /// The database.
        database: String,
        /// The extension.
        name: String,
    },
}

impl PostgresExpect {
    /// Whether what a host told confirms it.
    pub fn holds(&self, of: &Postgres) -> bool {
        match self {
            Self::NoTrace => !of.is_trace() && !of.running,
            Self::Stopped => !of.data.is_free() && !of.running && !of.standby_signal,
            Self::Primary => of.primary().is_some(),
            Self::NotPrimary => !of.running || of.standby().is_some(),
            Self::Standby => of.standby().is_some(),
            Self::Streaming => of
                .standby()
                .and_then(|server| server.receiver.as_ref())
                .is_some_and(|receiver| receiver.status == "streaming"),
            Self::Loaded => is_loaded(of),
            Self::NothingPending => of
                .server
                .as_ref()
                .is_some_and(|server| server.pending_restart().next().is_none()),
            Self::Role(spec) => of
                .primary()
                .and_then(|server| server.role(&spec.name))
                .is_some_and(|role| spec.lacks(role).is_empty()),
            Self::Database { name, owner } => of
                .primary()
                .and_then(|server| server.database(name))
                .is_some_and(|database| database.owner == *owner),
            Self::Extension { database, name } => of
                .primary()
                .and_then(|server| server.database(database))
                .is_some_and(|database| database.extensions.contains_key(name)),
        }
    }
}

/// Whether the server has read its configuration files since they were changed. Both times are the host's.
pub fn is_loaded(of: &Postgres) -> bool {
    of.server
        .as_ref()
        .is_some_and(|server| of.files_changed_s.is_none_or(|at| server.loaded_s >= at))
}

impl RoleSpec {
    /// What a role lacks, in words without a secret.
    pub fn lacks(&self, role: &Role) -> Vec<String> {
        let mut lacks = Vec::new();
        let flags = [
            ("LOGIN", true, role.login),
            ("SUPERUSER", self.superuser, role.superuser),
            ("CREATEDB", self.createdb, role.createdb),
            ("REPLICATION", self.replication, role.replication),
        ];
        for (word, wanted, is) in flags {
            if wanted && !is {
                lacks.push(word.to_owned());
            }
        }
        for up in self
            .member_of
            .iter()
            .filter(|up| !role.member_of.contains(up))
        {
            lacks.push(format!("membership of {up}"));
        }
        match &role.verifier {
            None => lacks.push("a password".to_owned()),
            Some(verifier) if !verifier.matches(self.password.expose()) => {
                lacks.push("the password of the inventory".to_owned());
            }
            Some(_) => {}
        }
        lacks
    }
}

impl fmt::Display for PostgresExpect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTrace => f.write_str("no data of PostgreSQL is there, and none runs"),
            Self::Stopped => f.write_str("PostgreSQL's data is there, and it does not run"),
            Self::Primary => f.write_str("PostgreSQL answers and is a primary"),
            Self::NotPrimary => f.write_str("PostgreSQL is not a primary"),
            Self::Standby => f.write_str("PostgreSQL answers and is a standby"),
            Self::Streaming => f.write_str("PostgreSQL streams from its primary"),
            Self::Loaded => f.write_str("PostgreSQL has read its files since they were changed"),
            Self::NothingPending => f.write_str("no setting of PostgreSQL waits for a restart"),
            Self::Role(role) => write!(f, "role {} is as declared", role.name),
            Self::Database { name, owner } => write!(f, "database {name} belongs to {owner}"),
            Self::Extension { database, name } => {
                write!(f, "extension {name} is in database {database}")
            }
        }
    }
}
