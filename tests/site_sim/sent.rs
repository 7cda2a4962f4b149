//! What was so when an act was sent to its host: what changes while it is on its way, nobody can know.

use super::causes::{all_serve, deposed};
use super::cluster::Cluster;
use provision::plan::{Act, UnitVerb};

pub struct Sent {
    /// Whether clients were served.
    pub served: bool,
    /// Whether the host's server was a former primary that had nothing of its own, and that nobody followed.
    pub deposed: bool,
    /// Whether clients have the one that took its place, or get it when this one is stopped.
    succeeded: bool,
}

impl Sent {
    pub fn new(cluster: &Cluster, h: usize) -> Self {
        let by = cluster.hosts().find(|p| *p != h && deposed(cluster, h, *p));
        Self {
            served: cluster.served().is_some(),
            deposed: by.is_some(),
            succeeded: by.is_some_and(|p| all_serve(cluster, p)),
        }
    }

    /// Whether it is the stop of a former primary whose clients are then sent to the present one.
    pub fn fences(&self, act: &Act) -> bool {
        self.succeeded && stops_database(act)
    }
}

pub fn stops_database(act: &Act) -> bool {
    matches!(act, Act::Unit { verb: UnitVerb::Stop, unit } if unit == "postgresql-16.service")
}
