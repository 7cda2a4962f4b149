//! What must hold of a `GlusterFS` daemon, its volumes and the folders of their bricks.

use crate::probe::Answer;
use crate::probe::gluster_volume::Status;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A statement about `GlusterFS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GlusterExpect {
    /// The daemon answers.
    Answers,
    /// Neither the daemon nor the disk knows of a pool or a volume.
    Blank,
    /// The daemon sees members of these names, connected.
    Peers(Vec<String>),
    /// The daemon answers that there is no volume of this name.
    NoVolume,
    /// The volume is there: `Created`, `Started`.
    VolumeIs(String),
    /// The option has this value.
    OptionIs(String, String),
    /// At least so many bricks are online, and no process that is listed is offline.
    Online(usize),
    /// All processes of the host with this identity are online.
    HostOnline(String),
    /// Every brick is connected, and nothing is left to heal.
    Healed,
    /// The daemon's disk has this identity, and it runs.
    Identity(String),
    /// The daemon sees no member of this identity that answers.
    NotSeen(String),
    /// There is a folder for the brick.
    IsFolder,
    /// There are files of a volume in it.
    HasFiles,
    /// All bricks but this one (`HOST:/PATH`, so many others) are online, none knows of a split-brain.
    OthersWell {
        /// The brick.
        brick: String,
        /// Identity of its daemon.
        uuid: String,
        /// How many others there are.
        others: usize,
    },
    /// The brick calls no brick but this one (`gvol0-client-2`) behind.
    BlamesOnly(String),
    /// Nothing has ever been in the folder of the brick, and the folder above it is there.
    Untouched {
        /// Whether it may be on the root file system.
        on_root: bool,
    },
}

impl GlusterExpect {
    /// Whether an answer confirms it.
    pub fn holds(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Answers, Answer::Gluster(seen)) => seen.peers.is_some(),
            (Self::Blank, Answer::Gluster(seen)) => seen.is_blank(),
            (Self::Peers(names), Answer::Gluster(seen)) => {
                let peers = seen.peers.as_deref().unwrap_or_default();
                let well = |name: &String| {
                    peers
                        .iter()
                        .any(|peer| peer.is_called(name) && peer.is_well())
                };
                names.iter().all(well)
            }
            (Self::NoVolume, Answer::GlusterVolume(volume)) => {
                volume.info.is_none() && volume.silent.is_empty()
            }
            (Self::VolumeIs(status), Answer::GlusterVolume(volume)) => volume
                .info
                .as_ref()
                .is_some_and(|info| info.status == *status),
            (Self::OptionIs(key, value), Answer::GlusterVolume(volume)) => volume
                .info
                .as_ref()
                .is_some_and(|info| info.options.get(key) == Some(value)),
            (Self::Online(bricks), Answer::GlusterStatus(status)) => {
                let Some(processes) = &status.processes else {
                    return false;
                };
                let online = processes.iter().filter(|one| one.online);
                processes.iter().all(|one| one.online)
                    && online.filter(|one| !one.brick.is_empty()).count() >= *bricks
            }
            (Self::HostOnline(uuid), Answer::GlusterStatus(status)) => {
                let processes = status.processes.iter().flatten();
                let mut own = processes.filter(|one| one.host_uuid == *uuid).peekable();
                own.peek().is_some() && own.all(|one| one.online)
            }
            (Self::Healed, Answer::GlusterStatus(status)) => status
                .heal
                .as_ref()
                .is_some_and(|heal| heal.iter().all(|brick| brick.pending == Some(0))),
            (Self::Identity(uuid), Answer::Gluster(seen)) => seen.uuid == *uuid && seen.running,
            (Self::NotSeen(uuid), Answer::Gluster(seen)) => {
                let peers = seen.peers.as_ref();
                peers.is_some_and(|peers| {
                    !peers
                        .iter()
                        .any(|peer| peer.uuid == *uuid && peer.is_well())
                })
            }
            (Self::IsFolder, Answer::GlusterBrick(folder)) => folder.kind == "directory",
            (Self::HasFiles, Answer::GlusterBrick(folder)) => folder.has_files(),
            (
                Self::OthersWell {
                    brick,
                    uuid,
                    others,
                },
                Answer::GlusterStatus(status),
            ) => others_well(status, brick, uuid, *others),
            (Self::BlamesOnly(name), Answer::GlusterBrick(folder)) => {
                !folder.blames_unknown && folder.blames.keys().all(|blamed| blamed == name)
            }
            (Self::Untouched { on_root }, Answer::GlusterBrick(folder)) => {
                folder.traces().is_empty()
                    && folder.parent
                    && !folder.is_mount
                    && folder.unmounted.is_empty()
                    && (*on_root || !folder.on_root)
            }
            _ => false,
        }
    }
}

/// Whether all bricks but one work, and know of no contradiction. One that is not connected tells nothing.
fn others_well(status: &Status, brick: &str, uuid: &str, others: usize) -> bool {
    let online = status.processes.as_ref().map(|processes| {
        let others = processes.iter().filter(|one| one.host_uuid != uuid);
        others
            .filter(|one| one.online && !one.brick.is_empty())
            .count()
    });
    let told = status.heal.as_ref().map(|heal| {
        let others = heal.iter().filter(|one| one.brick != brick);
        others
            .filter(|one| one.pending.is_some() && one.split_brain == 0)
            .count()
    });
    online == Some(others) && told == Some(others)
}

impl fmt::Display for GlusterExpect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers => f.write_str("glusterd answers"),
            Self::Blank => f.write_str("glusterd knows of no pool and no volume, on its disk neither"),
            Self::Peers(names) => write!(f, "glusterd is connected with {}", names.join(", ")),
            Self::NoVolume => f.write_str("the volume does not exist"),
            Self::VolumeIs(status) => write!(f, "the volume is {status}"),
            Self::OptionIs(key, value) => write!(f, "{key} of the volume is {value}"),
            Self::Online(bricks) => write!(f, "{bricks} bricks are online, and no process is missing"),
            Self::HostOnline(uuid) => write!(f, "no process of {uuid} is missing"),
            Self::Healed => f.write_str("all bricks are connected and nothing is left to heal"),
            Self::Identity(uuid) => write!(f, "glusterd runs as {uuid}"),
            Self::NotSeen(uuid) => write!(f, "glusterd has no connection with {uuid}"),
            Self::IsFolder => f.write_str("the brick's folder is there"),
            Self::HasFiles => f.write_str("files are in the brick's folder"),
            Self::OthersWell { brick, others, .. } => write!(
                f,
                "the {others} bricks other than {brick} are online, and none knows of a split-brain"
            ),
            Self::BlamesOnly(name) => write!(f, "the brick calls none but {name} behind"),
            Self::Untouched { on_root: false } => f.write_str(
                "nothing has ever been in the brick's folder, and it is not on the root file system",
            ),
            Self::Untouched { on_root: true } => {
                f.write_str("nothing has ever been in the brick's folder")
            }
        }
    }
}
