//! What a blank machine answers that the place decides, or a file of EL9 itself.

use super::{Machine, base, files};
use crate::probe::brick::Folder;
use crate::probe::firewall::{Firewall, Openings, Zone};
use crate::probe::machine::{self, Filesystem};
use crate::probe::mounted::Mounted;
use crate::probe::network::Interface;
use crate::probe::shell::Outcome;
use crate::probe::user::User;
use crate::probe::{Answer, PathState, Query, Seen};
use crate::rehearse::database;
use crate::rehearse::gluster::FUSE;
use std::collections::{BTreeMap, BTreeSet};

/// The services that EL9's firewalld lets in by itself; captured.
const OPEN: [&str; 3] = ["ssh", "dhcpv6-client", "cockpit"];

/// The zone that EL9's firewalld begins with.
const ZONE: &str = "public";

impl Machine<'_> {
    pub(super) fn identity(&self, answer: &mut Answer) {
        if let Answer::Machine(machine) = answer {
            *machine = machine::Machine {
                machine_id: format!("assumed-{}", self.host),
                product_uuid: String::new(),
                boot_id: format!("assumed-{}", self.host),
                ..std::mem::take(machine)
            };
        }
    }

    pub(super) fn interfaces(&self, answer: &mut Answer) {
        if let Answer::Interfaces(interfaces) = answer {
            let vip = self.fate.pool.as_ref().and_then(database::Pool::vip);
            if let Some(vip) = vip {
                database::take_away(interfaces, vip);
            }
            interfaces.retain(|one: &Interface| !one.is_containers());
        }
    }

    pub(super) fn firewall(&self, answer: &mut Answer) {
        let Answer::Firewall(firewall) = answer else {
            return;
        };
        if !firewall.running {
            return;
        }
        let openings = Openings {
            services: OPEN.map(str::to_owned).into(),
            target: "default".to_owned(),
            ..Openings::default()
        };
        let zone = Zone {
            runtime: openings.clone(),
            permanent: openings,
        };
        let interfaces = firewall.interfaces.keys().cloned();
        *firewall = Firewall {
            running: true,
            default_zone: ZONE.to_owned(),
            interfaces: interfaces.map(|name| (name, ZONE.to_owned())).collect(),
            zones: BTreeMap::from([(ZONE.to_owned(), zone)]),
            ..Firewall::default()
        };
    }

    /// The login is there; accounts of packages come with them, and so do their groups.
    pub(super) fn user(&self, answer: &mut Answer) {
        if let Answer::User(found) = answer {
            *found = found
                .take()
                .filter(|user| user.uid == 0 || user.uid >= 1000)
                .map(|mut user: User| {
                    user.groups.retain(|group| group != "docker");
                    user
                });
        }
    }

    /// What is on the network's file systems now is then on the root file system.
    pub(super) fn filesystem(&self, truth: Seen<Answer>) -> Seen<Answer> {
        match &truth {
            Seen::Is(Answer::Filesystem(space)) if is_of_network(&space.kind) => {
                let root = self.truth(&Query::Filesystem("/".to_owned()));
                root.map(|answer| match answer {
                    Answer::Filesystem(space) => Answer::Filesystem(Filesystem {
                        mount_point: "/".to_owned(),
                        ..space
                    }),
                    other => other,
                })
            }
            // A mount that hangs is not there.
            Seen::Unknown(_) => self.truth(&Query::Filesystem("/".to_owned())),
            Seen::Is(_) => truth,
        }
    }

    /// A name that /etc/hosts has is our own doing; another one comes from a server of names.
    pub(super) fn resolve(&self, name: &str, truth: Seen<Answer>) -> Seen<Answer> {
        match self.truth(&Query::Content(files::HOSTS.to_owned())) {
            Seen::Is(Answer::Content(Some(hosts))) if files::names(&hosts.bytes, name) => {
                Seen::Is(Answer::Resolve(files::resolves(name)))
            }
            _ => truth,
        }
    }

    pub(super) fn path(&self, path: &str, truth: Seen<Answer>) -> Seen<Answer> {
        if files::is_made(path) {
            let content = self.truth(&Query::Content(path.to_owned()));
            return match (truth, content) {
                (Seen::Is(Answer::Path(state)), Seen::Is(Answer::Content(Some(content)))) => {
                    let made = files::made(self.host, path, &content.bytes);
                    Seen::Is(Answer::Path(files::state(state, &made)))
                }
                (truth, _) => truth,
            };
        }
        if base::is_folder(path) {
            return truth;
        }
        if base::is_file(path) {
            return Seen::Unknown(format!("what a blank machine has at {path} is not known"));
        }
        Seen::Is(Answer::Path(PathState::Absent))
    }

    pub(super) fn content(&self, path: &str, truth: Seen<Answer>) -> Seen<Answer> {
        if files::is_made(path) {
            return truth.map(|answer| match answer {
                Answer::Content(Some(content)) => {
                    let made = files::made(self.host, path, &content.bytes);
                    Answer::Content(Some(files::content(made)))
                }
                other => other,
            });
        }
        if base::is_file(path) {
            return Seen::Unknown(format!("what a blank machine has at {path} is not known"));
        }
        Seen::Is(Answer::Content(None))
    }
}

/// File systems of the network are mounted by us.
fn is_of_network(kind: &str) -> bool {
    kind == FUSE || kind.starts_with("nfs") || kind == "cifs"
}

/// Its disk is there, and empty.
pub(super) fn brick(path: &str, answer: Answer) -> Answer {
    let Answer::GlusterBrick(seen) = answer else {
        return answer;
    };
    let above = path.rsplit_once('/').map_or("/", |(above, _)| above);
    let mount = if seen.mount_point.is_empty() {
        "/"
    } else {
        &seen.mount_point
    };
    Answer::GlusterBrick(Folder {
        kind: if seen.is_mount { "directory" } else { "absent" }.to_owned(),
        parent: seen.parent && (mount == above || base::is_folder(above) || seen.is_mount),
        mount_point: seen.mount_point,
        file_system: seen.file_system,
        on_root: seen.on_root,
        is_mount: seen.is_mount,
        unmounted: seen.unmounted,
        ..Folder::default()
    })
}

pub(super) fn mounted(answer: Answer) -> Answer {
    match answer {
        Answer::Mounted(seen) if seen.mounts.iter().any(|one| !is_of_network(&one.kind)) => {
            Answer::Mounted(seen)
        }
        Answer::Mounted(_) => Answer::Mounted(Mounted {
            place: "absent".to_owned(),
            ..Mounted::default()
        }),
        other => other,
    }
}

/// A check that succeeds in silence tells that something is done, which it is not on a blank machine. What another command
/// would say there cannot be told.
pub(super) fn command(
    line: &str,
    truth: Seen<Answer>,
    supposed: &mut BTreeSet<String>,
) -> Seen<Answer> {
    let Seen::Is(Answer::Command(outcome)) = truth else {
        return truth;
    };
    let first = line.trim().lines().next().unwrap_or_default();
    if outcome.status != 0 {
        return Seen::Is(Answer::Command(outcome));
    }
    if !outcome.stdout.is_empty() {
        let why = format!("what a blank machine says to `{first}` is not known");
        return Seen::Unknown(why);
    }
    supposed.insert(format!(
        "what succeeds now fails on the blank machine: `{first}`"
    ));
    Seen::Is(Answer::Command(Outcome {
        status: 1,
        ..Outcome::default()
    }))
}
