//! Whom Pgpool-II chooses, as far as that follows from what is seen: the leader of its watchdog, and the primary.

use super::{Promoted, daemon, server};
use crate::inventory::HostName;
use crate::probe::Memory;
use crate::probe::pgpool::{Peer, Pgpool, Watchdog};
use crate::probe::postgres::{Lsn, Postgres, Sender, Server};
use crate::rehearse::Aftermath;
use crate::rehearse::fate::either;
use std::collections::BTreeMap;

/// Who has an office after a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// Who has it now.
    Stays(HostName),
    /// Another one, and why.
    Passes(HostName, String),
    /// One of these, the first of which the plan supposes.
    Open(Vec<HostName>),
    /// Nobody, and why.
    Nobody(String),
}

impl Seat {
    /// Who has it, or is supposed to.
    pub fn host(&self) -> Option<&HostName> {
        match self {
            Self::Stays(host) | Self::Passes(host, _) => Some(host),
            Self::Open(hosts) => hosts.first(),
            Self::Nobody(_) => None,
        }
    }

    pub fn says(&self, about: &str, what: &str) -> Aftermath {
        match self {
            Self::Stays(host) => Aftermath::decided(about, format!("{host} stays {what}")),
            Self::Passes(host, why) => {
                Aftermath::decided(about, format!("{host} becomes {what}: {why}"))
            }
            Self::Open(hosts) => Aftermath::open(
                about,
                format!(
                    "{} becomes {what}; which of them cannot be told before, and changes no step",
                    either(hosts)
                ),
            ),
            Self::Nobody(why) => Aftermath::decided(about, format!("nobody is {what}: {why}")),
        }
    }
}

/// Whether a node of the watchdog works together with the others.
pub(super) fn works(peer: &Peer) -> bool {
    matches!(&*peer.state, "LEADER" | "STANDBY")
}

/// What the watchdog of a host that stays says, best one that a majority follows.
pub(super) fn watchdog<'m>(left: &[&HostName], memory: &'m Memory) -> Option<&'m Watchdog> {
    let all = || {
        left.iter()
            .filter_map(|host| daemon(memory, host)?.watchdog.as_ref())
    };
    all().find(|one| one.has_quorum()).or_else(|| all().next())
}

/// Nodes that work together after the loss.
pub(super) fn alive(watchdog: &Watchdog, lost: &[&HostName]) -> usize {
    let gone = |peer: &&Peer| lost.iter().any(|host| host.as_str() == peer.host);
    let all = watchdog.nodes.iter();
    all.filter(|peer| works(peer) && !gone(peer)).count()
}

/// All have the same priority, and of those the one that has run for longest is elected, which nobody tells.
pub(super) fn leader(watchdog: Option<&Watchdog>, left: &[&HostName], memory: &Memory) -> Seat {
    let Some(watchdog) = watchdog else {
        return Seat::Nobody("there is no watchdog".to_owned());
    };
    let named = left.iter().find(|host| host.as_str() == watchdog.leader);
    if let Some(leader) = named {
        return Seat::Stays((*leader).clone());
    }
    let ids = backends(left, memory);
    let mut candidates: Vec<&HostName> = left
        .iter()
        .copied()
        .filter(|host| {
            let mut peers = watchdog.nodes.iter();
            peers.any(|peer| peer.host == host.as_str() && works(peer))
        })
        .collect();
    candidates.sort_by_key(|host| ids.get(host.as_str()).copied());
    match &candidates[..] {
        [] => Seat::Nobody("no node is left".to_owned()),
        [one] => Seat::Passes((*one).clone(), "no other node is left".to_owned()),
        all => Seat::Open(all.iter().map(|host| (*host).clone()).collect()),
    }
}

/// Node ids by host, of a backends file.
fn backends(left: &[&HostName], memory: &Memory) -> BTreeMap<String, u32> {
    let mut files = left
        .iter()
        .filter_map(|host| daemon(memory, host)?.backends.as_ref());
    let file = files.next().into_iter().flatten();
    file.map(|(id, host)| (host.clone(), *id)).collect()
}

/// The primary that the hosts agree on, and the standby that is promoted when it is lost and the others may decide.
pub(super) fn primary(
    members: &[&HostName],
    left: &[&HostName],
    decides: bool,
    memory: &Memory,
) -> (Seat, Option<Promoted>) {
    let primaries: Vec<(&HostName, &Server)> = members
        .iter()
        .filter_map(|host| Some((*host, server(memory, host)?.primary()?)))
        .collect();
    let [(old, of)] = primaries[..] else {
        let why = format!("{} hosts are one now", primaries.len());
        return (Seat::Nobody(why), None);
    };
    if left.contains(&old) {
        return (Seat::Stays(old.clone()), None);
    }
    let lost = |why: &str| (Seat::Nobody(format!("{old} was it, and {why}")), None);
    if !decides {
        return lost("no majority of Pgpool-II's nodes is left that could promote a standby");
    }
    let Some(speaker) = speaker(left, memory) else {
        return lost("no Pgpool-II is left that could promote a standby");
    };
    let ids = backends(left, memory);
    let mut standbys: Vec<(&HostName, &Server)> = left
        .iter()
        .filter_map(|host| Some((*host, server(memory, host)?.standby()?)))
        .collect();
    // Its main node comes first, the one with the lowest id of those that it uses; then the file's order (failover.sh).
    let uses = |host: &HostName| {
        let mut nodes = speaker.nodes.iter().flatten();
        nodes.any(|node| node.host == host.as_str() && node.is_attached())
    };
    standbys.sort_by_key(|(host, _)| (!uses(host), ids.get(host.as_str()).copied()));
    let Some((host, best)) = standbys
        .iter()
        .copied()
        .rev()
        .max_by_key(|(_, server)| received(server))
    else {
        return lost("no standby is left");
    };
    let alone = standbys.len() == 1;
    let most = received(best);
    let equal = standbys
        .iter()
        .filter(|(_, it)| received(it) == most)
        .count();
    let why = match (alone, equal) {
        (true, _) => "it is the only standby that is left".to_owned(),
        (_, 1) => format!("as seen now, it has received most of the log, up to {most}"),
        _ => format!(
            "as seen now, the standbys have received the same of the log, up to {most}, and of equals the lowest node id counts"
        ),
    };
    let followers = standbys.iter().filter(|(other, _)| *other != host);
    let followers = followers.map(|(other, _)| {
        let seen = of.sender(other.as_str());
        let sender = Sender {
            name: other.to_string(),
            address: seen.map_or_else(String::new, |it| it.address.clone()),
            state: "streaming".to_owned(),
            sync_state: seen.map_or_else(|| "async".to_owned(), |it| it.sync_state.clone()),
            lag_bytes: Some(0),
        };
        ((*other).clone(), sender)
    });
    let promoted = Promoted {
        host: host.clone(),
        from: best.timeline,
        at: most,
        followers: followers.collect(),
    };
    (Seat::Passes(host.clone(), why), Some(promoted))
}

/// Pgpool-II of a host that stays, best one that a majority follows.
fn speaker<'m>(left: &[&HostName], memory: &'m Memory) -> Option<&'m Pgpool> {
    let all = || {
        let told = left.iter().filter_map(|host| daemon(memory, host));
        told.filter(|pgpool| pgpool.nodes.is_some())
    };
    let followed = |pgpool: &&Pgpool| pgpool.watchdog.as_ref().is_some_and(Watchdog::has_quorum);
    all().find(followed).or_else(|| all().next())
}

fn received(server: &Server) -> Lsn {
    server.received.max(server.replayed).unwrap_or_default()
}

/// What a server that is promoted, or follows another one, knows of its past.
pub(super) fn leave(postgres: &mut Postgres, from: u32, at: Lsn) {
    if postgres.history.iter().all(|fork| fork.timeline != from) {
        let fork = crate::probe::postgres::Fork { timeline: from, at };
        postgres.history.push(fork);
    }
    if let Some(server) = &mut postgres.server {
        server.timeline = from + 1;
    }
}
