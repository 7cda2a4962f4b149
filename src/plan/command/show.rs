//! An act as one line that a reviewer knows. Never a secret.

use super::{firewall, gluster, mount, package, postgres, stack, swarm, system};
use crate::plan::{Act, Content};
use crate::probe::shell::{join, quote};

impl Act {
    /// One line for plans, logs and reports.
    pub fn show(&self) -> String {
        match self {
            Self::WriteFile {
                path,
                content,
                before,
                mode,
                owner,
                group,
            } => {
                let about = attributes(*mode, owner.as_deref(), group.as_deref());
                let about = match (about.is_empty(), before) {
                    (false, _) => about,
                    (true, None) => "0644".to_owned(),
                    (true, Some(_)) => "mode and owner kept".to_owned(),
                };
                format!("write {} ({}, {about})", quote(path), size(content))
            }
            Self::MakeDirectory {
                path,
                mode,
                owner,
                group,
            } => {
                let about = attributes(*mode, owner.as_deref(), group.as_deref());
                let about = if about.is_empty() {
                    about
                } else {
                    format!(" ({about})")
                };
                format!("mkdir -p {}{about}", quote(path))
            }
            Self::SetAttributes {
                path,
                mode,
                owner,
                group,
            } => format!(
                "set {} of {}",
                attributes(*mode, owner.as_deref(), group.as_deref()),
                quote(path)
            ),
            Self::RemovePath { path } => format!("rm {}", quote(path)),
            Self::InstallPackages(packages) => join(&package::install_words(packages)),
            Self::RemovePackages(names) => join(&package::remove_words(names)),
            Self::Unit { unit, verb } => format!("systemctl {} {}", verb.word(), quote(unit)),
            Self::Firewall(change) => firewall::show(change),
            Self::SetSysctl { key, value } => system::sysctl_line(key, value),
            Self::AddToGroup { user, group } => system::add_to_group_line(user, group),
            Self::SetHostname(name) => system::hostname_line(name),
            Self::Swarm(act) => swarm::words(act).join(" "),
            Self::Stack(act) => stack::show(act),
            Self::Pgpool(act) => join(&act.words()),
            Self::Postgres(act) => postgres::show(act),
            Self::Gluster(act) => gluster::show(act),
            Self::Mount(act) => mount::show(act),
            Self::Command { line, .. } => line.script(),
        }
    }
}

/// The attributes that are given, in words: `0644 root:root`, `owner root`.
fn attributes(mode: Option<u32>, owner: Option<&str>, group: Option<&str>) -> String {
    let mode = mode.map(|mode| format!("{mode:04o}"));
    let ownership = match (owner, group) {
        (Some(owner), Some(group)) => Some(format!("{owner}:{group}")),
        (Some(owner), None) => Some(format!("owner {owner}")),
        (None, Some(group)) => Some(format!("group {group}")),
        (None, None) => None,
    };
    [mode, ownership]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

fn size(content: &Content) -> String {
    let kind = if content.secret { "secret, " } else { "" };
    match content.bytes.len() {
        1 => format!("{kind}1 byte"),
        bytes => format!("{kind}{bytes} bytes"),
    }
}
