//! What the scripts of Pgpool-II and its clients of PCP do to the nodes (docs/failover.md).

use super::cluster::Cluster;
use super::database::{Data, Instance};
use super::packages::{CONF, PGDATA};
use super::pgpool::Seat;
use provision::probe::pgpool::GUARD;

impl Cluster {
    /// Makes a standby takes over: a new timeline begins.
    pub fn promote(&mut self, h: usize) {
        let newest = |one: &Instance| one.data.as_ref().map_or(0, Data::newest);
        let last = self.databases.iter().map(newest).max().unwrap_or(0);
        let archived = self.databases[h].data.as_ref().map_or(0, Data::newest);
        let Some(data) = &mut self.databases[h].data else {
            return;
        };
        data.history.push((data.timeline, data.end));
        // Only what it knows of itself counts, so that two can begin the same timeline.
        data.timeline = archived.max(data.timeline) + 1;
        debug_assert!(data.timeline <= last + 1);
        (data.standby, data.upstream) = (false, None);
        data.end += 0x80;
        data.state = "in production".into();
        (data.checkpoint, data.checkpoint_timeline) = (data.end, data.timeline);
    }

    /// `failover.sh` and `follow_primary.sh`.
    pub fn failover(&mut self, leader: usize, failed: u32, failed_host: usize) {
        let was = self.pgpools[leader].primary;
        if let Some(seat) = self.pgpools[leader].seats.get_mut(&failed) {
            seat.up = false;
        }
        if was.is_some_and(|was| was != failed) {
            return;
        }
        self.pgpools[leader].primary = None;
        let lives = |h: &usize| {
            *h != failed_host
                && self.databases[*h].running
                && self.databases[*h].is_primary()
                && self.connects(leader, *h, "5432/tcp")
        };
        if self.guarded(leader) && self.hosts().any(|h| lives(&h)) {
            if self.logs_in(leader, failed_host) && self.databases[failed_host].is_primary() {
                self.database_stop(failed_host);
            }
            self.find_primary(leader);
            return;
        }
        let standbys: Vec<(u32, usize)> = self.pgpools[leader]
            .seats
            .iter()
            .filter(|(id, seat)| **id != failed && seat.up)
            .filter_map(|(id, _)| Some((*id, self.seat_host(leader, *id)?)))
            .filter(|(_, h)| {
                let one = &self.databases[*h];
                one.running && !one.is_primary() && self.connects(leader, *h, "5432/tcp")
            })
            .collect();
        let end = |h: usize| self.databases[h].data.as_ref().map_or(0, |data| data.end);
        let best = standbys
            .iter()
            .max_by_key(|(id, h)| (end(*h), u32::MAX - id));
        let Some((best, h)) = best.copied() else {
            return;
        };
        if self.logs_in(leader, failed_host) && self.databases[failed_host].is_primary() {
            self.database_stop(failed_host);
        }
        if !self.logs_in(leader, h) {
            return;
        }
        self.promote(h);
        self.pgpools[leader].primary = Some(best);
        for (id, other) in standbys {
            if id == best {
                continue;
            }
            let followed = self.logs_in(leader, other) && self.follow(other, h);
            if let Some(seat) = self.pgpools[leader].seats.get_mut(&id) {
                seat.up = followed;
            }
        }
    }

    /// Whether `failover.sh` on a host promotes nobody beside a primary that lives.
    pub fn guarded(&self, h: usize) -> bool {
        self.machines[h]
            .text(&format!("{CONF}/failover.sh"))
            .contains(GUARD)
    }

    /// A running standby follows another primary, by a rewind when it has more.
    fn follow(&mut self, h: usize, primary: usize) -> bool {
        self.keep_slot(primary, h);
        if let Some(data) = &mut self.databases[h].data {
            data.upstream = Some(primary);
        }
        if self.streams(h).is_none() && self.connects(h, primary, "5432/tcp") {
            self.copy(primary, h);
            self.database_start(h);
        }
        self.streams(h).is_some()
    }

    /// `standby.sh follow` on the standby's own host.
    ///
    /// # Errors
    /// In its words.
    pub fn led(&mut self, h: usize, primary: &str) -> Result<(), String> {
        let own = &self.databases[h];
        if !own.running {
            return Err("exit 3".into());
        }
        if own.is_primary() {
            return Err("is no standby but a second primary: nothing is done to it".into());
        }
        let p = self
            .host(primary)
            .filter(|p| self.databases[*p].is_primary());
        let Some(p) = p.filter(|p| self.connects(h, *p, "5432/tcp")) else {
            return Err("the primary does not answer".into());
        };
        if self.follow(h, p) {
            return Ok(());
        }
        Err("does not stream".into())
    }

    /// `status.sh`: a primary that a majority follows is up, whatever the file says.
    pub fn look_for_primary(&mut self, h: usize) {
        let Some(until) = self.pgpools[h].looks else {
            return;
        };
        let ids: Vec<u32> = self.pgpools[h].seats.keys().copied().collect();
        let primary = |id: &u32| {
            let p = self.seat_host(h, *id)?;
            (self.databases[p].is_primary() && self.connects(h, p, "5432/tcp")).then_some(p)
        };
        let followed = ids
            .iter()
            .find(|id| primary(id).is_some_and(|p| self.follows_a_majority(h, p)))
            .copied();
        let up = |id: &&u32| self.pgpools[h].seats.get(id).is_some_and(|it| it.up);
        let finds = ids.iter().filter(up).any(|id| primary(id).is_some());
        if let Some(seat) = followed.and_then(|id| self.pgpools[h].seats.get_mut(&id)) {
            seat.up = true;
        }
        if followed.is_some() || finds || self.now >= until {
            self.pgpools[h].looks = None;
        }
    }

    /// Whether most of the nodes that a host knows of are a primary and its standbys.
    fn follows_a_majority(&self, h: usize, primary: usize) -> bool {
        let nodes: Vec<usize> = self
            .backends(h)
            .unwrap_or_default()
            .values()
            .filter_map(|name| self.host(name))
            .collect();
        let follow = |p: &&usize| self.streams(**p) == Some(primary);
        (nodes.iter().filter(follow).count() + 1) * 2 > nodes.len()
    }

    /// `attach.sh`
    pub fn attach_after_boot(&mut self, h: usize) {
        let Some(leader) = self.pgpools[h].leader else {
            return;
        };
        let id = self.machines[h]
            .text(&format!("{CONF}/pgpool_node_id"))
            .trim()
            .parse();
        let Ok(id) = id else { return };
        let view = &self.pgpools[leader];
        let up = view.seats.get(&id).map(|seat| seat.up);
        if up != Some(false) {
            // Up may be what it was before the boot.
            self.pgpools[h].attach = up.is_some() && !self.databases[h].running;
            return;
        }
        let primary = view.primary.and_then(|id| self.seat_host(leader, id));
        let others = || self.hosts().filter(|p| *p != h);
        let alone = primary.is_none()
            && self.databases[h].is_primary()
            && others().all(|p| !self.databases[p].is_primary())
            && self.follows_a_majority(h, h);
        if alone || (primary.is_some() && self.streams(h) == primary) {
            self.pgpools[leader].seats.insert(
                id,
                Seat {
                    up: true,
                    missed: 0,
                },
            );
            self.pgpools[h].attach = false;
            self.watchdog();
        }
    }

    /// `pcp_attach_node`
    ///
    /// # Errors
    /// In its words.
    pub fn attach(&mut self, via: usize, id: u32) -> Result<(), String> {
        let leader = self.pgpools[via]
            .leader
            .filter(|_| self.pgpools[via].running);
        let Some(leader) = leader else {
            return Err("connection to host failed".into());
        };
        let seat = Seat {
            up: true,
            missed: 0,
        };
        self.pgpools[leader].seats.insert(id, seat);
        self.find_primary(leader);
        self.watchdog();
        Ok(())
    }

    /// `pcp_recovery_node`; `half` breaks off when the copy is in place.
    ///
    /// # Errors
    /// In the words of those who refuse.
    pub fn recover(&mut self, via: usize, id: u32, half: bool) -> Result<(), String> {
        let leader = self.pgpools[via]
            .leader
            .filter(|_| self.pgpools[via].running);
        let Some(leader) = leader else {
            return Err("connection to host failed".into());
        };
        let target = self.seat_host(via, id).ok_or("no such node")?;
        let primary = self.pgpools[leader].primary;
        let primary = primary.and_then(|id| self.seat_host(leader, id));
        let Some(p) = primary.filter(|p| self.databases[*p].is_primary()) else {
            return Err("recovery failed: no primary".into());
        };
        for name in ["recovery_1st_stage", "pgpool_remote_start"] {
            if self.machines[p]
                .text(&format!("{PGDATA}/{name}"))
                .is_empty()
            {
                return Err(format!("recovery failed: no {name} in {PGDATA}"));
            }
        }
        if !self.logs_in(p, target) {
            return Err("recovery failed: Permission denied (publickey)".into());
        }
        if !self.machines[target].has("postgresql16-server") {
            return Err("recovery failed: pg_basebackup: No such file".into());
        }
        if self.databases[target].running {
            return Err("PostgreSQL runs: a running server is never replaced".into());
        }
        self.not_ahead(target, p)?;
        if !self.connects(target, p, "5432/tcp") {
            return Err("pg_basebackup failed".into());
        }
        self.copy(p, target);
        if half {
            return Err("connection lost".into());
        }
        self.database_start(target);
        self.attach(via, id)
    }
}
