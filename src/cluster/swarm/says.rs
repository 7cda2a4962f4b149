//! What a host said of itself, as a line of evidence.

use super::state::Here;
use crate::probe::docker::Trace;

impl Here {
    /// One line for the evidence of a refusal.
    pub(super) fn says(&self) -> String {
        let of = |trace: &Trace| match trace.ca_sha256.get(..12) {
            Some(ca) => format!(" (swarm with CA {ca})"),
            None => String::new(),
        };
        match self {
            Self::Silent(why) => format!("did not answer: {why}"),
            Self::Absent { assumed: None, .. } => "in no swarm".to_owned(),
            Self::Absent {
                assumed: Some(why), ..
            } => format!("taken for in no swarm: {why}"),
            Self::Stopped { trace, silent } => {
                format!("{silent}, a membership is on its disk{}", of(trace))
            }
            Self::Pending(place) => format!("joining or starting{}", of(&place.trace)),
            Self::Locked(place) => format!("locked{}", of(&place.trace)),
            Self::Broken { place, error } => format!("error: {error}{}", of(&place.trace)),
            Self::Active {
                place,
                manager,
                cluster,
                error,
                ..
            } => {
                let role = if *manager { "manager" } else { "worker" };
                let which = match cluster {
                    Some(cluster) => format!(" of swarm {}", cluster.id),
                    None => of(&place.trace),
                };
                let complaint = if error.is_empty() {
                    String::new()
                } else {
                    format!(", which says: {error}")
                };
                format!("{role}{which}{complaint}")
            }
        }
    }
}
