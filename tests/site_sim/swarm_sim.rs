//! The swarm as its own simulation has it.
#![allow(dead_code, reason = "that simulation uses more of it")]

#[path = "../sim/answer.rs"]
mod answer;
#[path = "../sim/desired.rs"]
mod desired;
#[path = "../sim/drive.rs"]
pub mod drive;
#[path = "../sim/laws.rs"]
mod laws;
#[path = "../sim/obey.rs"]
mod obey;
#[path = "../sim/oracle.rs"]
pub mod oracle;
#[path = "../sim/rng.rs"]
pub mod rng;
#[path = "../sim/starts.rs"]
pub mod starts;
#[path = "../sim/time.rs"]
mod time;
#[path = "../sim/world.rs"]
pub mod world;
