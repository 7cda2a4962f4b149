//! Questions that take long: while a brick is away, GlusterFS takes 10 s to tell what is to be healed, because its client
//! waits so long for all bricks (`afr`, `heal info`; seen in the lab).

use super::events::Event;
use super::faults::damaged;
use super::fleet::Sim;
use super::site::{built, check_well, site};
use std::time::Duration;

/// How long a replacement takes, and how often GlusterFS is asked for the health of its copies.
fn replacement(takes: Duration) -> (Duration, usize) {
    let site = site(3, true);
    let sim = Sim::of(damaged(&built(&site, 7, true), Event::Replace, 1));
    sim.slow.set((takes, 0));
    let ended = site.apply(&sim);
    check_well(&site, &sim, &ended);
    (ended.took, sim.slow.get().1)
}

#[test]
fn a_question_that_takes_long_is_not_asked_after_each_step() {
    let (quick, _) = replacement(Duration::ZERO);
    let (slow, times) = replacement(Duration::from_secs(10));
    assert!(
        times <= 16 && slow < quick + Duration::from_secs(160),
        "{quick:?}, and {slow:?} with {times} slow questions"
    );
}
