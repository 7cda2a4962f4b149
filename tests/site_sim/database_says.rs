//! What PostgreSQL and Pgpool-II of a host tell.

use super::cluster::Cluster;
use super::database::{Data, Row, slot_of};
use super::machine::Entry;
use super::packages::{CONF, PGDATA};
use provision::probe::pgpool::{Node, Peer, Pgpool, SETTLED_S, Watchdog};
use provision::probe::postgres::past::Past;
use provision::probe::postgres::{
    Control, Data as Place, Fork, Lsn, Postgres, Receiver, Sender, Server, Setting, Slot,
};
use std::collections::BTreeMap;

impl Cluster {
    pub fn postgres_says(&self, h: usize) -> Postgres {
        let own = &self.databases[h];
        let installed = self.machines[h].has("postgresql16-server");
        let Some(data) = &own.data else {
            let there = self.machines[h].paths.contains_key(PGDATA);
            return Postgres {
                installed,
                data: if there { Place::Empty } else { Place::Absent },
                ..Postgres::default()
            };
        };
        let changed = ["postgresql.conf", "pg_hba.conf"]
            .iter()
            .filter_map(
                |name| match self.machines[h].paths.get(&format!("{PGDATA}/{name}"))? {
                    Entry::File { at, .. } => Some(*at),
                    Entry::Directory(_) => None,
                },
            );
        Postgres {
            installed,
            data: Place::Present,
            version: "16".into(),
            identifier: data.system.clone(),
            standby_signal: data.standby,
            control: installed.then(|| Control {
                identifier: data.system.clone(),
                state: data.state.clone(),
                timeline: data.checkpoint_timeline,
                checkpoint: Lsn(data.checkpoint),
                redo: Lsn(data.checkpoint),
                min_recovery_end: Lsn(if data.standby { data.min_recovery } else { 0 }),
                min_recovery_end_timeline: if data.standby { data.timeline } else { 0 },
                checksums: true,
            }),
            history: data
                .history
                .iter()
                .map(|(timeline, at)| Fork {
                    timeline: *timeline,
                    at: Lsn(*at),
                })
                .collect(),
            running: own.running,
            files_changed_s: changed.max().map(seconds),
            server: own.running.then(|| Box::new(self.server(h, data))),
            ..Postgres::default()
        }
    }

    fn server(&self, h: usize, data: &Data) -> Server {
        let up = self.streams(h);
        let at = Some(Lsn(data.end));
        let standbys: Vec<usize> = self
            .hosts()
            .filter(|s| self.streams(*s) == Some(h))
            .collect();
        let behind = |s: usize| {
            let other = self.databases[s].data.as_ref().map_or(0, |data| data.end);
            i64::try_from(data.end.saturating_sub(other)).unwrap()
        };
        Server {
            version: "16.4".into(),
            port: 5432,
            in_recovery: data.standby,
            identifier: data.system.clone(),
            timeline: data.timeline,
            current: at.filter(|_| !data.standby),
            received: at.filter(|_| data.standby),
            replayed: at.filter(|_| data.standby),
            loaded_s: seconds(self.databases[h].loaded),
            receiver: up.map(|up| Receiver {
                status: "streaming".into(),
                sender_host: self.name(up).to_owned(),
                sender_port: 5432,
                slot: slot_of(self.name(h)),
                timeline: data.timeline,
            }),
            senders: standbys
                .iter()
                .map(|s| Sender {
                    name: self.name(*s).to_owned(),
                    address: self.swarm.hosts[*s].addr.clone(),
                    state: "streaming".into(),
                    sync_state: if self.any1 { "quorum" } else { "async" }.into(),
                    lag_bytes: Some(behind(*s)),
                })
                .collect(),
            slots: data
                .slots
                .iter()
                .map(|name| Slot {
                    name: name.clone(),
                    kind: "physical".into(),
                    active: standbys.iter().any(|s| slot_of(self.name(*s)) == *name),
                    wal_status: "reserved".into(),
                    retained_bytes: Some(0),
                })
                .collect(),
            roles: data.roles.values().cloned().collect(),
            databases: data.databases.values().cloned().collect(),
            settings: self.follows_says(h, data),
            ..Server::default()
        }
    }

    /// Whom a standby was told to follow, by which slot.
    fn follows_says(&self, h: usize, data: &Data) -> BTreeMap<String, Setting> {
        let Some(up) = data.upstream.filter(|_| data.standby) else {
            return BTreeMap::new();
        };
        let setting = |name: &str, value: String| {
            let pending_restart = false;
            let setting = Setting {
                value,
                pending_restart,
            };
            (name.to_owned(), setting)
        };
        BTreeMap::from([
            setting(
                "primary_conninfo",
                format!("host='{}' port=5432", self.name(up)),
            ),
            setting("primary_slot_name", slot_of(self.name(h))),
        ])
    }

    /// What a host's data committed past a place.
    pub fn past_says(&self, h: usize, timeline: u32, at: u64) -> Past {
        let Some(data) = &self.databases[h].data else {
            return Past {
                silent: "could not open directory".into(),
                ..Past::default()
            };
        };
        let past = |row: &&Row| row.timeline == timeline && row.at > at;
        Past {
            commits: Some(data.rows.iter().filter(past).count() as u64),
            last: "2026-01-01 00:00:00 UTC".into(),
            silent: String::new(),
        }
    }

    pub fn pgpool_says(&self, h: usize) -> Pgpool {
        let own = &self.pgpools[h];
        let machine = &self.machines[h];
        let id = machine.text(&format!("{CONF}/pgpool_node_id"));
        let mut says = Pgpool {
            installed: machine.has("pgpool-II-pg16"),
            node_id: id.trim().to_owned(),
            backends: self.backends(h),
            guarded: self.guarded(h),
            ..Pgpool::default()
        };
        if !own.running {
            says.silent = "pgpool.service is inactive".into();
            return says;
        }
        if own.searches.is_some() {
            says.silent = "connection refused".into();
            return says;
        }
        let nodes = own.seats.iter().filter_map(|(id, seat)| {
            let p = self.seat_host(h, *id)?;
            let one = &self.databases[p];
            let seen = one.running && self.connects(h, p, "5432/tcp");
            let word = |yes: bool, one: &str, other: &str| if yes { one } else { other }.to_owned();
            Some(Node {
                host: self.name(p).to_owned(),
                status: word(seat.up, "up", "down"),
                pg_status: word(seen, "up", "down"),
                role: word(own.primary == Some(*id), "primary", "standby"),
                pg_role: match seen {
                    true => word(one.is_primary(), "primary", "standby"),
                    false => "unknown".into(),
                },
                replication: word(self.streams(p).is_some(), "streaming", "none"),
            })
        });
        says.nodes = Some(nodes.collect());
        // Ticks of two seconds.
        says.settled = (self.now - own.changed) * 2 >= SETTLED_S;
        says.watchdog = Some(self.watchdog_says(h));
        says
    }

    fn watchdog_says(&self, h: usize) -> Watchdog {
        let own = &self.pgpools[h];
        let group = self.assembled(h);
        let all = self.backends(h).unwrap_or_default();
        let mut nodes: Vec<Peer> = all
            .values()
            .filter_map(|name| self.host(name))
            .map(|p| {
                let counts = group.contains(&p);
                let state = match (counts, own.leader == Some(p)) {
                    (true, true) => "LEADER",
                    (true, false) => "STANDBY",
                    (false, _) => "LOST",
                };
                Peer {
                    host: self.name(p).to_owned(),
                    state: state.into(),
                    membership: if counts { "MEMBER" } else { "LOST" }.into(),
                }
            })
            .collect();
        nodes.sort_by_key(|peer| peer.host != self.name(h));
        Watchdog {
            quorum: if own.quorum {
                "QUORUM EXIST"
            } else {
                "QUORUM ABSENT"
            }
            .into(),
            leader: own
                .leader
                .map(|p| self.name(p).to_owned())
                .unwrap_or_default(),
            escalated: own.vip,
            nodes,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "moments are few")]
fn seconds(moment: u64) -> f64 {
    moment as f64
}
