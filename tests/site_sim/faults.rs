//! A build and a repair that are killed, cut off or lose a host at an act, and the run after it.

use super::cluster::Cluster;
use super::events::Event;
use super::fleet::{Fault, KINDS, Kind, Sim};
use super::history::{message, pass};
use super::rng::Rng;
use super::run::Site;
use super::site::{built, built_of, check_well, site, site_of};
use provision::report::Outcome;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn every() -> bool {
    std::env::var_os("PROVISION_SIM_EVERY").is_some()
}

/// Breaks a run at an act, and finishes it by the next one; whether it had so many acts.
fn broken_at(site: &Site, start: Cluster, fault: Fault) -> bool {
    let sim = Sim::of(start);
    sim.fault.set(Some(fault));
    let _ = site.apply(&sim);
    let came = sim.acts.get() > fault.at;
    sim.fault.set(None);
    sim.cluster.borrow_mut().mend();
    let again = site.apply(&sim);
    check_well(site, &sim, &again);
    came
}

/// Each kind of fault in turn, before and after an act. `PROVISION_SIM_EVERY=1` breaks at every act with every kind.
#[test]
fn a_build_that_breaks_off_anywhere_is_finished_by_the_next_run() {
    let site = site(3, true);
    let mut faults = KINDS
        .into_iter()
        .flat_map(|kind| [(kind, false), (kind, true)])
        .cycle();
    for at in (0..).step_by(if every() { 1 } else { 11 }) {
        let kinds: Vec<_> = faults.by_ref().take(if every() { 10 } else { 1 }).collect();
        let mut came = false;
        for (kind, happens) in kinds {
            site.forget_all();
            let start = Cluster::blank(3, at as u64, true);
            came |= broken_at(&site, start, Fault { at, kind, happens });
        }
        if !came {
            assert!(at > 150, "the build had only {at} acts");
            break;
        }
    }
}

/// What befalls a host, as it is found by the run that repairs it: whatever happens by itself has happened.
pub fn damaged(start: &Cluster, event: Event, h: usize) -> Cluster {
    let mut cluster = start.clone();
    pass(&mut cluster, 5);
    cluster.happen(event, h);
    pass(&mut cluster, 40);
    cluster.mend();
    cluster
}

/// How an act of a run is broken: killed, or its link cut. Answers that come too late, a loss of power and acts that are
/// half done are added to short runs, and to all by `PROVISION_SIM_EVERY=1`.
fn kinds(acts: usize) -> &'static [Kind] {
    match acts {
        0..=10 => &KINDS,
        _ if every() => &KINDS,
        _ => &[Kind::Kill, Kind::Lose],
    }
}

/// A run that repairs is broken at every act, before and after that has happened.
fn broken_everywhere(event: Event, h: usize, least: usize) {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let work = || {
        let site = site(3, true);
        let start = damaged(&built(&site, 7, true), event, h);
        let whole = Sim::of(start.clone());
        let ended = site.apply(&whole);
        let acts = whole.acts.get();
        check_well(&site, &whole, &ended);
        assert!(acts >= least, "{event:?} of {h}: only {acts} acts");
        let kinds = kinds(acts);
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let (at, which) = (n / (2 * kinds.len()), n % (2 * kinds.len()));
            if at >= acts {
                return acts;
            }
            let (kind, happens) = (kinds[which / 2], which % 2 == 1);
            let fault = Fault { at, kind, happens };
            let once = || broken_at(&site, start.clone(), fault);
            match catch_unwind(AssertUnwindSafe(once)) {
                Ok(true) => {}
                Ok(false) => panic!("{fault:?} never came"),
                Err(why) => {
                    let why = message(&*why).to_owned();
                    wrong.lock().unwrap().push(format!("{fault:?}: {why}"));
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let acts = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let acts: Vec<usize> = all.into_iter().map(|one| one.join().unwrap()).collect();
        acts[0]
    });
    let wrong = wrong.into_inner().unwrap();
    let runs = acts * kinds(acts).len() * 2;
    println!("{event:?} of {h}: {acts} acts, {runs} runs that broke off");
    assert!(
        wrong.is_empty(),
        "{} of {runs} go wrong:\n\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n\n")
    );
}

/// The first host has the primary, and leads the swarm and the watchdog.
#[test]
fn a_replacement_of_the_primarys_host_that_breaks_off_anywhere_is_finished() {
    broken_everywhere(Event::Replace, 0, 40);
}

#[test]
fn a_replacement_of_a_standbys_host_that_breaks_off_anywhere_is_finished() {
    broken_everywhere(Event::Replace, 2, 40);
}

#[test]
fn a_recovery_of_lost_data_that_breaks_off_anywhere_is_finished() {
    broken_everywhere(Event::LoseDatabase, 0, 1);
    broken_everywhere(Event::LoseDatabase, 2, 1);
}

#[test]
fn a_brick_made_again_that_breaks_off_anywhere_is_finished() {
    broken_everywhere(Event::LoseBrickDisk, 1, 1);
}

#[test]
fn a_repair_of_the_stack_that_breaks_off_anywhere_is_finished() {
    broken_everywhere(Event::RemoveService, 0, 1);
    broken_everywhere(Event::LoseBroker, 2, 1);
    broken_everywhere(Event::OldCertificate, 1, 2);
}

fn hangs_at(at: usize) -> Option<Fault> {
    let (kind, happens) = (Kind::Hang, false);
    Some(Fault { at, kind, happens })
}

/// A replaced host has not mounted the share when its run breaks off: that it sees no secret key says nothing.
#[test]
fn a_replaced_host_that_is_not_finished_takes_no_task_from_the_stack() {
    let site = site_of(5, 3, true);
    let mut blank = Cluster::blank(5, 7, true);
    blank.databases_on = 3;
    let built = built_of(&site, blank);
    for seed in 0..8 {
        let mut start = damaged(&built, Event::RemoveService, 2);
        start.rng = Rng::new(seed);
        let sim = Sim::of(damaged(&start, Event::Replace, 0));
        sim.fault.set(hangs_at(4));
        let ended = site.apply(&sim);
        assert_eq!(ended.outcome, Some(Outcome::Failed), "{}", ended.story);
        assert!(!ended.stopped.is_empty() && sim.acts.get() > 4);
    }
}

/// The key is waited for where it is looked at, also when that host is stopped: one look at a time.
#[test]
fn what_is_waited_for_on_a_stopped_host_is_looked_at_once_at_a_time() {
    let site = site(3, true);
    let mut blank = Cluster::blank(3, 7, true);
    blank.keyless = true;
    let sim = Sim::of(blank);
    let first = site.apply(&sim);
    let waited = "the application writes its secret key";
    assert_eq!(first.outcome, Some(Outcome::Failed));
    assert!(first.story.contains(waited), "{}", first.story);
    assert!(!first.story.contains("did not begin"), "{}", first.story);
    sim.cluster.borrow_mut().happen(Event::StopDocker, 0);
    sim.fault.set(hangs_at(0));
    let second = site.apply(&sim);
    assert_eq!(second.outcome, Some(Outcome::Failed), "{}", second.story);
    assert!(second.story.contains(waited), "{}", second.story);
    assert_eq!(second.stopped.len(), 1, "{}", second.story);
    sim.fault.set(None);
    sim.cluster.borrow_mut().keyless = false;
    check_well(&site, &sim, &site.apply(&sim));
}
