//! Login accounts and their groups.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};

/// A login account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Numeric id.
    pub uid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Names of all groups, the primary one first.
    pub groups: Vec<String>,
}

pub(super) fn script(name: &str) -> String {
    let name = quote(name);
    format!("getent passwd -- {name} && id -Gn -- {name}")
}

pub(super) fn parse(status: i32, stdout: &str, stderr: &str) -> Seen<Option<User>> {
    let mut lines = stdout.lines();
    // getent: 2 = no such key.
    if status == 2 {
        return Seen::Is(None);
    }
    let passwd: Vec<&str> = lines.next().unwrap_or_default().split(':').collect();
    let (Some(uid), Some(home), Some(shell), Some(groups)) = (
        passwd.get(2).and_then(|uid| uid.parse().ok()),
        passwd.get(5),
        passwd.get(6),
        lines.next(),
    ) else {
        return Seen::Unknown(format!("getent exited {status}: {}", stderr.trim()));
    };
    Seen::Is(Some(User {
        uid,
        home: (*home).to_owned(),
        shell: (*shell).to_owned(),
        groups: groups.split_whitespace().map(str::to_owned).collect(),
    }))
}
