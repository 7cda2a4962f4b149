//! All layers of the site against simulated hosts, driven by the real engine with the real playbooks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bugs;
mod build;
mod causes;
mod cluster;
mod database;
mod database_says;
mod events;
mod faults;
mod fleet;
mod gluster;
mod gluster_says;
mod histories;
mod history;
mod law;
mod ledger;
mod machine;
mod mesh;
mod obeys;
mod packages;
mod pgpool;
mod replaced;
#[allow(dead_code)]
#[path = "../engine_sim/run.rs"]
mod run;
mod says;
mod seeded;
mod site;
mod swarm_sim;

use swarm_sim::{rng, world};
