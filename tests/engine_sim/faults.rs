//! A run that is killed, cut off, refused by a host or interrupted at every single act, and the run after it.

use super::fleet::{Fault, Kind, Sim};
use super::run::{Ended, Site};
use super::shapes::{SHAPES, built, check_well};
use provision::report::Outcome;
use std::time::Duration;

/// Every act of a build, with this fault before and after it happens.
fn at_every_act(kind: Kind, check: impl Fn(&Site, &Sim, usize, &Ended)) {
    for (managers, workers) in SHAPES {
        let site = Site::new(managers, workers);
        // Five managers are five times the same three: a part of the moments is enough.
        let stride = if site.hosts == 5 { 3 } else { 1 };
        for happens in [false, true] {
            for at in (0..).step_by(stride) {
                let sim = Sim::blank(site.hosts, at as u64);
                sim.fault.set(Some(Fault { at, kind, happens }));
                let ended = site.apply(&sim);
                if sim.acts.borrow().len() <= at {
                    assert!(at > 5 * site.hosts, "the fault never came");
                    break;
                }
                let h = {
                    let acts = sim.acts.borrow();
                    sim.world.borrow().host(&acts[at].0)
                };
                check(&site, &sim, h, &ended);
                sim.fault.set(None);
                for host in &mut sim.world.borrow_mut().hosts {
                    host.ssh = true;
                }
                let again = site.apply(&sim);
                assert!(
                    again.done().is_subset(&again.planned) || at_swarm(&again),
                    "{kind:?} {happens} at {at}: {}",
                    again.story
                );
                check_well(&site, &sim, &again);
                assert_eq!(sim.world.borrow().founded, 1, "{kind:?} {happens} at {at}");
            }
        }
    }
}

/// Whether the plan could not name all steps, because something was under way.
fn at_swarm(ended: &Ended) -> bool {
    !ended.shown.waits.is_empty()
}

fn outcome(ended: &Ended, wanted: Outcome) {
    assert_eq!(ended.outcome, Some(wanted), "{}", ended.story);
}

#[test]
fn killed_at_every_act() {
    at_every_act(Kind::Kill, |_, _, _, ended| assert!(ended.drove.is_none()));
}

#[test]
fn interrupted_at_every_act() {
    at_every_act(Kind::Interrupt, |_, _, _, ended| {
        outcome(ended, Outcome::Interrupted);
        assert!(!ended.drove.as_ref().unwrap().failed, "{}", ended.story);
        assert!(ended.stopped.is_empty(), "{}", ended.story);
    });
}

/// The others do all that concerns themselves; no swarm is founded without a member.
fn stops_only(site: &Site, sim: &Sim, h: usize, ended: &Ended) {
    assert_eq!(ended.stopped.len(), 1, "{}", ended.story);
    assert!(ended.stopped.contains(&site.name(h)));
    for (peer, machine) in sim.machines.borrow().iter().enumerate() {
        if peer != h {
            assert!(
                sim.world.borrow().hosts[peer].running,
                "{peer}\n{}",
                ended.story
            );
            assert_eq!(machine.permanent.len(), 4, "{peer}\n{}", ended.story);
        }
    }
}

fn last_is_swarm(sim: &Sim) -> bool {
    let fault = sim.fault.get().unwrap();
    matches!(
        sim.acts.borrow()[fault.at].1,
        provision::plan::Act::Swarm(_)
    )
}

#[test]
fn the_connection_is_lost_at_every_act() {
    at_every_act(Kind::Lose, |site, sim, h, ended| {
        stops_only(site, sim, h, ended);
        assert!(!ended.drove.as_ref().unwrap().failed, "{}", ended.story);
        let (swarm, founded) = (last_is_swarm(sim), sim.world.borrow().founded);
        if !swarm {
            // S0: the silent host may hold a swarm.
            outcome(ended, Outcome::Refused);
            assert_eq!(founded, 0, "{}", ended.story);
        } else if founded == 1 && sim.world.borrow().hosts[h].disk.is_some() {
            let quorum = sim.world.borrow().hosts[h]
                .disk
                .as_ref()
                .is_some_and(|disk| sim.world.borrow().quorum(disk.cluster));
            assert!(quorum);
        }
    });
}

#[test]
fn an_answer_does_not_come_at_every_act() {
    at_every_act(Kind::Hang, |site, sim, h, ended| {
        stops_only(site, sim, h, ended);
        outcome(ended, Outcome::Failed);
    });
}

#[test]
fn a_host_fails_at_every_act() {
    at_every_act(Kind::Fail, |site, sim, h, ended| {
        outcome(ended, Outcome::Failed);
        if last_is_swarm(sim) {
            assert!(ended.stopped.is_empty(), "{}", ended.story);
        } else {
            stops_only(site, sim, h, ended);
            assert_eq!(
                sim.world.borrow().founded,
                0,
                "founded though a member failed\n{}",
                ended.story
            );
        }
    });
}

#[test]
fn a_host_that_is_silent_from_the_start_costs_only_itself() {
    for (managers, workers) in SHAPES {
        let site = Site::new(managers, workers);
        for h in 0..site.hosts {
            let sim = Sim::blank(site.hosts, h as u64);
            sim.world.borrow_mut().hosts[h].ssh = false;
            let (plan, _) = site.look(&sim, None);
            let ended = site.apply(&sim);
            assert_eq!(ended.shown, plan);
            outcome(&ended, Outcome::Refused);
            assert_eq!(ended.codes().into_iter().collect::<Vec<_>>(), ["S0"]);
            assert_eq!(ended.done(), ended.planned, "{}", ended.story);
            stops_only(&site, &sim, h, &ended);
            assert_eq!(sim.world.borrow().founded, 0);
            sim.world.borrow_mut().hosts[h].ssh = true;
            check_well(&site, &sim, &site.apply(&sim));
        }
    }
}

#[test]
fn a_host_that_goes_dark_at_any_moment_costs_only_itself() {
    for (managers, workers) in SHAPES {
        let site = Site::new(managers, workers);
        for h in 0..site.hosts {
            for at in (h..7 * site.hosts).step_by(site.hosts) {
                let sim = Sim::blank(site.hosts, at as u64);
                sim.dark.set(Some((at, h)));
                let ended = site.apply(&sim);
                let drove = ended.drove.as_ref().unwrap();
                assert!(
                    !drove.failed,
                    "{h} dark at {at}: {:?}\n{}",
                    ended.outcome, ended.story
                );
                stops_only(&site, &sim, h, &ended);
                sim.dark.set(None);
                sim.world.borrow_mut().hosts[h].ssh = true;
                check_well(&site, &sim, &site.apply(&sim));
                assert_eq!(sim.world.borrow().founded, 1);
            }
        }
    }
}

#[test]
fn a_host_that_the_preflight_refuses_stops_only_itself() {
    for (managers, workers) in SHAPES {
        let site = Site::new(managers, workers);
        for h in 0..site.hosts {
            let sim = Sim::blank(site.hosts, h as u64);
            sim.machines.borrow_mut()[h].platform = "platform:el8".into();
            let ended = site.apply(&sim);
            outcome(&ended, Outcome::Refused);
            assert!(ended.codes().contains("H21"), "{}", ended.story);
            assert_eq!(ended.done(), ended.planned, "{}", ended.story);
            stops_only(&site, &sim, h, &ended);
            assert_eq!(sim.world.borrow().founded, 0);
            sim.machines.borrow_mut()[h].platform = "platform:el9".into();
            check_well(&site, &sim, &site.apply(&sim));
        }
    }
}

/// A member that works by its own word, and that the managers do not hear.
fn deaf(site: &Site) -> Sim {
    let sim = built(site, 3);
    sim.world.borrow_mut().hosts[2].link = false;
    (0..4).for_each(|_| sim.world.borrow_mut().tick());
    sim
}

#[test]
fn a_member_that_is_never_heard_of_costs_a_bounded_wait() {
    let site = Site::new(3, 1);
    let sim = deaf(&site);
    let ended = site.apply(&sim);
    outcome(&ended, Outcome::Failed);
    assert!(ended.shown.waits.len() == 1 && ended.done().is_empty());
    let bounds = Duration::from_secs(120)..Duration::from_secs(150);
    assert!(
        bounds.contains(&ended.took),
        "{:?}\n{}",
        ended.took,
        ended.story
    );
    sim.world.borrow_mut().hosts[2].link = true;
    check_well(&site, &sim, &site.apply(&sim));
}

#[test]
fn an_interrupt_ends_a_wait_at_once() {
    let site = Site::new(3, 1);
    let sim = deaf(&site);
    sim.impatience.set(Some(Duration::from_secs(30)));
    let ended = site.apply(&sim);
    outcome(&ended, Outcome::Interrupted);
    assert!(ended.stopped.is_empty() && !ended.drove.as_ref().unwrap().failed);
    let bounds = Duration::from_secs(30)..Duration::from_secs(35);
    assert!(
        bounds.contains(&ended.took),
        "{:?}\n{}",
        ended.took,
        ended.story
    );
}
