//! Changes of what is mounted.

use serde::{Deserialize, Serialize};

/// A change of what is mounted at a place that /etc/fstab has a line for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountAct {
    /// Makes the empty directory immutable, while nothing is mounted there.
    Guard {
        /// The place.
        path: String,
    },
    /// Mounts it.
    Mount {
        /// The place.
        path: String,
    },
    /// Takes away what no longer answers, and mounts it again.
    Again {
        /// The place.
        path: String,
    },
}
