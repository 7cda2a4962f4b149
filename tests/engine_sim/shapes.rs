//! Blank clusters of every shape, limits, changes by hand, replaced hosts.

use super::fleet::Sim;
use super::oracle::check_converged;
use super::run::{Ended, Site};
use provision::report::Outcome;

pub const SHAPES: [(usize, usize); 4] = [(3, 0), (3, 1), (1, 2), (5, 0)];

/// What must be true when a run has ended well: the world is what the inventory says, and a second run is empty.
pub fn check_well(site: &Site, sim: &Sim, ended: &Ended) {
    let well = matches!(ended.outcome, Some(Outcome::Changed | Outcome::Converged));
    assert!(
        well,
        "ended {:?} ({:?})\n{}",
        ended.outcome,
        ended.codes(),
        ended.story
    );
    check_converged(&sim.world.borrow(), site.managers, false);
    for (h, machine) in sim.machines.borrow().iter().enumerate() {
        assert_eq!(machine.hostname, site.name(h).as_str());
        assert!(machine.enabled.contains("docker.service"));
        for port in ["2377/tcp", "7946/tcp", "7946/udp", "4789/udp"] {
            assert!(machine.runtime.contains(port) && machine.permanent.contains(port));
        }
    }
    let second = site.apply(sim);
    assert_eq!(
        second.outcome,
        Some(Outcome::Converged),
        "a second run\n{}",
        second.story
    );
    assert!(
        second.done().is_empty(),
        "a second run does {:?}",
        second.done()
    );
}

/// A converged cluster.
pub fn built(site: &Site, seed: u64) -> Sim {
    let sim = Sim::blank(site.hosts, seed);
    let ended = site.apply(&sim);
    assert_eq!(ended.outcome, Some(Outcome::Changed), "{}", ended.story);
    sim
}

/// Exactly these steps are planned and done, and all is well after.
fn repairs(site: &Site, sim: &Sim, steps: &[&str]) {
    let ended = site.apply(sim);
    let names: Vec<String> = ended
        .planned
        .iter()
        .map(|(id, host, _)| format!("{host} {id}"))
        .collect();
    let mut wanted: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
    wanted.sort_by_key(|step| {
        step.split_once(' ')
            .map(|(host, id)| (id.to_owned(), host.to_owned()))
    });
    assert_eq!(names, wanted, "{}", ended.story);
    assert_eq!(ended.done(), ended.planned, "{}", ended.story);
    check_well(site, sim, &ended);
}

#[test]
fn a_blank_cluster_is_built_exactly_as_planned() {
    for (managers, workers) in SHAPES {
        let site = Site::new(managers, workers);
        for seed in 0..5 {
            let sim = Sim::blank(site.hosts, seed);
            let before = sim.fingerprint();
            let (plan, outcome) = site.look(&sim, None);
            assert_eq!(outcome, Outcome::Pending);
            assert_eq!(sim.fingerprint(), before, "a dry run changes something");
            let (again, _) = site.look(&sim, None);
            assert_eq!(
                format!("{plan:?}"),
                format!("{again:?}"),
                "the plan is not deterministic"
            );
            let ended = site.apply(&sim);
            assert_eq!(ended.shown, plan);
            assert_eq!(ended.done(), ended.planned, "{}", ended.story);
            check_well(&site, &sim, &ended);
            assert_eq!(sim.world.borrow().founded, 1);
        }
    }
}

#[test]
fn under_a_limit_nothing_is_founded_and_no_other_host_is_touched() {
    for (managers, workers) in SHAPES {
        let site = Site::new(managers, workers);
        for h in 0..site.hosts {
            let sim = Sim::blank(site.hosts, h as u64);
            let others = |sim: &Sim| {
                let mut machines = sim.machines.borrow().clone();
                machines.remove(h);
                format!("{machines:?}")
            };
            let before = others(&sim);
            let ended = site.apply_to(&sim, Some(h));
            assert_eq!(ended.done(), ended.planned, "{}", ended.story);
            assert_eq!(
                ended.outcome,
                Some(Outcome::Refused),
                "creation is refused under a limit\n{}",
                ended.story
            );
            assert_eq!(others(&sim), before);
            assert_eq!(sim.world.borrow().founded, 0);
            assert!(
                sim.world.borrow().hosts[h].running,
                "what concerns the host alone is done"
            );
            let again = site.apply_to(&sim, Some(h));
            assert!(again.done().is_empty());
            check_well(&site, &sim, &site.apply(&sim));
        }
    }
}

#[test]
fn a_limit_lets_a_host_join_a_swarm_that_is_there() {
    let site = Site::new(3, 1);
    let sim = built(&site, 1);
    sim.replace(3);
    (0..4).for_each(|_| sim.world.borrow_mut().tick());
    let other = site.apply_to(&sim, Some(0));
    assert!(
        other.done().is_empty() && other.outcome == Some(Outcome::Converged),
        "{}",
        other.story
    );
    let ended = site.apply_to(&sim, Some(3));
    assert_eq!(ended.outcome, Some(Outcome::Changed), "{}", ended.story);
    check_well(&site, &sim, &site.apply(&sim));
}

#[test]
fn a_change_by_hand_is_repaired_by_exactly_that() {
    let site = Site::new(3, 1);
    for h in 0..4 {
        let host = site.name(h);
        let sim = built(&site, h as u64);
        sim.machines.borrow_mut()[h].runtime.remove("7946/udp");
        repairs(
            &site,
            &sim,
            &[&format!("{host} firewall/open-now/7946/udp")],
        );

        sim.machines.borrow_mut()[h].permanent.remove("2377/tcp");
        repairs(
            &site,
            &sim,
            &[&format!("{host} firewall/open-permanently/2377/tcp")],
        );

        sim.machines.borrow_mut()[h]
            .packages
            .remove("docker-compose-plugin");
        repairs(
            &site,
            &sim,
            &[&format!("{host} package/install/docker-compose-plugin")],
        );

        sim.machines.borrow_mut()[h].hostname = "other".into();
        repairs(&site, &sim, &[&format!("{host} hostname/{host}")]);

        let file = "/etc/yum.repos.d/docker-ce.repo".to_owned();
        sim.machines.borrow_mut()[h]
            .files
            .insert(file, (b"[docker-ce-stable]\nenabled=0\n".to_vec(), 0o644));
        repairs(
            &site,
            &sim,
            &[&format!("{host} repository/docker-ce-stable")],
        );

        sim.machines.borrow_mut()[h]
            .enabled
            .remove("docker.service");
        repairs(
            &site,
            &sim,
            &[&format!("{host} service/enable/docker.service")],
        );

        for ticks in [0, 4] {
            sim.world.borrow_mut().stop(h);
            (0..ticks).for_each(|_| sim.world.borrow_mut().tick());
            repairs(
                &site,
                &sim,
                &[&format!("{host} service/start/docker.service")],
            );
        }
    }
}

#[test]
fn a_host_that_left_or_is_blank_comes_back_into_the_same_swarm() {
    for (managers, workers) in SHAPES {
        let site = Site::new(managers, workers);
        for h in 0..site.hosts {
            // The only manager is the swarm: without its disk there is none.
            let survives = site.managers > 1 || h > 0;
            for blank in [false, true] {
                for ticks in [0, 4] {
                    let sim = built(&site, 7 * h as u64 + ticks);
                    match blank {
                        true => sim.replace(h),
                        false => sim.world.borrow_mut().hosts[h].disk = None,
                    }
                    (0..ticks).for_each(|_| sim.world.borrow_mut().tick());
                    let ended = site.apply(&sim);
                    if survives {
                        assert!(ended.done().is_subset(&ended.planned), "{}", ended.story);
                        check_well(&site, &sim, &ended);
                    } else {
                        assert_eq!(ended.outcome, Some(Outcome::Refused), "{}", ended.story);
                    }
                    assert_eq!(sim.world.borrow().founded, 1, "a second swarm was founded");
                }
            }
        }
    }
}
