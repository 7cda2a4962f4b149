//! All layers of the site against simulated hosts, driven by the real engine with the real playbooks.
//!
//! A [`cluster::Cluster`] is all that there is: power, links, engines and the swarm (`swarm_sim`, shared with the swarm's
//! own simulation); a `Machine` a host (packages, paths, units at boot, firewall); a `Glusterd` with its view of the
//! pool, its brick's folder and its mount; an `Instance` with its data directory (timelines, commits, slots); a `Daemon`
//! of Pgpool-II with the nodes as it remembers them and the address. `Cluster::tick` is two seconds in which every layer
//! does what it does by itself: rafts, healing, streaming, the guard at boot, failover (docs/failover.md).
//!
//! `says` answers typed questions and `obeys` does typed acts, with the refusals of the real programs. `fleet` puts
//! both behind the engine, with time, faults and writers; `law` is checked around every act; `events` are what befalls
//! hosts between runs; `history` plays them and judges the end by `causes`, reasoned from what is really there; what is
//! wrong is printed with its seed and a shortened trace. `bugs` are mistakes made on purpose: each must be caught.
//!
//! The stack (`stack`) is what the managers of a swarm keep and what its engines run of that; the containers behave:
//! `rabbitmq` has the nodes of RabbitMQ and the application, which fills the database and writes its key, `share` what
//! is on the volume.
//!
//! Left out: other shapes than three hosts with every layer and five with three databases, settings that wait for a
//! restart of PostgreSQL, split-brain of files, replicas behind a lost slot, links between single pairs, updates of
//! services that stop half-way, images that differ, folders of the stack outside the share, stacks in rehearsals of two
//! of three hosts lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod authority;
mod bugs;
mod build;
mod causes;
mod cluster;
mod copies;
mod database;
mod database_says;
mod election;
mod events;
mod failover;
mod faults;
mod fleet;
mod foretold;
mod gate;
mod gluster;
mod gluster_obeys;
mod gluster_says;
mod histories;
mod history;
mod law;
mod ledger;
mod limited;
mod machine;
mod mesh;
mod misread;
mod obeys;
mod packages;
mod pgpool;
mod rabbitmq;
mod rehearsed;
mod replaced;
#[allow(dead_code)]
#[path = "../engine_sim/run.rs"]
mod run;
mod says;
mod seeded;
mod sent;
mod share;
mod site;
mod slow;
mod stack;
mod stack_agent;
mod stack_events;
mod stack_law;
mod stack_obeys;
mod stack_says;
mod stack_well;
mod stopped_primary;
mod swarm_sim;

use swarm_sim::{rng, world};
