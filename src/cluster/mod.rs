//! Modules that look at every member of a group and decide for all of them.
//!
//! "This host does not have it" is never a reason to create a cluster: the predicate for that is that
//! *every* member answered and *none* shows a trace.

mod astray;
pub mod certificates;
pub mod external_database;
mod former_primary;
pub mod gluster_pool;
pub mod gluster_volume;
pub mod pgpool;
pub mod postgres;
pub mod preflight;
pub mod replaced_hosts;
pub mod secret_key;
mod share;
pub mod shared_dir;
pub mod ssh_mesh;
pub mod stack;
pub mod swarm;
