//! Every combination of what the hosts may be when provision starts, and every moment at which it may die.

use super::drive::{End, approvals, decide, is_part, module, run};
use super::obey::{FAULTS, Fault};
use super::oracle::{check_converged, expect};
use super::world::{Cluster, Host, Node, Phase, World};
use provision::inventory::HostName;
use provision::plan::Class;
use provision::probe::Memory;
use std::collections::BTreeMap;

/// What a host may be at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Blank,
    Installed,
    Inactive,
    Member,
    /// A member whose engine does not run.
    Stopped,
    /// A blank machine, with the node of its predecessor down.
    Replaced,
    /// The same, before the managers have noticed.
    JustReplaced,
    /// Left by hand.
    Left,
    Pending,
    Locked,
    /// A member without power.
    Dark,
    /// A member that only provision does not reach.
    Cut,
    /// A worker of a swarm of somebody else.
    Foreign,
    /// The only manager of a swarm of its own.
    Split,
}

pub const STARTS: [Start; 14] = [
    Start::Blank,
    Start::Installed,
    Start::Inactive,
    Start::Member,
    Start::Stopped,
    Start::Replaced,
    Start::JustReplaced,
    Start::Left,
    Start::Pending,
    Start::Locked,
    Start::Dark,
    Start::Cut,
    Start::Foreign,
    Start::Split,
];

/// Hosts without anything.
pub fn blank(count: usize) -> World {
    let host = |n: usize| Host {
        name: HostName::new(format!("ke2-server{n}")),
        addr: format!("10.20.0.{n}"),
        power: true,
        ssh: true,
        link: true,
        installed: false,
        running: false,
        marked: false,
        disk: None,
    };
    World {
        hosts: (1..=count).map(host).collect(),
        ..World::default()
    }
}

fn cluster(world: &mut World, outside: bool) -> usize {
    let (id, ca) = (world.fresh("swarm"), world.fresh("ca"));
    world.clusters.push(Cluster {
        id,
        ca,
        pool: vec!["172.30.0.0/16".to_owned()],
        port: 4789,
        subnet: 24,
        outside,
        ..Cluster::default()
    });
    world.clusters.len() - 1
}

/// The world in which the hosts are what `starts` says.
pub fn build(starts: &[Start], managers: usize) -> World {
    let mut world = blank(starts.len());
    let base = cluster(&mut world, false);
    for (h, start) in starts.iter().enumerate() {
        let manager = h < managers;
        let node = world.fresh("n");
        let listed = node.clone();
        let enter = |world: &mut World, phase| world.enter(h, base, node.clone(), manager, phase);
        match start {
            Start::Blank => {}
            Start::Installed => world.hosts[h].installed = true,
            Start::Inactive => (world.hosts[h].installed, world.hosts[h].running) = (true, true),
            Start::Member => enter(&mut world, Phase::Active),
            Start::Stopped => {
                enter(&mut world, Phase::Active);
                world.stop(h);
            }
            Start::Replaced | Start::JustReplaced => {
                enter(&mut world, Phase::Active);
                world.replace(h);
            }
            Start::Left => {
                enter(&mut world, Phase::Active);
                world.hosts[h].disk = None;
            }
            Start::Pending => enter(&mut world, Phase::Joining(3)),
            Start::Locked => enter(&mut world, Phase::Locked),
            Start::Dark => {
                enter(&mut world, Phase::Active);
                world.power_off(h);
            }
            Start::Cut => {
                enter(&mut world, Phase::Active);
                world.hosts[h].ssh = false;
            }
            Start::Foreign => {
                let c = cluster(&mut world, true);
                world.clusters[c].nodes.insert(
                    "outside1".to_owned(),
                    Node {
                        hostname: "elsewhere".to_owned(),
                        addr: "192.168.7.1".to_owned(),
                        manager: true,
                        vote: true,
                        drained: false,
                        labels: BTreeMap::new(),
                        missed: 0,
                    },
                );
                world.enter(h, c, node.clone(), false, Phase::Active);
            }
            Start::Split => {
                let c = cluster(&mut world, false);
                world.enter(h, c, node.clone(), true, Phase::Active);
            }
        }
        if let Some(node) = world.clusters[base].nodes.get_mut(&listed)
            && !matches!(
                start,
                Start::Member | Start::Pending | Start::Cut | Start::JustReplaced
            )
        {
            node.missed = 2;
        }
    }
    for c in 0..world.clusters.len() {
        let heard: Vec<String> = world.clusters[c]
            .nodes
            .keys()
            .filter(|id| world.heard(c, id))
            .cloned()
            .collect();
        let votes = |id: &&String| world.clusters[c].nodes[*id].vote;
        world.clusters[c].leader = heard.iter().rev().find(votes).cloned();
    }
    world
}

/// The world when nothing moves any more.
pub fn at_rest(world: &World) -> World {
    let mut world = world.clone();
    for _ in 0..8 {
        world.tick();
    }
    world
}

/// Runs every start of one topology, and from each every crash; returns how many runs that were.
pub fn check(managers: usize, starts: &[Start], labels: bool, slow: bool) -> usize {
    let mut raw = build(starts, managers);
    raw.slow_joins = slow;
    let module = module(&raw, managers, labels);
    let planned = decide(&raw, &module, &mut Memory::default());
    let again = decide(&raw, &module, &mut Memory::default());
    assert_eq!(
        serde_json::to_string(&planned).unwrap(),
        serde_json::to_string(&again).unwrap(),
        "the plan is not deterministic"
    );
    // Without a roster what the swarm lacks cannot be known before it is there.
    let roster = (0..raw.hosts.len()).any(|h| raw.reachable(h) && raw.speaks(h).is_some());
    let founds = planned.steps.iter().any(|step| step.class == Class::Found);
    let approved = (roster || founds).then(|| approvals(&planned));

    let mut ready = raw;
    ready.docker_layer();
    let expected = expect(&at_rest(&ready), managers);
    let mut world = ready.clone();
    let whole = run(&mut world, &module, None);
    assert!(
        expected.allows(&whole.end),
        "ended {:?}, expected {expected:?}",
        whole.end
    );
    if let Some(approved) = &approved {
        assert!(
            is_part(&whole.done, approved),
            "did {:#?}\nof the approved {approved:#?}",
            whole.done
        );
    }
    if whole.end == End::Settled {
        check_converged(&world, managers, labels);
        if let Some(approved) = &approved {
            assert_eq!(whole.done, *approved, "not all that was approved was done");
        }
    }
    let second = run(&mut world, &module, None);
    assert_eq!(second.end, whole.end, "a second run ends otherwise");
    assert!(
        second.done.is_empty(),
        "a second run does {:?}",
        second.done
    );

    let mut runs = 2;
    for at in 0..whole.done.len() {
        for fault in FAULTS {
            let mut world = ready.clone();
            let broken = run(&mut world, &module, Some((at, fault)));
            assert_eq!(broken.end, End::Died);
            let expected = expect(&at_rest(&world), managers);
            let repaired = run(&mut world, &module, None);
            assert!(
                expected.allows(&repaired.end),
                "after {fault:?} at {at}: ended {:?}, expected {expected:?}",
                repaired.end
            );
            if fault != Fault::Half {
                assert_eq!(repaired.end, whole.end, "after {fault:?} at {at}");
                if let Some(approved) = &approved {
                    assert!(
                        is_part(&repaired.done, approved),
                        "after {fault:?} at {at}: {:?}",
                        repaired.done
                    );
                }
            }
            for h in 0..world.hosts.len() {
                if !world.hosts[h].power && ready.hosts[h].power {
                    world.power_on(h);
                }
            }
            let healed = run(&mut world, &module, None);
            assert_eq!(
                healed.end, whole.end,
                "with all hosts back after {fault:?} at {at}"
            );
            if healed.end == End::Settled {
                check_converged(&world, managers, labels);
            }
            assert!(world.founded <= 1, "provision founded two swarms");
            runs += 3;
        }
    }
    runs
}
