//! What the hosts told of the volume and of the folders of its bricks: the input of the decision table.

use super::GlusterVolume;
use crate::inventory::HostName;
use crate::probe::brick::Folder;
use crate::probe::gluster::Gluster;
use crate::probe::gluster_volume::{Brick, Info, Status, Volume};
use crate::probe::{Answers, Seen};
use std::collections::BTreeMap;

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// By host of the pool.
    pub hosts: BTreeMap<HostName, Observed>,
    /// Processes and healing, from the first host that knows the volume as started.
    pub status: Option<(HostName, Seen<Status>)>,
}

/// What is known of one host.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its daemon.
    pub gluster: Seen<Gluster>,
    /// The volume, from a daemon that runs.
    pub volume: Option<Seen<Volume>>,
    /// The folder of its brick, on hosts that have one or are to have one.
    pub folder: Option<Seen<Folder>>,
}

impl State {
    /// Looks; the caller settles.
    pub(super) fn look(volume: &GlusterVolume, seen: &Answers<'_>) -> Self {
        let mut state = Self::default();
        for host in &volume.hosts {
            let gluster = seen.gluster(host);
            let runs = gluster.known().is_some_and(|gluster| gluster.running);
            let known = runs.then(|| seen.gluster_volume(host, &*volume.name));
            let observed = Observed {
                gluster,
                volume: known,
                folder: None,
            };
            state.hosts.insert(host.clone(), observed);
        }
        let there = state.info(volume).map(|(_, info)| info.clone());
        for host in &volume.hosts {
            let path = match &there {
                Some(info) => state.brick(info, host).map(|brick| brick.path().to_owned()),
                None => (volume.brick_hosts().contains(host)).then(|| volume.brick.clone()),
            };
            if let (Some(path), Some(observed)) = (path, state.hosts.get_mut(host)) {
                observed.folder = Some(seen.gluster_brick(host, path));
            }
        }
        let started = volume.hosts.iter().find(|host| {
            let info = state.told(host);
            info.is_some_and(|info| info.status == "Started")
        });
        // Slow while a brick is away, and nothing that a check needs.
        if let Some(host) = started.filter(|_| !volume.only_check).cloned() {
            let status = seen.gluster_status(&host, &*volume.name);
            state.status = Some((host, status));
        }
        state
    }

    /// The volume as this host's daemon knows it.
    pub(super) fn told(&self, host: &HostName) -> Option<&Info> {
        let volume = self.hosts.get(host)?.volume.as_ref()?.known()?;
        volume.info.as_ref()
    }

    /// The volume, and the first host that tells of it.
    pub(super) fn info<'a>(
        &'a self,
        volume: &'a GlusterVolume,
    ) -> Option<(&'a HostName, &'a Info)> {
        let mut hosts = volume.hosts.iter();
        hosts.find_map(|host| Some((host, self.told(host)?)))
    }

    /// The identity of a host's daemon; empty when it is not known.
    pub(super) fn uuid(&self, host: &HostName) -> &str {
        let gluster = self.hosts.get(host).and_then(|seen| seen.gluster.known());
        match gluster {
            Some(gluster) => &gluster.uuid,
            // One that does not answer is known to the others by its name.
            None => self
                .hosts
                .values()
                .filter_map(|seen| seen.gluster.known())
                .flat_map(Gluster::all_peers)
                .find(|peer| peer.is_called(host.as_str()))
                .map_or("", |peer| &peer.uuid),
        }
    }

    /// The brick of a host: by the identity of its daemon, else by its name.
    pub(super) fn brick<'a>(&self, info: &'a Info, host: &HostName) -> Option<&'a Brick> {
        let uuid = self.uuid(host);
        let own = |brick: &&Brick| !uuid.is_empty() && brick.host_uuid == uuid;
        let named = |brick: &&Brick| brick.host() == host.as_str();
        let bricks = || info.bricks.iter();
        bricks().find(own).or_else(|| bricks().find(named))
    }

    /// The host of the inventory that a brick belongs to.
    pub(super) fn owner<'a>(
        &self,
        volume: &'a GlusterVolume,
        brick: &Brick,
    ) -> Option<&'a HostName> {
        let own =
            |host: &&HostName| !brick.host_uuid.is_empty() && self.uuid(host) == brick.host_uuid;
        let named = |host: &&HostName| host.as_str() == brick.host();
        let hosts = || volume.hosts.iter();
        hosts().find(own).or_else(|| hosts().find(named))
    }

    pub(super) fn gluster(&self, host: &HostName) -> Option<&Gluster> {
        self.hosts.get(host)?.gluster.known()
    }

    pub(super) fn folder(&self, host: &HostName) -> Option<&Seen<Folder>> {
        self.hosts.get(host)?.folder.as_ref()
    }

    /// The hosts that did not answer, and why.
    pub(super) fn silent<'a>(
        &'a self,
        volume: &'a GlusterVolume,
    ) -> impl Iterator<Item = (&'a HostName, &'a str)> {
        volume.hosts.iter().filter_map(|host| {
            let why = self.hosts.get(host)?.gluster.unknown()?;
            Some((host, why))
        })
    }

    /// Processes, when they were told.
    pub(super) fn processes(&self) -> Option<&Status> {
        let (_, status) = self.status.as_ref()?;
        status.known().filter(|status| status.processes.is_some())
    }

    /// Whether the brick's process runs, when that was told. One of a host that the asked one is not
    /// connected with is not listed, and does not run as far as the volume is concerned.
    pub(super) fn online(&self, brick: &Brick) -> Option<bool> {
        let processes = self.processes()?.processes.as_ref()?;
        let own = |brick_of: &str, uuid: &str| {
            brick_of == brick.path() && (uuid == brick.host_uuid || brick.host_uuid.is_empty())
        };
        let found = processes.iter().find(|one| own(&one.brick, &one.host_uuid));
        Some(found.is_some_and(|one| one.online))
    }

    /// Whether the host's self-heal daemon runs, when that was told.
    pub(super) fn heals(&self, host: &HostName) -> Option<bool> {
        let processes = self.processes()?.processes.as_ref()?;
        let uuid = self.uuid(host);
        let found = processes
            .iter()
            .find(|one| one.brick.is_empty() && one.host_uuid == uuid)?;
        Some(found.online)
    }
}
