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
    /// Makes the empty folder of a brick, on the file system that was seen there.
    BrickFolder {
        /// The folder.
        path: String,
        /// Where its file system is mounted.
        mount_point: String,
    },
    /// Gives a blank host the identity that its pool knows it by.
    Restore {
        /// The identity.
        uuid: String,
        /// The pool's `operating-version`.
        op_version: String,
    },
    /// Brings a host with its restored identity back into its pool: its daemon is given the other members, and starts
    /// anew, once to be told of the volumes and once to find the folders of their bricks.
    Rejoin {
        /// The other members.
        members: Vec<Member>,
        /// The volumes that it must be told of.
        volumes: Vec<String>,
    },
    /// Makes a lost brick again, in the same place: gluster marks it as behind in all, and heals it from the others.
    ResetBrick {
        /// The volume.
        volume: String,
        /// `ke2-server3:/data/brick/gvol0`
        brick: String,
        /// Its folder.
        path: String,
        /// Where the folder's file system is mounted.
        mount_point: String,
    },
}

/// A member of a pool, as another one keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its identity.
    pub uuid: String,
    /// The names that it is known by.
    pub hostnames: Vec<String>,
}
