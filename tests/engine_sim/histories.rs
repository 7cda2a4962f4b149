//! Random histories: hosts fail, return, are replaced; people meddle; provision runs, breaks and dies in between.

use super::drive::End;
use super::fleet::{Fault, Kind, Sim};
use super::oracle::{Expected, expect};
use super::rng::Rng;
use super::run::{Ended, Site};
use super::shapes::{SHAPES, check_well};
use super::starts::at_rest;
use provision::report::Outcome;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

const KINDS: [Kind; 5] = [
    Kind::Kill,
    Kind::Lose,
    Kind::Hang,
    Kind::Fail,
    Kind::Interrupt,
];

/// One history. Panics where a law or an invariant does not hold.
fn check(sites: &[Site], seed: u64) {
    let mut rng = Rng::new(seed);
    let site = &sites[rng.below(sites.len())];
    let sim = Sim::blank(site.hosts, seed);
    for _ in 0..4 + rng.below(6) {
        sim.world.borrow_mut().slow_joins = rng.once_in(3);
        if rng.once_in(2) {
            let fault = rng.once_in(2).then(|| Fault {
                at: rng.below(8 * site.hosts),
                kind: KINDS[rng.below(KINDS.len())],
                happens: rng.once_in(2),
            });
            sim.fault.set(fault);
            let dark = rng
                .once_in(6)
                .then(|| (rng.below(8 * site.hosts), rng.below(site.hosts)));
            sim.dark.set(dark);
            let limit = rng.once_in(6).then(|| rng.below(site.hosts));
            let ended = site.apply_to(&sim, limit);
            check_end(&sim, &ended);
            sim.fault.set(None);
            sim.dark.set(None);
        } else {
            event(&sim, &mut rng, site);
        }
        if rng.once_in(2) {
            sim.world.borrow_mut().tick();
        }
    }
    finish(site, &sim);
}

/// What holds of every end, whatever happened.
fn check_end(sim: &Sim, ended: &Ended) {
    let Some(outcome) = ended.outcome else { return };
    let clean = sim.fault.get().is_none() && sim.dark.get().is_none();
    let linked = sim
        .world
        .borrow()
        .hosts
        .iter()
        .all(|host| host.link && host.power);
    if clean && linked && ended.shown.waits.is_empty() {
        assert!(
            !matches!(outcome, Outcome::NotConverged | Outcome::Interrupted),
            "ended {outcome:?}\n{}",
            ended.story
        );
        let silent = !ended.last.unreachable.is_empty();
        assert!(outcome != Outcome::Converged || !silent);
    }
}

fn event(sim: &Sim, rng: &mut Rng, site: &Site) {
    let h = rng.below(site.hosts);
    match rng.below(13) {
        0 => sim.world.borrow_mut().power_off(h),
        1 => sim.world.borrow_mut().power_on(h),
        2 => sim.world.borrow_mut().hosts[h].ssh = false,
        3 => sim.world.borrow_mut().hosts[h].ssh = true,
        4 => sim.world.borrow_mut().hosts[h].link = rng.once_in(2),
        5 => sim.replace(h),
        6 => sim.world.borrow_mut().hosts[h].disk = None,
        7 => sim.world.borrow_mut().stop(h),
        8 => {
            let mut machines = sim.machines.borrow_mut();
            let machine = &mut machines[h];
            match rng.below(4) {
                0 => drop(machine.runtime.pop_first()),
                1 => machine.hostname = "renamed".into(),
                2 => drop(machine.enabled.remove("docker.service")),
                _ => drop(machine.packages.remove("docker-buildx-plugin")),
            }
        }
        _ => (0..=rng.below(4)).for_each(|_| sim.world.borrow_mut().tick()),
    }
}

/// Everything is mended and switched on: then provision must converge, or refuse for the true reason.
fn finish(site: &Site, sim: &Sim) {
    {
        let mut world = sim.world.borrow_mut();
        for h in 0..site.hosts {
            (world.hosts[h].ssh, world.hosts[h].link) = (true, true);
            world.power_on(h);
        }
    }
    let mut rest = sim.world.borrow().clone();
    rest.docker_layer();
    let expected = expect(&at_rest(&rest), site.managers);
    let ended = site.apply(sim);
    let end = match ended.outcome {
        Some(Outcome::Changed | Outcome::Converged) => End::Settled,
        Some(Outcome::Refused) => End::Refused(ended.codes().into_iter().collect()),
        Some(Outcome::Failed) if matches!(expected, Expected::Exactly(End::Waiting)) => {
            End::Waiting
        }
        other => panic!("ended {other:?}, expected {expected:?}\n{}", ended.story),
    };
    assert!(
        expected.allows(&end),
        "ended {end:?}, expected {expected:?}\n{}",
        ended.story
    );
    if end == End::Settled {
        check_well(site, sim, &ended);
    } else {
        let second = site.apply(sim);
        assert!(
            second.done().is_empty(),
            "a second run does {:?}\n{}",
            second.done(),
            second.story
        );
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("?")
}

fn sites() -> Vec<Site> {
    SHAPES
        .iter()
        .map(|(managers, workers)| Site::new(*managers, *workers))
        .collect()
}

/// Every `step`th history from `first` on; tells which go wrong.
fn part(first: u64, step: u64, all: u64) -> Vec<String> {
    let sites = sites();
    let seeds = (first..all).step_by(usize::try_from(step).unwrap());
    seeds
        .filter_map(|seed| {
            let why = catch_unwind(AssertUnwindSafe(|| check(&sites, seed))).err()?;
            let text = message(&*why).lines().take(3).collect::<Vec<_>>();
            Some(format!("PROVISION_SIM_SEED={seed}: {}", text.join(" / ")))
        })
        .take(5)
        .collect()
}

/// `PROVISION_SIM_SEED=n` repeats one history, `PROVISION_SIM_HISTORIES=n` runs so many.
#[test]
fn random_histories() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    if let Some(seed) = number("PROVISION_SIM_SEED") {
        check(&sites(), seed);
        return;
    }
    let all = number("PROVISION_SIM_HISTORIES").unwrap_or(500);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || part(first, threads, all)))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap())
            .collect()
    });
    assert!(
        wrong.is_empty(),
        "at least {} histories go wrong; repeat one with\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
