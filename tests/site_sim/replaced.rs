//! A host that comes back to its pool, and a brick that is made again.

use super::cluster::Cluster;
use super::gluster::{Folder, VOLUME};
use provision::plan::{GlusterAct, Member};
use std::collections::BTreeMap;

impl Cluster {
    /// Obeys what repairs a replaced host or a lost brick.
    ///
    /// # Errors
    /// In the host's words.
    pub fn repair_obey(&mut self, h: usize, act: &GlusterAct) -> Result<(), String> {
        match act {
            GlusterAct::BrickFolder { mount_point, .. } => {
                self.on_its_disk(h, mount_point)?;
                if self.gluster[h].folder.is_some() {
                    return Err("changed since this was planned".into());
                }
                self.gluster[h].folder = Some(Folder::default());
                Ok(())
            }
            GlusterAct::Restore { uuid, .. } => {
                let own = &mut self.gluster[h];
                if !own.peers.is_empty() || own.volume.is_some() {
                    return Err("knows of a pool or a volume by now".into());
                }
                own.uuid.clone_from(uuid);
                own.running = true;
                Ok(())
            }
            GlusterAct::Rejoin { members, .. } => self.rejoin(h, members),
            GlusterAct::ResetBrick {
                brick, mount_point, ..
            } => self.reset_brick(h, brick, mount_point),
            other => Err(format!("the simulation does not know {other:?}")),
        }
    }

    fn on_its_disk(&self, h: usize, mount_point: &str) -> Result<(), String> {
        let is = self.folder_says(h).mount_point;
        if is == mount_point {
            return Ok(());
        }
        Err(format!("is no longer below {mount_point}"))
    }

    /// The members' files, and two new starts: those that can be reached tell of the volumes.
    fn rejoin(&mut self, h: usize, members: &[Member]) -> Result<(), String> {
        let own = &self.gluster[h];
        if !own.peers.is_empty() || own.volume.is_some() {
            return Err("knows of a pool or a volume by now".into());
        }
        let uuid = own.uuid.clone();
        let names = members
            .iter()
            .map(|member| (member.uuid.clone(), member.hostnames[0].clone()));
        self.gluster[h].peers = names.collect();
        self.glusterd_start(h);
        let tells = |p: &usize| {
            self.pooled(h, *p)
                && members
                    .iter()
                    .any(|member| member.uuid == self.gluster[*p].uuid)
                && self.gluster[*p].peers.contains_key(&uuid)
        };
        let Some(p) = self.hosts().find(tells) else {
            return Err("the members did not tell it of the volumes within 60 s".into());
        };
        self.gluster[h].volume = self.gluster[p].volume.clone();
        self.glusterd_start(h);
        Ok(())
    }

    /// `reset-brick … start` and `… commit force`: the brick is behind in all, and is healed from the others.
    fn reset_brick(&mut self, h: usize, brick: &str, mount_point: &str) -> Result<(), String> {
        let host = brick.split(':').next().unwrap_or_default();
        let b = self.host(host).filter(|b| self.pooled(h, *b));
        let Some(b) = b else {
            return Err(format!(
                "volume reset-brick: {VOLUME}: failed: not connected"
            ));
        };
        self.on_its_disk(b, mount_point)?;
        let used = self.gluster[b]
            .folder
            .as_ref()
            .is_some_and(|folder| !folder.volume_id.is_empty() || !folder.lines.is_empty());
        if used {
            return Err("changed since this was planned".into());
        }
        let Some(volume) = self.gluster[h].volume.clone() else {
            return Err(format!("Volume {VOLUME} does not exist"));
        };
        self.gluster[b].folder = Some(Folder {
            volume_id: volume.id,
            ..Folder::default()
        });
        self.gluster[b].brick = volume.status == "Started";
        self.gluster[b].heals = volume.status == "Started";
        Ok(())
    }

    /// How many entries a brick calls another behind in, by the other one's name in the volume.
    pub fn blames(&self, h: usize) -> BTreeMap<String, u64> {
        let own = &self.gluster[h];
        let Some((volume, folder)) = own.volume.as_ref().zip(own.folder.as_ref()) else {
            return BTreeMap::new();
        };
        let mut blames = BTreeMap::new();
        for (at, (host, _)) in volume.bricks.iter().enumerate() {
            let other = self.host(host).filter(|b| *b != h);
            let other = other.and_then(|b| self.gluster[b].folder.as_ref());
            let behind = other.map_or(0, |other| folder.lines.difference(&other.lines).count());
            if behind > 0 {
                blames.insert(format!("{VOLUME}-client-{at}"), behind as u64);
            }
        }
        blames
    }
}
