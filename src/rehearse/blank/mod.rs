//! What a blank machine of the same name and address answers: EL9 as it is installed, and nothing of ours.
//!
//! What only the place decides (addresses, clock, disks, what the network shows) is as the true host says. Of the rest, what
//! EL9 brings by itself is as the true host says too, and nothing else is there; what neither tells is not known.

mod base;
mod files;
mod place;

use super::fate::{Fate, names};
use crate::inventory::HostName;
use crate::probe::certificate::Pair;
use crate::probe::docker::{Docker, Roster};
use crate::probe::gluster::Gluster;
use crate::probe::gluster_volume::{Status, Volume};
use crate::probe::pgpool::Pgpool;
use crate::probe::postgres::Postgres;
use crate::probe::postgres::past::Past;
use crate::probe::presented::Presented;
use crate::probe::stack::Stack;
use crate::probe::stack_node::Node;
use crate::probe::unit::Unit;
use crate::probe::{Answer, Memory, Query, Seen};
use place::{brick, command, mounted};
use std::collections::BTreeSet;

/// What its shell says of an engine that is not there; captured.
const NO_ENGINE: &str = "docker.service is inactive";
const NO_GLUSTERD: &str = "glusterd does not run";

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
    let (new, disk) = match lost.len() {
        1 => (
            "its new SSH host key is",
            "the disk of its brick is mounted where it is now, and empty",
        ),
        _ => (
            "their new SSH host keys are",
            "the disks of their bricks are mounted where they are now, and empty",
        ),
    };
    let mut taken = vec![
        format!(
            "in the place of {all} is EL9 as it is installed, with the same name, addresses, network interfaces, disks and login, and nothing else"
        ),
        format!(
            "{new} accepted (`provision INVENTORY {}`); in the plan a placeholder stands for it",
            accept.join(" ")
        ),
    ];
    let bricks = lost.iter().any(|host| {
        let mut said = memory.of(host);
        said.any(|(query, _)| matches!(query, Query::GlusterBrick(_)))
    });
    if bricks {
        taken.push(disk.to_owned());
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
            Query::Command(line) => return command(&line.words.join(" "), truth, supposed),
            Query::AddressTaken(about) => return self.fate.address_taken(about, truth),
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
}
