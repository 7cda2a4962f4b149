//! What a blank machine of the same name and address answers: EL9 as it is installed, and nothing of ours.
//!
//! What only the place decides (addresses, clock, disks, what the network shows) is as the true host says. Of the rest, what
//! EL9 brings by itself is as the true host says too, and nothing else is there; what neither tells is not known.

mod base;
mod files;

use super::database;
use super::fate::{Fate, names};
use super::gluster::FUSE;
use crate::inventory::HostName;
use crate::probe::brick::Folder;
use crate::probe::certificate::Pair;
use crate::probe::docker::{Docker, Roster};
use crate::probe::firewall::{Firewall, Openings, Zone};
use crate::probe::gluster::Gluster;
use crate::probe::gluster_volume::{Status, Volume};
use crate::probe::machine::{self, Filesystem};
use crate::probe::mounted::Mounted;
use crate::probe::network::Interface;
use crate::probe::pgpool::Pgpool;
use crate::probe::postgres::Postgres;
use crate::probe::postgres::past::Past;
use crate::probe::presented::Presented;
use crate::probe::shell::Outcome;
use crate::probe::stack::Stack;
use crate::probe::stack_node::Node;
use crate::probe::unit::Unit;
use crate::probe::user::User;
use crate::probe::{Answer, Memory, PathState, Query, Seen};
use std::collections::{BTreeMap, BTreeSet};

/// What its shell says of an engine that is not there; captured.
const NO_ENGINE: &str = "docker.service is inactive";
const NO_GLUSTERD: &str = "glusterd does not run";

/// The services that EL9's firewalld lets in by itself; captured.
const OPEN: [&str; 3] = ["ssh", "dhcpv6-client", "cockpit"];

/// The zone that EL9's firewalld begins with.
const ZONE: &str = "public";

/// A blank machine in the place of a host, and what that host says.
pub struct Machine<'a> {
    pub host: &'a HostName,
    pub fate: &'a Fate,
    pub told: &'a [(Query, Seen<Answer>)],
}

/// What else the true host is asked, to answer this for a blank machine in its place.
pub fn rests_on(query: &Query) -> Vec<Query> {
    match query {
        Query::Filesystem(_) => vec![Query::Filesystem("/".to_owned())],
        Query::Path(path) if files::is_made(path) => vec![Query::Content(path.clone())],
        Query::Resolve(_) => vec![Query::Content(files::HOSTS.to_owned())],
        _ => Vec::new(),
    }
}

/// What is taken for granted of every blank machine.
pub fn taken(fate: &Fate, memory: &Memory) -> Vec<String> {
    let lost: Vec<HostName> = fate.lost.keys().cloned().collect();
    let all = names(&lost);
    let accept: Vec<String> = lost
        .iter()
        .map(|host| format!("--accept-new-key {host}"))
        .collect();
    let mut taken = vec![
        format!(
            "in the place of {all} is EL9 as it is installed, with the same name, addresses, network interfaces, disks and login, and nothing else"
        ),
        format!(
            "its new SSH host key is accepted (`provision INVENTORY {}`); in the plan a placeholder stands for it",
            accept.join(" ")
        ),
    ];
    let bricks = lost.iter().any(|host| {
        let mut said = memory.of(host);
        said.any(|(query, _)| matches!(query, Query::GlusterBrick(_)))
    });
    if bricks {
        taken.push("the disk of its brick is mounted where it is now, and empty".to_owned());
    }
    taken
}

impl Machine<'_> {
    /// What the true host says.
    fn truth(&self, query: &Query) -> Seen<Answer> {
        let found = self.told.iter().find(|(asked, _)| asked == query);
        let nothing = || Seen::Unknown("the true host was not asked".to_owned());
        found.map_or_else(nothing, |(_, seen)| seen.clone())
    }

    /// What the blank machine says. What had to be supposed for that is noted.
    pub fn says(&self, query: &Query, supposed: &mut BTreeSet<String>) -> Seen<Answer> {
        let truth = self.truth(query);
        // What cannot be had from the true host cannot be had from one like it.
        let of = |change: fn(&Self, &mut Answer)| {
            truth.clone().map(|mut answer| {
                change(self, &mut answer);
                answer
            })
        };
        Seen::Is(match query {
            Query::Machine => return of(Self::identity),
            Query::Interfaces => return of(Self::interfaces),
            Query::Clock | Query::FirewallService(_) | Query::DatabasePort(_) => return truth,
            Query::Firewall => return of(Self::firewall),
            Query::User(_) => return of(Self::user),
            Query::GlusterBrick(path) => return truth.map(|seen| brick(path, seen)),
            Query::Filesystem(_) => return self.filesystem(truth),
            Query::Mounted(_) => return truth.map(mounted),
            Query::Resolve(name) => return self.resolve(name, truth),
            Query::Command(line) => return command(&line.script(), truth, supposed),
            Query::Sysctl(name) => {
                return Seen::Unknown(format!("what a blank machine has for {name} is not known"));
            }
            Query::Package(name) if base::is_package(name) => return truth,
            Query::Package(_) => Answer::Package(None),
            Query::Unit(name) if base::is_unit(name) => return truth,
            Query::Unit(_) => Answer::Unit(Unit {
                load: "not-found".to_owned(),
                active: "inactive".to_owned(),
                ..Unit::default()
            }),
            Query::Path(path) => return self.path(path, truth),
            Query::Content(path) => return self.content(path, truth),
            Query::Docker => Answer::Docker(Docker {
                silent: NO_ENGINE.to_owned(),
                ..Docker::default()
            }),
            Query::SwarmNodes => Answer::SwarmNodes(Roster {
                nodes: None,
                error: NO_ENGINE.to_owned(),
            }),
            Query::Postgres(_) => Answer::Postgres(Postgres::default()),
            Query::PostgresPast(about) => Answer::PostgresPast(Past {
                silent: format!("{}/pg_waldump is missing", about.bin),
                ..Past::default()
            }),
            Query::Pgpool(_) => Answer::Pgpool(Pgpool::default()),
            Query::Gluster => Answer::Gluster(Gluster::default()),
            Query::GlusterVolume(_) => Answer::GlusterVolume(Volume {
                silent: NO_GLUSTERD.to_owned(),
                ..Volume::default()
            }),
            Query::GlusterStatus(_) => Answer::GlusterStatus(Status {
                silent: NO_GLUSTERD.to_owned(),
                ..Status::default()
            }),
            Query::Stack(_) => Answer::Stack(Stack {
                error: NO_ENGINE.to_owned(),
                ..Stack::default()
            }),
            Query::StackNode(_) => Answer::StackNode(Node::default()),
            Query::Presented(_) => Answer::Presented(Presented::default()),
            Query::Image(_) => Answer::Image(None),
            Query::Tables(_) => Answer::Tables(None),
            Query::Certificates(_) => {
                let now_s = match truth {
                    Seen::Is(Answer::Certificates(pair)) => pair.now_s,
                    _ => 0,
                };
                Answer::Certificates(Pair {
                    now_s,
                    ..Pair::default()
                })
            }
        })
    }

    fn identity(&self, answer: &mut Answer) {
        if let Answer::Machine(machine) = answer {
            *machine = machine::Machine {
                machine_id: format!("assumed-{}", self.host),
                product_uuid: String::new(),
                boot_id: format!("assumed-{}", self.host),
                ..std::mem::take(machine)
            };
        }
    }

    fn interfaces(&self, answer: &mut Answer) {
        if let Answer::Interfaces(interfaces) = answer {
            let vip = self.fate.pool.as_ref().and_then(database::Pool::vip);
            if let Some(vip) = vip {
                database::take_away(interfaces, vip);
            }
            interfaces.retain(|one: &Interface| !one.is_containers());
        }
    }

    fn firewall(&self, answer: &mut Answer) {
        let Answer::Firewall(firewall) = answer else {
            return;
        };
        if !firewall.running {
            return;
        }
        let target = firewall.zones.values().next();
        let openings = Openings {
            services: OPEN.map(str::to_owned).into(),
            target: target.map_or_else(String::new, |zone| zone.runtime.target.clone()),
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
    fn user(&self, answer: &mut Answer) {
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
    fn filesystem(&self, truth: Seen<Answer>) -> Seen<Answer> {
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
    fn resolve(&self, name: &str, truth: Seen<Answer>) -> Seen<Answer> {
        match self.truth(&Query::Content(files::HOSTS.to_owned())) {
            Seen::Is(Answer::Content(Some(hosts))) if files::names(&hosts.bytes, name) => {
                Seen::Is(Answer::Resolve(files::resolves(name)))
            }
            _ => truth,
        }
    }

    fn path(&self, path: &str, truth: Seen<Answer>) -> Seen<Answer> {
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

    fn content(&self, path: &str, truth: Seen<Answer>) -> Seen<Answer> {
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
fn brick(path: &str, answer: Answer) -> Answer {
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

fn mounted(answer: Answer) -> Answer {
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
fn command(line: &str, truth: Seen<Answer>, supposed: &mut BTreeSet<String>) -> Seen<Answer> {
    let Seen::Is(Answer::Command(outcome)) = truth else {
        return truth;
    };
    let first = line.lines().next().unwrap_or_default();
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
