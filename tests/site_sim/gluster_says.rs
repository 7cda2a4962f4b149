//! What the daemon of a host, its brick's folder and its mount tell.

use super::cluster::Cluster;
use super::gluster::{BRICK, MOUNT};
use provision::probe::brick::Folder;
use provision::probe::gluster::{Gluster, Peer};
use provision::probe::gluster_volume::{Brick, Heal, Info, Process, Status, Volume};
use provision::probe::mounted::{Mounted, Source};

impl Cluster {
    pub fn gluster_says(&self, h: usize) -> Gluster {
        let own = &self.gluster[h];
        let peers: Vec<Peer> = own
            .peers
            .iter()
            .map(|(uuid, name)| {
                let other = self.hosts().find(|p| self.gluster[*p].uuid == *uuid);
                Peer {
                    uuid: uuid.clone(),
                    hostnames: vec![name.clone()],
                    connected: other.is_some_and(|p| self.pooled(h, p)),
                    state: 3,
                    state_text: "Peer in Cluster".into(),
                }
            })
            .collect();
        let on_disk = |peer: &Peer| Peer {
            connected: false,
            state_text: String::new(),
            ..peer.clone()
        };
        Gluster {
            installed: self.machines[h].has("glusterfs-server"),
            running: own.running,
            uuid: own.uuid.clone(),
            op_version: if own.uuid.is_empty() { "" } else { "110000" }.into(),
            disk_peers: peers.iter().map(on_disk).collect(),
            disk_volumes: own.volume.iter().map(|_| "gvol0".to_owned()).collect(),
            peers: own.running.then_some(peers),
            silent: String::new(),
        }
    }

    pub fn volume_says(&self, h: usize) -> Volume {
        let own = &self.gluster[h];
        if !own.running {
            return Volume {
                silent: "glusterd does not run".into(),
                ..Volume::default()
            };
        }
        let info = own.volume.as_ref().map(|volume| Info {
            id: volume.id.clone(),
            status: volume.status.clone(),
            kind: "Replicate".into(),
            replica: u32::try_from(volume.replica).unwrap(),
            arbiter: u32::from(volume.arbiter),
            bricks: volume
                .bricks
                .iter()
                .enumerate()
                .map(|(at, (host, uuid))| Brick {
                    name: format!("{host}:{BRICK}"),
                    host_uuid: uuid.clone(),
                    arbiter: volume.arbiter && at + 1 == volume.bricks.len(),
                })
                .collect(),
            options: volume.options.clone(),
        });
        Volume {
            info,
            ..Volume::default()
        }
    }

    pub fn status_says(&self, h: usize) -> Status {
        let own = &self.gluster[h];
        let started = own.volume.as_ref().filter(|it| it.status == "Started");
        let Some(volume) = started.filter(|_| own.running) else {
            return Status {
                silent: "Volume gvol0 is not started".into(),
                ..Status::default()
            };
        };
        let reached = self.bricks_from(h);
        let mut status = Status::default();
        let mut processes = Vec::new();
        let mut heal = Vec::new();
        for (host, uuid) in &volume.bricks {
            let Some(b) = self.host(host) else { continue };
            if self.pooled(h, b) && self.gluster[b].uuid == *uuid {
                // A process whose folder is gone runs on.
                processes.push(process(uuid, BRICK, self.gluster[b].brick));
            }
            heal.push(Heal {
                brick: format!("{host}:{BRICK}"),
                pending: reached.contains(&b).then(|| self.pending(b)),
                split_brain: 0,
            });
        }
        for p in self.hosts().filter(|p| self.pooled(h, *p)) {
            let one = &self.gluster[p];
            if p == h || own.peers.contains_key(&one.uuid) {
                processes.push(process(&one.uuid, "", one.heals));
            }
        }
        status.processes = Some(processes);
        status.heal = Some(heal);
        status
    }

    pub fn folder_says(&self, h: usize) -> Folder {
        let own = &self.gluster[h];
        let there = own.folder.as_ref().filter(|_| !own.unmounted);
        let marked = there.is_some_and(|folder| !folder.volume_id.is_empty());
        let place = if own.unmounted { "/" } else { "/data/brick" };
        Folder {
            kind: if there.is_some() {
                "directory"
            } else {
                "absent"
            }
            .into(),
            parent: true,
            mount_point: place.into(),
            file_system: "xfs".into(),
            on_root: own.unmounted,
            is_mount: false,
            unmounted: if own.unmounted { "/data/brick" } else { "" }.into(),
            entries: there.map_or(0, |folder| {
                u64::from(marked) + u64::from(!folder.lines.is_empty())
            }),
            dot_glusterfs: marked,
            volume_id: there.map(|it| it.volume_id.clone()).unwrap_or_default(),
            gfid: marked,
            inside: String::new(),
            blames: self.blames(h),
            blames_unknown: false,
            marks_read: self.machines[h].has("attr"),
        }
    }

    pub fn mount_says(&self, h: usize) -> Mounted {
        let own = &self.gluster[h];
        if own.mounted {
            let dead = !self.mount_answers(h);
            return Mounted {
                mounts: vec![Source {
                    source: "localhost:/gvol0".into(),
                    kind: "fuse.glusterfs".into(),
                }],
                dead: if dead {
                    "Transport endpoint is not connected"
                } else {
                    ""
                }
                .into(),
                client: dead && !own.client_killed,
                ..Mounted::default()
            };
        }
        let machine = &self.machines[h];
        let there = machine.paths.contains_key(MOUNT);
        Mounted {
            place: if there { "directory" } else { "absent" }.into(),
            immutable: there.then(|| machine.immutable.contains(MOUNT)),
            ..Mounted::default()
        }
    }
}

fn process(uuid: &str, brick: &str, online: bool) -> Process {
    Process {
        host_uuid: uuid.into(),
        brick: brick.into(),
        online,
    }
}
