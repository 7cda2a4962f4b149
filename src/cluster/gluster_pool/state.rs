//! What the hosts told of their pool: the input of the decision table.

use super::GlusterPool;
use crate::inventory::HostName;
use crate::probe::Seen;
use crate::probe::gluster::{Gluster, Peer};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What is known of every host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// By host.
    pub hosts: BTreeMap<HostName, Observed>,
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
