//! The pool, the volume with its bricks and their healing, and the mounts of it.

use super::cluster::Cluster;
use super::machine::Entry;
use super::share::Files;
use std::collections::{BTreeMap, BTreeSet};

pub const VOLUME: &str = "gvol0";
pub const BRICK: &str = "/data/brick/gvol0";
pub const MOUNT: &str = "/mnt/gluster";
/// How many ticks a client takes to connect again.
const CONNECTS: usize = 5;

/// The daemon of a host, its brick and its mount.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glusterd {
    pub running: bool,
    /// Made at the first start, lost with the disk.
    pub uuid: String,
    /// Name by identity.
    pub peers: BTreeMap<String, String>,
    pub volume: Option<Volume>,
    /// Whether the brick's own disk is not mounted.
    pub unmounted: bool,
    pub folder: Option<Folder>,
    /// Whether the brick's process runs.
    pub brick: bool,
    pub heals: bool,
    pub mounted: bool,
    /// Whether the process behind the mount is gone.
    pub client_killed: bool,
    /// How many ticks the client still needs to connect, once it reaches enough bricks.
    pub connects_in: usize,
}

/// The volume, as one daemon has it on its disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volume {
    pub id: String,
    pub status: String,
    pub replica: usize,
    pub arbiter: bool,
    /// Host and identity.
    pub bricks: Vec<(String, String)>,
    pub options: BTreeMap<String, String>,
    pub version: u64,
}

/// The folder of a brick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folder {
    pub volume_id: String,
    pub lines: BTreeSet<u32>,
    pub files: Files,
}

impl Cluster {
    pub fn glusterd_start(&mut self, h: usize) {
        if self.gluster[h].uuid.is_empty() {
            self.gluster[h].uuid = self.swarm.fresh("uuid");
        }
        self.gluster[h].running = true;
        self.bricks_start(h);
    }

    /// Starts what should run on a host and can.
    pub fn bricks_start(&mut self, h: usize) {
        let own = &mut self.gluster[h];
        let Some(volume) = own.volume.as_ref().filter(|it| it.status == "Started") else {
            return;
        };
        let folder = own.folder.as_ref().filter(|_| !own.unmounted);
        let marked = folder.is_some_and(|folder| folder.volume_id == volume.id);
        let ours = volume.bricks.iter().any(|(_, uuid)| *uuid == own.uuid);
        own.brick |= ours && marked;
        own.heals = true;
    }

    pub fn gluster_crash(&mut self, h: usize) {
        let own = &mut self.gluster[h];
        (own.running, own.brick, own.heals) = (false, false, false);
        (own.mounted, own.client_killed) = (false, false);
    }

    /// Whether two daemons have a connection.
    pub fn pooled(&self, a: usize, b: usize) -> bool {
        let opens = |h: usize| self.machines[h].opens_service("glusterfs");
        let runs = |h: usize| self.gluster[h].running;
        self.linked(a, b) && runs(a) && runs(b) && (a == b || (opens(a) && opens(b)))
    }

    /// Bricks that a client on a host reaches and that take writes.
    pub fn bricks_from(&self, h: usize) -> Vec<usize> {
        let serves = |b: &usize| {
            let own = &self.gluster[*b];
            let open = *b == h || self.machines[*b].opens_service("glusterfs");
            own.brick && own.folder.is_some() && !own.unmounted && self.linked(h, *b) && open
        };
        self.hosts().filter(serves).collect()
    }

    pub fn brick_count(&self) -> usize {
        let volumes = self.gluster.iter().filter_map(|one| one.volume.as_ref());
        volumes.map(|volume| volume.bricks.len()).max().unwrap_or(3)
    }

    /// Whether the volume can be mounted on a host.
    pub fn mountable(&self, h: usize) -> bool {
        let own = &self.gluster[h];
        let started = own.volume.as_ref().is_some_and(|it| it.status == "Started");
        own.running && started && self.has_majority(h)
    }

    /// The volume is mounted, by a client that has connected.
    pub fn mount(&mut self, h: usize) {
        let own = &mut self.gluster[h];
        (own.mounted, own.client_killed, own.connects_in) = (true, false, 0);
    }

    /// Whether a client on a host reaches as many bricks as it needs, to read as well as to write.
    pub fn has_majority(&self, h: usize) -> bool {
        self.bricks_from(h).len() > self.brick_count() / 2
    }

    /// Whether the mount of a host answers.
    pub fn mount_answers(&self, h: usize) -> bool {
        let own = &self.gluster[h];
        own.mounted && !own.client_killed && own.connects_in == 0 && self.has_majority(h)
    }

    /// A line is appended through the mount of a host; whether it was acknowledged.
    pub fn append(&mut self, h: usize, line: u32) -> bool {
        if !self.power(h) || !self.mount_answers(h) {
            return false;
        }
        for b in self.bricks_from(h) {
            if let Some(folder) = &mut self.gluster[b].folder {
                folder.lines.insert(line);
            }
        }
        true
    }

    pub fn gluster_tick(&mut self) {
        for h in self.hosts() {
            let left = self.gluster[h].connects_in.saturating_sub(1);
            let broken = self.gluster[h].mounted && !self.has_majority(h);
            self.gluster[h].connects_in = if broken { CONNECTS } else { left };
            // Members that know each other agree on the newest definitions.
            let knows = |a: usize, b: usize| {
                let uuid = &self.gluster[b].uuid;
                self.gluster[a].peers.contains_key(uuid)
            };
            let newest = self
                .hosts()
                .filter(|p| self.pooled(h, *p) && knows(*p, h) && knows(h, *p))
                .filter_map(|p| self.gluster[p].volume.clone())
                .max_by_key(|volume| volume.version);
            let own = &self.gluster[h];
            let older = |is: &Volume| own.volume.as_ref().is_none_or(|it| it.version < is.version);
            if let Some(newest) = newest.filter(older) {
                if newest.status != "Started" {
                    (self.gluster[h].brick, self.gluster[h].heals) = (false, false);
                }
                self.gluster[h].volume = Some(newest);
                self.bricks_start(h);
            }
            let service = "shared-directory.service";
            let wanted = self.machines[h].enabled.contains(service)
                && !self.machines[h].active.contains(service);
            if self.power(h) && wanted && (self.gluster[h].mounted || self.mountable(h)) {
                if !self.gluster[h].mounted {
                    self.mount(h);
                }
                self.machines[h].active.insert(service.into());
            }
        }
        for h in self.hosts() {
            if !self.gluster[h].heals || !self.gluster[h].brick {
                continue;
            }
            let others: BTreeSet<u32> = self
                .bricks_from(h)
                .into_iter()
                .filter_map(|b| self.gluster[b].folder.as_ref())
                .flat_map(|folder| folder.lines.iter().copied())
                .collect();
            if let Some(folder) = &mut self.gluster[h].folder {
                let missing: Vec<u32> = others.difference(&folder.lines).copied().collect();
                folder.lines.extend(missing.into_iter().take(20));
            }
            self.heal_files(h);
        }
    }

    /// How many lines a brick has that another one lacks.
    pub fn pending(&self, h: usize) -> u64 {
        let Some(own) = &self.gluster[h].folder else {
            return 0;
        };
        let of_volume = self.gluster.iter().filter_map(|one| one.folder.as_ref());
        let others: Vec<_> = of_volume
            .filter(|it| it.volume_id == own.volume_id)
            .collect();
        let lacks = |line: &&u32| others.iter().any(|other| !other.lines.contains(line));
        let stale = |(path, file): &(&String, &Entry)| {
            let mut others = others.iter();
            others.any(|other| other.files.get(*path) != Some(*file))
        };
        let files = own.files.iter().filter(stale).count();
        (own.lines.iter().filter(lacks).count() + files) as u64
    }
}
