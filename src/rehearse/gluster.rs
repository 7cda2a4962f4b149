//! GlusterFS after a loss: peers without a connection, bricks that are not listed, a volume without its majority.

use super::Aftermath;
use super::fate::{Fate, Known, names};
use crate::inventory::HostName;
use crate::probe::gluster::Gluster;
use crate::probe::gluster_volume::{Brick, Info, Status};
use crate::probe::machine::Filesystem;
use crate::probe::mounted::Mounted;
use crate::probe::{Answer, Memory, Query, Seen};
use std::collections::BTreeMap;

/// The type of a mounted volume.
pub(super) const FUSE: &str = "fuse.glusterfs";

/// What a mount says when too few bricks are left.
const NOT_CONNECTED: &str = "Transport endpoint is not connected";

/// What becomes of the volumes, by name.
#[derive(Clone, Debug, Default)]
pub struct Volumes(BTreeMap<String, Left>);

/// What is left of a volume.
#[derive(Clone, Debug)]
struct Left {
    bricks: usize,
    left: usize,
    /// How many bricks hold the same files.
    copies: usize,
    /// How many of them are left where the fewest are.
    fewest: usize,
    /// Bricks that hold pieces of files and no copies: what may be lost is not told.
    pieces: bool,
}

impl Volumes {
    pub(super) fn new(
        hosts: &[HostName],
        lost: &BTreeMap<HostName, Known>,
        memory: &Memory,
    ) -> Self {
        let mut volumes = BTreeMap::new();
        for host in hosts {
            for (query, seen) in memory.of(host) {
                if let (Query::GlusterVolume(name), Some(Answer::GlusterVolume(volume))) =
                    (query, seen.known())
                    && let Some(info) = &volume.info
                {
                    volumes
                        .entry(name.clone())
                        .or_insert_with(|| Left::of(info, lost));
                }
            }
        }
        Self(volumes)
    }

    /// With too few bricks, the mounts on the hosts that stay do not answer any more. The name of the volume is in none of
    /// the questions about a mount, so that it is looked for in what is mounted.
    pub(super) fn mounted(&self, mounted: &mut Mounted) {
        let dead = mounted.mounts.last().is_some_and(|mount| {
            let name = mount.source.rsplit('/').next().unwrap_or_default();
            mount.kind == FUSE && self.0.get(name).is_some_and(|left| !left.works())
        });
        if dead {
            NOT_CONNECTED.clone_into(&mut mounted.dead);
            mounted.client = true;
        }
    }

    pub(super) fn filesystem(&self, space: Filesystem) -> Seen<Answer> {
        if space.kind == FUSE && self.0.values().any(|left| !left.works()) {
            return Seen::Unknown(format!("df of {}: {NOT_CONNECTED}", space.mount_point));
        }
        Seen::Is(Answer::Filesystem(space))
    }

    pub(super) fn aftermath(&self, fate: &Fate) -> Vec<Aftermath> {
        let concerned = self.0.iter().filter(|(_, left)| left.left < left.bricks);
        concerned
            .map(|(name, left)| left.says(&format!("glusterfs {name}"), fate))
            .collect()
    }
}

impl Left {
    fn of(info: &Info, lost: &BTreeMap<HostName, Known>) -> Self {
        let stays = |brick: &Brick| {
            !lost.iter().any(|(host, known)| {
                let same = !known.uuid.is_empty() && brick.host_uuid == known.uuid;
                same || brick.host() == host.as_str()
            })
        };
        let copies = (info.replica as usize).max(1);
        let count = |bricks: &[Brick]| bricks.iter().filter(|brick| stays(brick)).count();
        // Copies of the same files are next to each other. Source: `volume create` of GlusterFS.
        let sets = info.bricks.chunks(copies).map(count);
        Self {
            bricks: info.bricks.len(),
            left: count(&info.bricks),
            copies,
            fewest: sets.min().unwrap_or(0),
            pieces: info.kind.contains("Disperse"),
        }
    }

    /// With two copies gluster asks for no majority by default. Source: afr.c, `cluster.quorum-type`.
    fn majority(&self) -> usize {
        match self.copies {
            2 => 1,
            copies => copies / 2 + 1,
        }
    }

    fn works(&self) -> bool {
        self.pieces || self.fewest >= self.majority()
    }

    fn says(&self, about: &str, fate: &Fate) -> Aftermath {
        let count = format!("{} of {} bricks left", self.left, self.bricks);
        if self.pieces {
            let says = format!("{count}; what dispersed files can lose is not looked into");
            return Aftermath::open(about, says);
        }
        let lost: Vec<HostName> = fate.lost.keys().cloned().collect();
        let files = if self.left == 0 {
            "its files"
        } else {
            "some files"
        };
        let says = match (self.fewest, self.works()) {
            (0, _) => format!(
                "{count}: all copies of {files} are on {}, and are lost with it",
                names(&lost)
            ),
            (fewest, false) => format!(
                "{count}, {fewest} of {} copies of a file, and a majority is {}: nothing is read or written until another one is back; the files stay on the bricks that are left",
                self.copies,
                self.majority()
            ),
            (1, true) => format!(
                "{count}: it goes on being read and written, and what is written has one copy only"
            ),
            (_, true) => format!("{count}: it goes on being read and written"),
        };
        Aftermath::decided(about, says)
    }
}

/// A peer that is cut off stays a member.
pub(super) fn peers(fate: &Fate, gluster: &mut Gluster) {
    for peer in gluster.peers.iter_mut().flatten() {
        let same = |known: &Known| !known.uuid.is_empty() && known.uuid == peer.uuid;
        let named = fate.lost.keys().any(|host| peer.is_called(host.as_str()));
        if named || fate.lost.values().any(same) {
            peer.connected = false;
        }
    }
}

/// What runs on a host that is cut off is not listed, and its brick does not tell what is to be healed.
pub(super) fn status(fate: &Fate, status: &mut Status) {
    let uuids: Vec<&str> = fate
        .lost
        .values()
        .map(|known| known.uuid.as_str())
        .filter(|uuid| !uuid.is_empty())
        .collect();
    if let Some(processes) = &mut status.processes {
        processes.retain(|process| !uuids.contains(&&*process.host_uuid));
    }
    for heal in status.heal.iter_mut().flatten() {
        let host = heal.brick.split(":/").next().unwrap_or_default();
        if fate.is_lost(host) {
            heal.pending = None;
            heal.split_brain = 0;
        }
    }
}
