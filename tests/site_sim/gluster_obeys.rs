//! The acts on the pool, the volume and its mounts, with the refusals of the real programs.

use super::cluster::Cluster;
use super::gluster::{Folder, Volume};
use provision::plan::{GlusterAct, MountAct};
use std::collections::BTreeMap;

impl Cluster {
    /// Obeys, as the daemon of `h`.
    ///
    /// # Errors
    /// In gluster's words.
    pub fn gluster_obey(&mut self, h: usize, act: &GlusterAct) -> Result<(), String> {
        if !self.gluster[h].running && !matches!(act, GlusterAct::BrickFolder { .. }) {
            return Err("Connection failed. Please check if gluster daemon is operational.".into());
        }
        match act {
            GlusterAct::Probe { host } => self.probe(h, host),
            GlusterAct::Create {
                replica,
                arbiter,
                bricks,
                ..
            } => self.create(h, *replica, *arbiter, bricks),
            GlusterAct::Start { force, .. } => {
                self.change(h, |volume| {
                    if volume.status == "Started" && !force {
                        return Err("volume start: gvol0: failed: Volume gvol0 already started");
                    }
                    volume.status = "Started".into();
                    Ok(())
                })?;
                for p in self.hosts() {
                    if self.pooled(h, p) {
                        self.bricks_start(p);
                    }
                }
                Ok(())
            }
            GlusterAct::Set { key, value, .. } => self.change(h, |volume| {
                volume.options.insert(key.clone(), value.clone());
                Ok(())
            }),
            other => self.repair_obey(h, other),
        }
    }

    pub fn change(
        &mut self,
        h: usize,
        with: impl Fn(&mut Volume) -> Result<(), &'static str>,
    ) -> Result<(), String> {
        let now = self.moment();
        let Some(mut volume) = self.gluster[h].volume.clone() else {
            return Err("Volume gvol0 does not exist".into());
        };
        with(&mut volume)?;
        volume.version = now;
        for p in self.hosts() {
            if self.pooled(h, p) && self.gluster[p].volume.is_some() {
                self.gluster[p].volume = Some(volume.clone());
            }
        }
        Ok(())
    }

    fn probe(&mut self, h: usize, host: &str) -> Result<(), String> {
        let failed = |why: &str| Err(format!("peer probe: failed: {why}"));
        let Some(target) = self.host(host) else {
            return failed("unknown host");
        };
        if !self.resolves(h).contains_key(host) || !self.pooled(h, target) {
            return failed("Probe returned with Transport endpoint is not connected");
        }
        let uuid = self.gluster[target].uuid.clone();
        if let Some(known) = self.gluster[h].peers.values().position(|name| name == host) {
            let same = self.gluster[h].peers.keys().nth(known) == Some(&uuid);
            // With another identity: "success", and nothing changes.
            if !same
                || self.gluster[target]
                    .peers
                    .contains_key(&self.gluster[h].uuid)
            {
                return Ok(());
            }
        }
        let other_pool = !self.gluster[target].peers.is_empty()
            && !self.gluster[target]
                .peers
                .contains_key(&self.gluster[h].uuid);
        if other_pool {
            return failed("is already part of another cluster");
        }
        let mut members: BTreeMap<String, String> = self.gluster[h].peers.clone();
        members.insert(self.gluster[h].uuid.clone(), self.name(h).to_owned());
        members.insert(uuid, host.to_owned());
        let volume = self.gluster[h].volume.clone();
        for p in self.hosts() {
            if members.contains_key(&self.gluster[p].uuid) && self.pooled(h, p) {
                let mut peers = members.clone();
                peers.remove(&self.gluster[p].uuid);
                self.gluster[p].peers = peers;
                if self.gluster[p].volume.is_none() {
                    self.gluster[p].volume.clone_from(&volume);
                }
            }
        }
        Ok(())
    }

    fn create(
        &mut self,
        h: usize,
        replica: usize,
        arbiter: bool,
        bricks: &[String],
    ) -> Result<(), String> {
        let failed = |why: &str| Err(format!("volume create: gvol0: failed: {why}"));
        if self.gluster[h].volume.is_some() {
            return failed("Volume gvol0 already exists");
        }
        let mut owners = Vec::new();
        for brick in bricks {
            let host = brick.split(':').next().unwrap_or_default();
            let Some(b) = self.host(host).filter(|b| self.pooled(h, *b)) else {
                return failed("Host is not in 'Peer in Cluster' state");
            };
            if self.gluster[b].folder.is_some() || self.gluster[b].unmounted {
                return failed("brick is already part of a volume");
            }
            owners.push(b);
        }
        let volume = Volume {
            id: self.swarm.fresh("volume"),
            status: "Created".into(),
            replica,
            arbiter,
            bricks: owners
                .iter()
                .map(|b| (self.name(*b).to_owned(), self.gluster[*b].uuid.clone()))
                .collect(),
            options: BTreeMap::new(),
            version: self.moment(),
        };
        for b in owners {
            self.gluster[b].folder = Some(Folder {
                volume_id: volume.id.clone(),
                ..Folder::default()
            });
        }
        for p in self.hosts() {
            if self.pooled(h, p) {
                self.gluster[p].volume = Some(volume.clone());
            }
        }
        Ok(())
    }

    /// Obeys about the mount of a host.
    ///
    /// # Errors
    /// In the host's words.
    pub fn mount_obey(&mut self, h: usize, act: &MountAct) -> Result<(), String> {
        match act {
            MountAct::Guard { path } => {
                self.machines[h].immutable.insert(path.clone());
            }
            MountAct::Mount { path } | MountAct::Again { path } => {
                if !self.machines[h].text("/etc/fstab").contains(&**path) {
                    return Err(format!("Unit {path} not found"));
                }
                if matches!(act, MountAct::Again { .. }) {
                    let own = &self.gluster[h];
                    assert!(
                        !own.mounted || own.client_killed,
                        "a mount whose client runs is taken away on {}",
                        self.name(h)
                    );
                    self.gluster[h].mounted = false;
                }
                if self.gluster[h].mounted {
                    return Ok(());
                }
                if !self.mountable(h) {
                    return Err("Mount failed. Check the log file for more details.".into());
                }
                self.mount(h);
            }
        }
        Ok(())
    }
}
