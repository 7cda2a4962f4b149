//! What becomes of the hosts that stay, from what all of them say now.

use super::{Aftermath, Premise, database, gluster, stack, swarm};
use crate::inventory::HostName;
use crate::probe::{Answer, Memory, Query, Seen, arp};
use std::collections::BTreeMap;

/// What follows from a loss.
#[derive(Clone, Debug)]
pub struct Fate {
    /// The lost hosts, and what the others know them by.
    pub lost: BTreeMap<HostName, Known>,
    /// The hosts that stay, in the order of the inventory.
    pub survivors: Vec<HostName>,
    pub(super) swarm: swarm::Swarm,
    pub(super) volumes: gluster::Volumes,
    pub(super) pool: Option<database::Pool>,
}

/// What the others know a host by, besides its name; empty where there is nothing.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Its id in the swarm.
    pub node: String,
    /// Its identity in the pool of GlusterFS.
    pub uuid: String,
    /// Its slot on the primary.
    pub slot: String,
}

/// The first answer of a host that `pick` takes.
pub(super) fn told<'m, T: ?Sized>(
    memory: &'m Memory,
    host: &HostName,
    pick: impl Fn(&'m Answer) -> Option<&'m T>,
) -> Option<&'m T> {
    memory.of(host).find_map(|(_, seen)| pick(seen.known()?))
}

impl Fate {
    /// From what all hosts said.
    pub fn new(premise: &Premise, memory: &Memory) -> Self {
        let lost = premise
            .lost
            .iter()
            .map(|host| (host.clone(), Known::of(host, memory)))
            .collect();
        let survivors: Vec<HostName> = premise
            .hosts
            .iter()
            .filter(|host| !premise.lost.contains(*host))
            .cloned()
            .collect();
        Self {
            swarm: swarm::Swarm::new(&premise.hosts, &lost, memory),
            volumes: gluster::Volumes::new(&premise.hosts, &lost, memory),
            pool: database::Pool::new(premise, memory),
            lost,
            survivors,
        }
    }

    /// What a host that stays would answer instead of this.
    pub fn survivor(&self, host: &HostName, query: &Query, answer: Answer) -> Seen<Answer> {
        if let Query::AddressTaken(about) = query {
            return self.address_taken(about, Seen::Is(answer));
        }
        Seen::Is(match answer {
            Answer::Docker(mut docker) => {
                self.swarm.docker(&mut docker);
                Answer::Docker(docker)
            }
            Answer::SwarmNodes(mut roster) => {
                self.swarm.roster(self, &mut roster);
                Answer::SwarmNodes(roster)
            }
            Answer::Gluster(mut gluster) => {
                gluster::peers(self, &mut gluster);
                Answer::Gluster(gluster)
            }
            Answer::GlusterStatus(mut status) => {
                gluster::status(self, &mut status);
                Answer::GlusterStatus(status)
            }
            Answer::Mounted(mut mounted) => {
                self.volumes.mounted(&mut mounted);
                Answer::Mounted(mounted)
            }
            Answer::Filesystem(space) => return self.volumes.filesystem(space),
            Answer::Stack(mut found) => {
                stack::tasks(self, &mut found);
                Answer::Stack(found)
            }
            Answer::StackNode(mut node) => {
                stack::node(self, &mut node);
                Answer::StackNode(node)
            }
            Answer::Postgres(mut postgres) => {
                if let Some(pool) = &self.pool {
                    pool.postgres(self, host, &mut postgres);
                }
                Answer::Postgres(postgres)
            }
            Answer::Pgpool(mut pgpool) => {
                if let Some(pool) = &self.pool {
                    pool.pgpool(self, host, &mut pgpool);
                }
                Answer::Pgpool(pgpool)
            }
            Answer::Interfaces(mut interfaces) => {
                if let Some(pool) = &self.pool {
                    pool.address(host, &mut interfaces);
                }
                Answer::Interfaces(interfaces)
            }
            // What is on a host's own disk does not change because another one is gone.
            other => other,
        })
    }

    /// Whether another machine has an address: not one of ours, which is gone or is asked itself.
    pub(super) fn address_taken(&self, about: &arp::About, truth: Seen<Answer>) -> Seen<Answer> {
        let ours = |pool: &database::Pool| pool.has(about.address);
        if self.pool.as_ref().is_some_and(ours) {
            return Seen::Is(Answer::AddressTaken(false));
        }
        truth
    }

    /// What happens by itself, and what cannot be told.
    pub fn aftermath(&self, memory: &Memory) -> Vec<Aftermath> {
        let mut all = self.swarm.aftermath();
        all.extend(self.volumes.aftermath(self));
        all.extend(self.pool.iter().flat_map(|pool| pool.aftermath(self)));
        all.extend(stack::aftermath(self, memory));
        all
    }

    /// Whether a lost host has this name, with its domain or without.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        self.lost.keys().any(|host| is_called(name, host.as_str()))
    }
}

/// Whether a name is a host's, with its domain or without.
pub(super) fn is_called(name: &str, host: &str) -> bool {
    let extends = |long: &str, short: &str| {
        long.strip_prefix(short)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    name == host || extends(name, host) || extends(host, name)
}

impl Known {
    fn of(host: &HostName, memory: &Memory) -> Self {
        let docker = told(memory, host, |answer| match answer {
            Answer::Docker(docker) => docker.engine.as_ref(),
            _ => None,
        });
        let gluster = told(memory, host, |answer| match answer {
            Answer::Gluster(gluster) => Some(gluster),
            _ => None,
        });
        let receiver = told(memory, host, |answer| match answer {
            Answer::Postgres(postgres) => postgres.server.as_ref()?.receiver.as_ref(),
            _ => None,
        });
        // As the scripts of the failover name it.
        let slot = host.as_str().to_ascii_lowercase().replace(['-', '.'], "_");
        Self {
            node: docker.map_or_else(String::new, |engine| engine.swarm.node_id.clone()),
            uuid: gluster.map_or_else(String::new, |gluster| gluster.uuid.clone()),
            slot: receiver
                .map(|receiver| receiver.slot.clone())
                .filter(|slot| !slot.is_empty())
                .unwrap_or(slot),
        }
    }
}

/// `a`, `a or b`, `a, b or c`
pub(super) fn either(hosts: &[HostName]) -> String {
    joined(hosts, "or")
}

/// `a`, `a and b`, `a, b and c`
pub(super) fn names(hosts: &[HostName]) -> String {
    joined(hosts, "and")
}

fn joined(hosts: &[HostName], last_by: &str) -> String {
    match hosts {
        [] => "nobody".to_owned(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(HostName::as_str).collect();
            format!("{} {last_by} {last}", first.join(", "))
        }
    }
}
