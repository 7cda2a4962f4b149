//! Mistakes that are made on purpose.

use super::cluster::Cluster;
use provision::inventory::HostName;
use provision::plan::Act;
use provision::probe::{Answer, Query, Seen};

/// A mistake: what the tables take a host's answer for, or which act they choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug;

impl Bug {
    pub fn answer(self, _: &Cluster, _: &HostName, _: &Query, seen: Seen<Answer>) -> Seen<Answer> {
        seen
    }

    pub fn act(self, _: &Cluster, act: &Act) -> Act {
        act.clone()
    }
}
