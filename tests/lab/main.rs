//! The program against real daemons on lab hosts. Needs root; `make test-lab` runs it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail"
)]

mod access;
mod apply;
mod blank;
mod drift;
mod fingerprint;
mod interrupted;
mod inventory;
mod lab;
mod plan;
mod provision;
mod scenario;
mod started;
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

/// What can be wrong between this machine and the hosts.
#[test]
#[ignore = "needs root and the lab"]
fn access_faults() {
    let lab = scenario("a converged lab", || Lab::converged("access", 3));
    scenario("connection refused, and silence after it", || {
        access::refused_and_hanging(&lab);
    });
    scenario("power loss", || access::no_route(&lab));
    scenario("unknown and changed host keys", || access::host_keys(&lab));
    scenario("logins and passwords", || access::privileges(&lab));
    scenario("connection lost in a step", || {
        interrupted::connection_lost(&lab);
    });
    scenario("Ctrl-C in a step", || interrupted::control_c(&lab));
    scenario("a replaced host", || access::replaced(&lab));
}
