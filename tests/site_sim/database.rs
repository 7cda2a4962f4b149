//! PostgreSQL: data directories with their timelines, commits and slots; streaming; the guard at boot.

use super::cluster::Cluster;
use provision::probe::postgres::{Database, Role};
use std::collections::{BTreeMap, BTreeSet};

/// How many ticks the guard waits for its peers.
const PATIENCE: u32 = 120;

/// PostgreSQL on a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    pub data: Option<Data>,
    /// What was moved away for a new copy.
    pub aside: Vec<Data>,
    pub running: bool,
    /// For how many ticks the guard has asked, while it does.
    pub guarding: Option<u32>,
    /// When the server last read its files.
    pub loaded: u64,
}

/// A data directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    pub system: String,
    pub timeline: u32,
    /// The timelines that were left, and where.
    pub history: Vec<(u32, u64)>,
    /// How far it is.
    pub end: u64,
    pub rows: Vec<Row>,
    pub standby: bool,
    /// Whom a standby streams from.
    pub upstream: Option<usize>,
    pub slots: BTreeSet<String>,
    pub roles: BTreeMap<String, Role>,
    pub databases: BTreeMap<String, Database>,
    pub state: String,
    pub checkpoint: u64,
    pub checkpoint_timeline: u32,
    pub min_recovery: u64,
    /// The secret key that the application filled it with; without one it has no tables.
    pub key: Option<Vec<u8>>,
}

/// A commit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub id: u32,
    pub timeline: u32,
    pub at: u64,
}

impl Data {
    pub fn new(system: String) -> Self {
        let database = |name: &str| Database {
            name: name.to_owned(),
            owner: "postgres".into(),
            encoding: "UTF8".into(),
            collate: "C.UTF-8".into(),
            extensions: BTreeMap::new(),
        };
        let names = ["postgres", "template0", "template1"];
        let owner = Role {
            name: "postgres".into(),
            superuser: true,
            createdb: true,
            createrole: true,
            replication: true,
            login: true,
            ..Role::default()
        };
        Self {
            system,
            timeline: 1,
            history: Vec::new(),
            end: 0x15_5A40,
            rows: Vec::new(),
            standby: false,
            upstream: None,
            slots: BTreeSet::new(),
            roles: BTreeMap::from([(owner.name.clone(), owner)]),
            databases: names.map(|name| (name.to_owned(), database(name))).into(),
            state: "shut down".into(),
            checkpoint: 0x15_5A00,
            checkpoint_timeline: 1,
            min_recovery: 0,
            key: None,
        }
    }

    /// Whether all of this is part of another's history.
    pub fn leads_to(&self, other: &Self) -> bool {
        if self.system != other.system {
            return false;
        }
        if self.timeline == other.timeline {
            return self.end <= other.end && self.history == other.history;
        }
        let mut history = other.history.iter();
        history.any(|(timeline, at)| *timeline == self.timeline && self.end <= *at)
    }

    /// Takes all that another has.
    fn receive(&mut self, from: &Self) {
        (self.timeline, self.end) = (from.timeline, from.end);
        self.history.clone_from(&from.history);
        self.rows.clone_from(&from.rows);
        self.roles.clone_from(&from.roles);
        self.databases.clone_from(&from.databases);
        self.key.clone_from(&from.key);
    }

    /// The newest timeline that it knows of.
    pub fn newest(&self) -> u32 {
        let left = self.history.iter().map(|(timeline, _)| timeline + 1).max();
        self.timeline.max(left.unwrap_or(0))
    }
}

pub fn slot_of(host: &str) -> String {
    host.to_lowercase().replace(['-', '.'], "_")
}

impl Instance {
    /// What systemd does with an enabled unit.
    pub fn boot(&mut self) {
        self.guarding = self.data.as_ref().map(|_| 0);
    }

    pub fn is_primary(&self) -> bool {
        self.running && self.data.as_ref().is_some_and(|data| !data.standby)
    }
}

impl Cluster {
    pub fn database_crash(&mut self, h: usize) {
        let own = &mut self.databases[h];
        (own.running, own.guarding) = (false, None);
    }

    pub fn database_start(&mut self, h: usize) {
        let now = self.moment();
        let own = &mut self.databases[h];
        let Some(data) = &mut own.data else { return };
        (own.running, own.guarding, own.loaded) = (true, None, now);
        if data.standby {
            data.state = "in archive recovery".into();
        } else {
            data.end += 0x80;
            data.state = "in production".into();
            (data.checkpoint, data.checkpoint_timeline) = (data.end, data.timeline);
        }
    }

    /// `pg_ctl stop -m fast`: a primary's standbys have all of it before it ends.
    pub fn database_stop(&mut self, h: usize) {
        if !self.databases[h].running {
            self.databases[h].guarding = None;
            return;
        }
        if let Some(data) = self.databases[h].data.as_mut().filter(|data| !data.standby) {
            (data.checkpoint, data.checkpoint_timeline) = (data.end, data.timeline);
            data.end += 0x80;
            data.state = "shut down".into();
        }
        self.replicate(false);
        if let Some(data) = self.databases[h].data.as_mut().filter(|data| data.standby) {
            data.state = "shut down in recovery".into();
            data.min_recovery = data.end;
            (data.checkpoint, data.checkpoint_timeline) = (data.end - 0x40, data.timeline);
        }
        self.databases[h].running = false;
    }

    /// The host that a standby streams from.
    pub fn streams(&self, h: usize) -> Option<usize> {
        let own = &self.databases[h];
        let data = own
            .data
            .as_ref()
            .filter(|data| data.standby && own.running)?;
        let up = data.upstream?;
        let source = self.databases[up].data.as_ref()?;
        let slot = source.slots.contains(&slot_of(self.name(h)));
        (self.databases[up].running
            && self.connects(h, up, "5432/tcp")
            && slot
            && data.leads_to(source))
        .then_some(up)
    }

    fn replicate(&mut self, late: bool) {
        for h in self.hosts() {
            if late && self.rng.once_in(3) {
                continue;
            }
            self.receive(h);
        }
    }

    /// A standby takes what its primary has.
    fn receive(&mut self, h: usize) -> bool {
        let Some(up) = self.streams(h) else {
            return false;
        };
        let Some(source) = self.databases[up].data.clone() else {
            return false;
        };
        if let Some(data) = &mut self.databases[h].data {
            data.min_recovery = data.end;
            data.receive(&source);
        }
        true
    }

    /// A client's commit through the virtual address.
    pub fn commit(&mut self, id: u32) -> bool {
        let Some(p) = self.served() else { return false };
        let Some(data) = &mut self.databases[p].data else {
            return false;
        };
        data.end += 0x100;
        let (timeline, at) = (data.timeline, data.end);
        data.rows.push(Row { id, timeline, at });
        if !self.any1 {
            return true;
        }
        let standbys: Vec<usize> = self
            .hosts()
            .filter(|h| self.streams(*h) == Some(p))
            .collect();
        if standbys.is_empty() {
            return false;
        }
        let chosen = standbys[self.rng.below(standbys.len())];
        self.receive(chosen)
    }

    pub fn database_tick(&mut self) {
        self.replicate(true);
        for h in self.hosts() {
            if !self.power(h) {
                continue;
            }
            let Some(asked) = self.databases[h].guarding else {
                continue;
            };
            match self.guard(h) {
                Some(true) => self.database_start(h),
                Some(false) => self.databases[h].guarding = None,
                None if asked >= PATIENCE => self.databases[h].guarding = None,
                None => self.databases[h].guarding = Some(asked + 1),
            }
        }
    }

    /// Whether PostgreSQL may start at boot; `None` while that is not certain.
    pub fn guard(&self, h: usize) -> Option<bool> {
        let Some(own) = &self.databases[h].data else {
            return Some(false);
        };
        if own.standby {
            return Some(true);
        }
        let peers = self.databases_on - 1;
        let mut answered = 0;
        for p in self.members().filter(|p| *p != h) {
            let other = &self.databases[p];
            let server = other.running && self.connects(h, p, "5432/tcp");
            if !server && !self.logs_in(h, p) {
                continue;
            }
            answered += 1;
            let Some(data) = &other.data else { continue };
            let primary = server && !data.standby;
            if data.newest() > own.newest() || (primary && data.newest() >= own.newest()) {
                return Some(false);
            }
        }
        (answered > peers / 2).then_some(true)
    }
}
