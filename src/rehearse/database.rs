//! The database after a loss: who leads the watchdog, who is the primary, and whom the others follow (docs/failover.md).

mod choice;
mod follow;

use super::fate::{Fate, names, told};
use super::{Aftermath, Premise};
use crate::inventory::HostName;
use crate::probe::network::Interface;
use crate::probe::pgpool::{Node, Pgpool, Watchdog};
use crate::probe::postgres::{Data, Lsn, Postgres, Sender};
use crate::probe::{Answer, Memory};
use choice::Seat;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What becomes of PostgreSQL and Pgpool-II.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Whether a watchdog decides who is dead, and who has the address.
    watchdog: bool,
    /// Nodes of the watchdog, and those that would work together.
    nodes: usize,
    alive: usize,
    leader: Seat,
    primary: Seat,
    promoted: Option<Promoted>,
    /// Whether any host that stays has data.
    data_left: bool,
    /// Whether a lost host is part of it.
    concerned: bool,
    vip: Option<Ipv4Addr>,
    /// The address with its prefix, as its holder has it now.
    held: Option<String>,
}

/// A standby that becomes the primary.
#[derive(Clone, Debug)]
struct Promoted {
    host: HostName,
    /// Where it leaves the timeline that it is on.
    from: u32,
    at: Lsn,
    /// The standbys that follow it, as it sees them.
    followers: BTreeMap<HostName, Sender>,
}

/// What one host says of its server.
pub(super) fn server<'m>(memory: &'m Memory, host: &HostName) -> Option<&'m Postgres> {
    told(memory, host, |answer| match answer {
        Answer::Postgres(postgres) => Some(postgres),
        _ => None,
    })
}

/// What one host's Pgpool-II says.
pub(super) fn daemon<'m>(memory: &'m Memory, host: &HostName) -> Option<&'m Pgpool> {
    told(memory, host, |answer| match answer {
        Answer::Pgpool(pgpool) => Some(pgpool),
        _ => None,
    })
}

impl Pool {
    /// `None` where no host has a database.
    pub(super) fn new(premise: &Premise, memory: &Memory) -> Option<Self> {
        let members: Vec<&HostName> = premise
            .hosts
            .iter()
            .filter(|host| server(memory, host).is_some())
            .collect();
        if members.is_empty() {
            return None;
        }
        let (lost, left): (Vec<&HostName>, Vec<&HostName>) = members
            .iter()
            .partition(|host| premise.lost.contains(**host));
        let watchdog = choice::watchdog(&left, memory);
        let nodes = watchdog.map_or(0, |watchdog| watchdog.nodes.len());
        let alive = watchdog.map_or(0, |watchdog| choice::alive(watchdog, &lost));
        let is_seen = left
            .iter()
            .any(|host| daemon(memory, host).is_some_and(|pgpool| pgpool.nodes.is_some()));
        let decides = match watchdog {
            Some(_) => alive > nodes / 2,
            None => is_seen,
        };
        let leader = choice::leader(watchdog, &left, memory);
        let (primary, promoted) = choice::primary(&members, &left, decides, memory);
        let has_data =
            |host: &&HostName| server(memory, host).is_some_and(|it| it.data == Data::Present);
        Some(Self {
            watchdog: watchdog.is_some(),
            nodes,
            alive,
            leader,
            primary,
            promoted,
            data_left: left.iter().any(has_data) || !lost.iter().any(has_data),
            concerned: !lost.is_empty(),
            vip: premise.vip,
            held: premise
                .vip
                .and_then(|vip| holder(&premise.hosts, vip, memory)),
        })
    }

    /// The virtual address.
    pub(super) fn vip(&self) -> Option<Ipv4Addr> {
        self.vip
    }

    /// Whether one of the hosts has this address now.
    pub(super) fn has(&self, address: Ipv4Addr) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| is_address(held, address))
    }

    /// Whether the nodes that are left may find another one dead.
    fn decides(&self) -> bool {
        !self.watchdog || self.alive > self.nodes / 2
    }

    /// What Pgpool-II of a host that stays says.
    pub(super) fn pgpool(&self, fate: &Fate, host: &HostName, pgpool: &mut Pgpool) {
        if !self.concerned {
            return;
        }
        for node in pgpool.nodes.iter_mut().flatten() {
            self.node(fate, node);
        }
        if let Some(watchdog) = &mut pgpool.watchdog {
            self.see(fate, host, watchdog);
        }
    }

    fn node(&self, fate: &Fate, node: &mut Node) {
        let set = |field: &mut String, word: &str| word.clone_into(field);
        if fate.is_lost(&node.host) {
            // Without a majority a dead node is only put in quarantine (`failover_when_quorum_exists`).
            let status = if self.decides() { "down" } else { "quarantine" };
            set(&mut node.status, status);
            set(&mut node.pg_status, "down");
            set(&mut node.pg_role, "unknown");
            set(&mut node.replication, "none");
            if self.promoted.is_some() {
                set(&mut node.role, "standby");
            }
            return;
        }
        let Some(promoted) = &self.promoted else {
            if matches!(self.primary, Seat::Nobody(_)) {
                set(&mut node.replication, "none");
            }
            return;
        };
        if node.host == promoted.host.as_str() {
            set(&mut node.role, "primary");
            set(&mut node.pg_role, "primary");
            set(&mut node.replication, "none");
        }
    }

    fn see(&self, fate: &Fate, host: &HostName, watchdog: &mut Watchdog) {
        let leader = self.leader.host().map_or("", HostName::as_str);
        for peer in &mut watchdog.nodes {
            let (state, counts) = match () {
                () if fate.is_lost(&peer.host) => ("LOST", false),
                () if !choice::works(peer) => continue,
                () if peer.host == leader => ("LEADER", true),
                () => ("STANDBY", true),
            };
            state.clone_into(&mut peer.state);
            if !counts {
                "LOST".clone_into(&mut peer.membership);
            }
        }
        let word = if self.decides() {
            "QUORUM EXIST"
        } else {
            "QUORUM ABSENT"
        };
        word.clone_into(&mut watchdog.quorum);
        leader.clone_into(&mut watchdog.leader);
        watchdog.escalated = self.decides() && leader == host.as_str();
    }

    /// The virtual address goes with the leader, and nobody has it without a majority.
    pub(super) fn address(&self, host: &HostName, interfaces: &mut [Interface]) {
        let Some(vip) = self.vip.filter(|_| self.watchdog && self.concerned) else {
            return;
        };
        let holds = self.decides() && self.leader.host() == Some(host);
        let mine = |own: &String| is_address(own, vip);
        let has = interfaces
            .iter()
            .any(|interface| interface.addresses.iter().any(mine));
        if holds == has {
            return;
        }
        if !holds {
            take_away(interfaces, vip);
            return;
        }
        let home = interfaces.iter_mut().find(|interface| {
            interface.addresses.iter().any(|own| {
                own.parse::<ipnet::Ipv4Net>()
                    .is_ok_and(|net| net.contains(&vip))
            })
        });
        if let Some(home) = home {
            let held = self.held.clone().unwrap_or_else(|| format!("{vip}/32"));
            home.addresses.push(held);
        }
    }

    pub(super) fn aftermath(&self, fate: &Fate) -> Vec<Aftermath> {
        if !self.concerned {
            return Vec::new();
        }
        let mut all = Vec::new();
        if !self.data_left {
            let lost: Vec<HostName> = fate.lost.keys().cloned().collect();
            all.push(Aftermath::decided(
                "postgresql",
                format!(
                    "the only copy of its data is on {}, and is lost with it",
                    names(&lost)
                ),
            ));
        }
        all.push(self.primary.says("postgresql", "the primary"));
        if self.watchdog {
            let left = format!("{} of {} nodes of Pgpool-II left", self.alive, self.nodes);
            if self.decides() {
                all.push(self.leader.says("pgpool", "the leader of the watchdog"));
                if let Some(vip) = self.vip {
                    let what = format!("the holder of {vip}");
                    all.push(self.leader.says("virtual address", &what));
                }
            } else {
                let says = format!(
                    "{left}, and a majority is {}: nothing is promoted, and nobody has the virtual address",
                    self.nodes / 2 + 1
                );
                all.push(Aftermath::decided("pgpool", says));
            }
        }
        all
    }
}

/// The address with its prefix, as a host has it now.
fn holder(hosts: &[HostName], vip: Ipv4Addr, memory: &Memory) -> Option<String> {
    let interfaces = hosts.iter().filter_map(|host| {
        told(memory, host, |answer| match answer {
            Answer::Interfaces(interfaces) => Some(&**interfaces),
            _ => None,
        })
    });
    let mut addresses = interfaces.flatten().flat_map(|one| &one.addresses);
    addresses.find(|own| is_address(own, vip)).cloned()
}

fn is_address(own: &str, address: Ipv4Addr) -> bool {
    own.split('/').next() == Some(&address.to_string())
}

/// The interfaces of a host that has not got an address.
pub(super) fn take_away(interfaces: &mut [Interface], address: Ipv4Addr) {
    for interface in interfaces {
        interface.addresses.retain(|own| !is_address(own, address));
    }
}
