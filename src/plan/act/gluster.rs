//! Changes of a `GlusterFS` pool and its volumes.

use serde::{Deserialize, Serialize};

/// A change of a `GlusterFS` pool or volume, done through a member of the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GlusterAct {
    /// Takes a host into the pool, or teaches the pool its name.
    Probe {
        /// Its name.
        host: String,
    },
    /// Makes a volume.
    Create {
        /// Its name.
        volume: String,
        /// Copies of each file.
        replica: usize,
        /// Whether the last copy holds no content.
        arbiter: bool,
        /// `ke2-server1:/data/brick/gvol0`, in order.
        bricks: Vec<String>,
        /// Whether bricks may be on the root file system. It switches off more checks than that one.
        force: bool,
    },
    /// Starts a volume; with `force` the processes that are missing of a started one.
    Start {
        /// Its name.
        volume: String,
        /// Whether it is started already.
        force: bool,
    },
    /// Sets an option of a volume.
    Set {
        /// Its name.
        volume: String,
        /// The option.
        key: String,
        /// Its value.
        value: String,
    },
}
