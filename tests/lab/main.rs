//! The program against real daemons on lab hosts. Needs root; `make test-lab` runs it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail"
)]

mod apply;
mod blank;
mod drift;
mod fingerprint;
mod inventory;
mod lab;
mod plan;
mod provision;
mod scenario;
mod watch;

use lab::Lab;
use scenario::scenario;

/// Blank hosts to a swarm, a second run, and changes made by hand.
#[test]
#[ignore = "needs root and the lab"]
fn first_cluster() {
    let lab = scenario("three hosts up", || Lab::up("first", 3));
    scenario("a dry run leaves no trace", || blank::dry_run(&lab));
    let planned = scenario("the plan is complete", || blank::plan(&lab));
    scenario("apply does what was planned", || {
        apply::first_run(&lab, &planned)
    });
    scenario("the second run finds nothing", || apply::second_run(&lab));
    scenario("changes by hand are repaired", || drift::all(&lab));
}
