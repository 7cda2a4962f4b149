//! `provision` converges EL9 hosts to a working cluster.
//!
//! ```text
//! load → connect → look → plan → show ─(dry run stops here)→ lock → act, step by step, looking again
//!      → look+plan: must be empty → report
//! ```
//!
//! Dependencies point one way only:
//! `cli → run → {playbook, plan, apply, report} → {module, cluster} → probe → connection`.

pub mod apply;
pub mod cli;
pub mod cluster;
pub mod connection;
pub mod failure;
pub mod inventory;
pub mod module;
pub mod plan;
pub mod playbook;
pub mod probe;
pub mod rehearse;
pub mod report;
pub mod run;
pub mod yaml;
