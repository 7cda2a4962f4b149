//! The swarm module against a simulated cluster that obeys its typed acts and breaks at any step.
//!
//! Laws, checked at every step of every run: after a step the new plan is the rest of the old one or a part
//! of it; a converged state has an empty plan; the same state gives the same bytes; what is done was planned.
//! Invariants: provision founds at most one swarm, and none while a host is silent; no step of its own costs
//! a quorum; no node that a host still is, is taken off; nothing is planned for a host that does not answer.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answer;
mod desired;
mod drive;
mod histories;
mod laws;
mod obey;
mod oracle;
mod rng;
mod starts;
mod time;
mod world;

use starts::{STARTS, Start};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// After so many failures of one test the rest tells nothing new.
const ENOUGH: usize = 5;

/// All starts of a topology, or every `stride`th of them.
fn all_starts(managers: usize, workers: usize, stride: usize) {
    let hosts = managers + workers;
    let all = STARTS.len().pow(u32::try_from(hosts).unwrap());
    let (mut worlds, mut runs) = (0, 0);
    let mut wrong = Vec::new();
    for n in (0..all).step_by(stride) {
        let mut rest = n;
        let starts: Vec<Start> = (0..hosts)
            .map(|_| {
                let start = STARTS[rest % STARTS.len()];
                rest /= STARTS.len();
                start
            })
            .collect();
        let one = || starts::check(managers, &starts, n % 2 == 0, n % 3 == 0);
        match catch_unwind(AssertUnwindSafe(one)) {
            Ok(count) => runs += count,
            Err(why) => wrong.push(format!("{starts:?}: {}", message(&*why))),
        }
        worlds += 1;
        if wrong.len() == ENOUGH {
            break;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of the first {worlds} starts of {managers}+{workers} go wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("{managers}+{workers}: {worlds} starts, {runs} runs");
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("?")
}

#[test]
fn every_start_of_three_managers() {
    all_starts(3, 0, 1);
}

#[test]
fn every_start_of_one_manager_and_two_workers() {
    all_starts(1, 2, 1);
}

// The strides have no factor in common with the number of starts of a host, so every pair occurs.

#[test]
fn many_starts_of_three_managers_and_a_worker() {
    all_starts(3, 1, 41);
}

#[test]
fn many_starts_of_five_managers() {
    all_starts(5, 0, 1009);
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
        histories::check(seed);
        return;
    }
    let wrong: Vec<String> = (0..number("PROVISION_SIM_HISTORIES").unwrap_or(2000))
        .filter_map(|seed| {
            let why = catch_unwind(AssertUnwindSafe(|| histories::check(seed))).err()?;
            Some(format!("PROVISION_SIM_SEED={seed}: {}", message(&*why)))
        })
        .take(ENOUGH)
        .collect();
    assert!(
        wrong.is_empty(),
        "at least {} histories go wrong; repeat one with\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
