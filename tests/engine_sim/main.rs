//! The real engine with the real playbooks against simulated hosts that take their time and break.
//!
//! Every act is checked against `Act::writes()`: an answer that it changes without saying so fails the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod acts;
// The swarm's own simulation uses more of these than this one does.
#[allow(dead_code)]
#[path = "../sim/answer.rs"]
mod answer;
#[allow(dead_code)]
#[path = "../sim/desired.rs"]
mod desired;
#[allow(dead_code)]
#[path = "../sim/drive.rs"]
mod drive;
mod faults;
mod fleet;
mod histories;
#[allow(dead_code)]
#[path = "../sim/laws.rs"]
mod laws;
mod machine;
#[allow(dead_code)]
#[path = "../sim/obey.rs"]
mod obey;
#[allow(dead_code)]
#[path = "../sim/oracle.rs"]
mod oracle;
#[path = "../sim/rng.rs"]
mod rng;
mod run;
mod shapes;
#[allow(dead_code)]
#[path = "../sim/starts.rs"]
mod starts;
#[allow(dead_code)]
#[path = "../sim/time.rs"]
mod time;
mod waiting;
#[allow(dead_code)]
#[path = "../sim/world.rs"]
mod world;
