//! What the hosts told of their pool: the input of the decision table.

use super::GlusterPool;
use crate::inventory::HostName;
use crate::probe::brick::Folder;
use crate::probe::gluster::{Gluster, Peer};
use crate::probe::{Answers, Seen};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What is known of every host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// By host.
    pub hosts: BTreeMap<HostName, Observed>,
    /// The bricks of hosts that the pool knows by another machine's identity, or by one without a pool.
    pub bricks: BTreeMap<HostName, Vec<FormerBrick>>,
}

/// A brick that a replaced host had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormerBrick {
    /// The volume.
    pub volume: String,
    /// The volume's identity, which the brick carries.
    pub id: String,
    /// Its folder.
    pub path: String,
    /// What is there now.
    pub folder: Seen<Folder>,
}

/// What is known of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// Its own view of its membership.
    pub here: Here,
    /// What it takes the names of the hosts for.
    pub names: BTreeMap<HostName, Seen<Vec<String>>>,
}

/// A host's own view of its membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Here {
    /// It did not answer, and why. It may be anything.
    Silent(String),
    /// It is in no pool and has no volume.
    Blank {
        /// Its identity; empty when it has none yet.
        uuid: String,
        /// Why this is not the daemon's own word, when it is not.
        assumed: Option<String>,
    },
    /// A pool is on its disk, and no daemon answers.
    Stopped {
        /// What is on the disk.
        disk: Place,
        /// Why it does not answer.
        silent: String,
    },
    /// A member by its own word.
    Member(Place),
}

/// A membership as the member itself knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its identity.
    pub uuid: String,
    /// What the pool may use of newer versions.
    pub op_version: String,
    /// The others.
    pub peers: Vec<Peer>,
    /// The volumes on its disk.
    pub volumes: Vec<String>,
}

impl Observed {
    pub(super) fn new(
        gluster: &Seen<Gluster>,
        names: BTreeMap<HostName, Seen<Vec<String>>>,
    ) -> Self {
        let here = match gluster {
            Seen::Unknown(why) => Here::Silent(why.clone()),
            Seen::Is(gluster) => Here::new(gluster),
        };
        Self { here, names }
    }

    /// The names of hosts that it takes for itself by a loopback address.
    pub(super) fn on_loopback(&self) -> impl Iterator<Item = (&HostName, &str)> {
        self.names.iter().filter_map(|(name, seen)| {
            let loopback = |address: &&String| {
                let parsed: Result<Ipv4Addr, _> = address.parse();
                parsed.is_ok_and(|address| address.is_loopback())
            };
            let address = seen.known()?.iter().find(loopback)?;
            Some((name, address.as_str()))
        })
    }
}

impl Here {
    fn new(gluster: &Gluster) -> Self {
        let place = Place {
            uuid: gluster.uuid.clone(),
            op_version: gluster.op_version.clone(),
            peers: gluster.all_peers().to_vec(),
            volumes: gluster.disk_volumes.clone(),
        };
        if gluster.is_blank() {
            let assumed = if !gluster.installed {
                Some("glusterfs-server is not installed there yet")
            } else if !gluster.running {
                Some("glusterd does not run there yet")
            } else if gluster.peers.is_none() {
                return Self::Silent(gluster.silent.clone());
            } else {
                None
            };
            return Self::Blank {
                uuid: gluster.uuid.clone(),
                assumed: assumed
                    .map(|why| format!("{why}, and its disk shows no trace of a pool or a volume")),
            };
        }
        match (&gluster.peers, gluster.running) {
            (Some(_), _) => Self::Member(place),
            (None, true) => Self::Stopped {
                disk: place,
                silent: gluster.silent.clone(),
            },
            (None, false) => Self::Stopped {
                disk: place,
                silent: "glusterd does not run".to_owned(),
            },
        }
    }

    /// What is known of its membership, when it has one.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::Member(place) | Self::Stopped { disk: place, .. } => Some(place),
            Self::Silent(_) | Self::Blank { .. } => None,
        }
    }

    /// One line for the evidence of a refusal.
    pub(super) fn says(&self) -> String {
        let about = |place: &Place| {
            let peers: Vec<String> = place
                .peers
                .iter()
                .map(|peer| peer.hostnames.join("/"))
                .collect();
            let peers = match &peers[..] {
                [] => "in a pool of its own".to_owned(),
                names => format!("in a pool with {}", names.join(", ")),
            };
            match &place.volumes[..] {
                [] => peers,
                volumes => format!("{peers}, with volume {}", volumes.join(", ")),
            }
        };
        match self {
            Self::Silent(why) => format!("did not answer: {why}"),
            Self::Blank { assumed: None, .. } => "in no pool".to_owned(),
            Self::Blank {
                assumed: Some(why), ..
            } => format!("taken for in no pool: {why}"),
            Self::Stopped { disk, silent } => format!("{silent}; by its disk {}", about(disk)),
            Self::Member(place) => about(place),
        }
    }
}

impl State {
    /// What a member tells of the bricks that a host without a pool had, and what is in their places: they must be there
    /// before the volumes are, or their daemon does not find them (EXPERIMENTS, T5 and T5d).
    pub(super) fn look_for_bricks(&mut self, pool: &GlusterPool, seen: &Answers<'_>) {
        let members: Vec<(&HostName, &Place)> = pool
            .hosts
            .iter()
            .filter_map(|host| match &self.hosts.get(host)?.here {
                Here::Member(place) => Some((host, place)),
                _ => None,
            })
            .collect();
        let Some((speaker, told)) = members.first().copied() else {
            return;
        };
        let mut bricks = BTreeMap::new();
        for host in &pool.hosts {
            let Here::Blank { uuid, .. } = pool.here(self, host) else {
                continue;
            };
            let Some(former) = members
                .iter()
                .find_map(|(_, place)| place.knows(host, uuid))
            else {
                continue;
            };
            let mut found = Vec::new();
            for name in &told.volumes {
                let volume = seen.gluster_volume(speaker, &**name);
                let info = volume.known().and_then(|volume| volume.info.as_ref());
                for brick in info.into_iter().flat_map(|info| &info.bricks) {
                    if brick.host_uuid == former.uuid {
                        found.push(FormerBrick {
                            volume: name.clone(),
                            id: info.map(|info| info.id.clone()).unwrap_or_default(),
                            path: brick.path().to_owned(),
                            folder: seen.gluster_brick(host, brick.path()),
                        });
                    }
                }
            }
            bricks.insert(host.clone(), found);
        }
        self.bricks = bricks;
    }
}

impl Place {
    /// The entry for a host that is in no pool by its own word: by its name, else by its identity.
    pub(super) fn knows(&self, host: &HostName, uuid: &str) -> Option<&Peer> {
        let known =
            |peer: &&Peer| peer.is_called(host.as_str()) || (!uuid.is_empty() && peer.uuid == uuid);
        self.peers.iter().find(known)
    }
}

impl GlusterPool {
    pub(super) fn here<'a>(&self, state: &'a State, host: &HostName) -> &'a Here {
        // A state of another module has no such host; nothing is known of it then.
        static NOTHING: Here = Here::Silent(String::new());
        state
            .hosts
            .get(host)
            .map_or(&NOTHING, |observed| &observed.here)
    }

    pub(super) fn all_say(&self, state: &State) -> Vec<String> {
        self.hosts
            .iter()
            .map(|host| format!("{host}: {}", self.here(state, host).says()))
            .collect()
    }
}
