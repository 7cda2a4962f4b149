//! Random histories: hosts fail, return, are replaced; people meddle; provision runs, and dies, in between.

use super::drive::{End, limited, module, run};
use super::obey::FAULTS;
use super::oracle::{check_converged, expect};
use super::rng::Rng;
use super::starts::{at_rest, blank};
use super::world::World;
use provision::cluster::swarm::Swarm;

const TOPOLOGIES: [(usize, usize); 4] = [(3, 0), (3, 1), (1, 2), (5, 0)];

/// One history. Panics where a law or an invariant does not hold.
pub fn check(seed: u64) {
    let mut rng = Rng::new(seed);
    let (managers, workers) = TOPOLOGIES[rng.below(TOPOLOGIES.len())];
    let mut world = blank(managers + workers);
    let labels = rng.once_in(2);
    let module = module(&world, managers, labels);
    for _ in 0..12 {
        world.slow_joins = rng.once_in(3);
        if rng.once_in(3) {
            world.docker_layer();
            let fault = rng
                .once_in(2)
                .then(|| (rng.below(5), FAULTS[rng.below(FAULTS.len())]));
            let left_out = world.hosts[rng.below(world.hosts.len())].name.clone();
            let left_out = rng.once_in(4).then_some(&left_out);
            let end = limited(&mut world, &module, fault, left_out).end;
            assert!(
                !matches!(end, End::Failed(_)) || partitioned(&world),
                "{end:?}"
            );
        } else {
            event(&mut world, &mut rng, managers);
        }
        if rng.once_in(2) {
            world.tick();
        }
    }
    finish(world, &module, managers, labels);
}

/// An act may fail where provision reaches a host that the others do not reach.
fn partitioned(world: &World) -> bool {
    world.hosts.iter().any(|host| !host.link)
}

fn event(world: &mut World, rng: &mut Rng, managers: usize) {
    let h = rng.below(world.hosts.len());
    match rng.below(12) {
        0 => world.power_off(h),
        1 => world.power_on(h),
        2 => world.hosts[h].ssh = false,
        3 => world.hosts[h].ssh = true,
        4 => world.hosts[h].link = rng.once_in(2),
        5 => world.replace(h),
        6 => world.hosts[h].disk = None,
        7 => world.stop(h),
        8 => world.start(h),
        9 => meddle(world, rng, h, managers),
        _ => (0..=rng.below(4)).for_each(|_| world.tick()),
    }
}

/// A person at a manager, with the engine's own checks.
fn meddle(world: &mut World, rng: &mut Rng, h: usize, managers: usize) {
    if world.hosts[h].disk.is_none() {
        if h < managers && world.hosts[h].running && rng.once_in(20) {
            world.found(h, vec!["172.30.0.0/16".to_owned()], 4789, 24);
        }
        return;
    }
    let Some(c) = world.speaks(h) else { return };
    let ids: Vec<String> = world.clusters[c].nodes.keys().cloned().collect();
    let id = &ids[rng.below(ids.len())];
    let (voters, heard) = (world.voters(c), world.voters_heard(c));
    let node = world.clusters[c].nodes.get_mut(id).unwrap();
    match rng.below(4) {
        0 if !node.vote => {
            world.clusters[c].nodes.remove(id);
        }
        1 if node.vote && voters > 2 && heard == voters => node.manager = false,
        2 => node.manager = true,
        _ => node.labels.clear(),
    }
}

/// Everything is mended and switched on: then provision must converge, or refuse for the true reason.
fn finish(mut world: World, module: &Swarm, managers: usize, labels: bool) {
    for h in 0..world.hosts.len() {
        (world.hosts[h].ssh, world.hosts[h].link) = (true, true);
        world.power_on(h);
    }
    world.docker_layer();
    let expected = expect(&at_rest(&world), managers);
    let end = run(&mut world, module, None).end;
    assert!(
        expected.allows(&end),
        "ended {end:?}, expected {expected:?} of {world:#?}"
    );
    if end == End::Settled {
        check_converged(&world, managers, labels);
    }
    let second = run(&mut world, module, None);
    assert_eq!(
        (second.end, second.done.len()),
        (end, 0),
        "a second run does something"
    );
}
