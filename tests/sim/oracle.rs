//! What must come of a world, reasoned from what is really there and not from what the hosts say.

use super::drive::End;
use super::world::{Phase, World, majority};
use std::collections::BTreeSet;

/// What a run may end as.
#[derive(Debug)]
pub enum Expected {
    /// Exactly this.
    Exactly(End),
    /// Refused, with one of these codes among others.
    RefusedWith(&'static [&'static str]),
}

impl Expected {
    pub fn allows(&self, end: &End) -> bool {
        match (self, end) {
            (Self::Exactly(wanted), end) => wanted == end,
            (Self::RefusedWith(any), End::Refused(codes)) => {
                codes.iter().any(|code| any.contains(&&**code))
            }
            (Self::RefusedWith(_), _) => false,
        }
    }
}

/// What a run must end as in a world that has come to rest, with `managers` of the hosts as managers.
pub fn expect(world: &World, managers: usize) -> Expected {
    let seen: Vec<usize> = (0..world.hosts.len())
        .filter(|h| world.reachable(*h))
        .collect();
    let disks: BTreeSet<usize> = seen
        .iter()
        .filter_map(|h| Some(world.hosts[*h].disk.as_ref()?.cluster))
        .collect();
    let mut disks = disks.into_iter();
    let (one, another) = (disks.next(), disks.next());
    let Some(c) = one else {
        return Expected::Exactly(if seen.len() < world.hosts.len() {
            End::Refused(vec!["S0".to_owned()])
        } else {
            End::Settled
        });
    };
    if another.is_some() {
        return Expected::RefusedWith(&["S4", "S5"]);
    }
    if world.clusters[c].outside {
        return Expected::RefusedWith(&["S4"]);
    }
    let phase = |h: &usize| world.hosts[*h].disk.as_ref().map(|disk| disk.phase);
    if !seen.iter().any(|h| world.speaks(*h).is_some()) {
        let coming = |h: &usize| matches!(phase(h), Some(Phase::Joining(_) | Phase::Starting));
        return if seen.iter().any(coming) {
            Expected::Exactly(End::Waiting)
        } else {
            Expected::RefusedWith(&["S10"])
        };
    }
    with_quorum(world, managers, c, &seen)
}

fn with_quorum(world: &World, managers: usize, c: usize, seen: &[usize]) -> Expected {
    let mut codes = BTreeSet::new();
    let nodes = &world.clusters[c].nodes;
    let mut voters = world.voters(c);
    // A voter whose host is silent may have died a moment ago; only a majority is proven.
    let answers = |id: &str| world.holder(c, id).is_some_and(|h| world.reachable(h));
    let heard = |(id, node): &(&String, &super::world::Node)| node.vote && world.heard(c, id);
    let mut sure = nodes
        .iter()
        .filter(heard)
        .filter(|(id, _)| answers(id))
        .count();
    let all = nodes.iter().filter(heard).count();
    let silent = all - sure;
    let proven = |voters: usize, sure: usize| (sure + silent).min(sure.max(majority(voters)));
    let (mut joins, mut promotes, mut demotes) = (0, 0, 0);
    for &h in seen {
        let host = &world.hosts[h];
        let own = host.disk.as_ref().and_then(|disk| nodes.get(&disk.node));
        match (&host.disk, own) {
            (Some(disk), _) if disk.phase == Phase::Locked => {
                codes.insert("S8");
                continue;
            }
            (Some(disk), None) if disk.manager && disk.phase == Phase::Active => {
                codes.insert("S7");
                continue;
            }
            (Some(_), Some(node)) => {
                if !host.link {
                    return Expected::Exactly(End::Waiting);
                }
                promotes += usize::from(h < managers && !node.manager);
                demotes += usize::from(h >= managers && node.manager);
            }
            (Some(_) | None, None) => joins += usize::from(h < managers),
            (None, Some(_)) => unreachable!(),
        }
        voters -= nodes
            .iter()
            .filter(|(id, node)| {
                node.vote
                    && *node.hostname == *host.name.as_str()
                    && host.disk.as_ref().is_none_or(|disk| disk.node != **id)
            })
            .count();
    }
    for _ in 0..joins + promotes {
        if voters > 1 && proven(voters, sure) < majority(voters + 1) {
            codes.insert("S11");
        } else {
            (voters, sure) = (voters + 1, sure + 1);
        }
    }
    for _ in 0..demotes {
        let heard = proven(voters, sure);
        if voters <= 1 || (heard < voters && heard <= majority(voters)) {
            codes.insert("S11");
        } else {
            (voters, sure) = (voters - 1, sure - 1);
        }
    }
    Expected::Exactly(if codes.is_empty() {
        End::Settled
    } else {
        End::Refused(codes.into_iter().map(str::to_owned).collect())
    })
}

/// Whether the world is what the inventory says, for all hosts that answer.
pub fn check_converged(world: &World, managers: usize, labels: bool) {
    let clusters: BTreeSet<usize> = (0..world.hosts.len())
        .filter(|h| world.reachable(*h))
        .filter_map(|h| Some(world.hosts[h].disk.as_ref()?.cluster))
        .collect();
    assert_eq!(clusters.len(), 1, "there is not exactly one swarm");
    for (h, host) in world
        .hosts
        .iter()
        .enumerate()
        .filter(|(h, _)| world.reachable(*h))
    {
        let disk = host
            .disk
            .as_ref()
            .unwrap_or_else(|| panic!("{} is in no swarm", host.name));
        let nodes = &world.clusters[disk.cluster].nodes;
        let node = nodes
            .get(&disk.node)
            .unwrap_or_else(|| panic!("{} is not listed", host.name));
        assert_eq!(disk.phase, Phase::Active, "{}", host.name);
        let manager = h < managers;
        assert_eq!(
            (node.manager, node.vote),
            (manager, manager),
            "role of {}",
            host.name
        );
        let called = nodes
            .values()
            .filter(|node| node.hostname == host.name.as_str());
        assert_eq!(called.count(), 1, "{} has a ghost", host.name);
        if labels && h + 1 == world.hosts.len() {
            assert_eq!(node.labels.get("role").map(|label| &**label), Some("db"));
        }
    }
}
