//! Pgpool-II: its watchdog, its view of the nodes, the virtual address, and when it fails over (docs/failover.md).

use super::cluster::Cluster;
use super::packages::CONF;
use std::collections::BTreeMap;

/// Ticks after which the health checks give a node up.
const GIVE_UP: u32 = 6;

/// Ticks of two seconds for which a daemon looks for a primary after its start (`search_primary_node_timeout`), and for
/// which `status.sh` waits for one before.
const SEARCH: u64 = 150;
const LOOK: u64 = 120;

/// The daemon of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Daemon {
    pub running: bool,
    /// Whether the unit that attaches after a boot is at work.
    pub attach: bool,
    pub seats: BTreeMap<u32, Seat>,
    /// Which nodes are up, in the file that it begins with: only a leader writes it at each change.
    pub file: BTreeMap<u32, bool>,
    /// `status.sh` is at work until then.
    pub looks: Option<u64>,
    /// It looks for a primary until then, and answers nobody.
    pub searches: Option<u64>,
    /// It has not got the leader's table when it should have taken it over, and goes on with its own.
    pub own_table: bool,
    /// Its table when somebody looked at it last, and since when it is like that.
    pub shown: Table,
    pub changed: u64,
    pub primary: Option<u32>,
    pub leader: Option<usize>,
    pub quorum: bool,
    /// Whether it holds the virtual address.
    pub vip: bool,
    pub since: u64,
}

/// Whether a node is up, by its id; and which one is the primary.
pub type Table = (BTreeMap<u32, bool>, Option<u32>);

/// A node as the daemons remember it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seat {
    pub up: bool,
    pub missed: u32,
}

impl Daemon {
    pub fn table(&self) -> Table {
        let up = self.seats.iter().map(|(id, seat)| (*id, seat.up));
        (up.collect(), self.primary)
    }

    pub fn crash(&mut self) {
        (self.running, self.vip, self.quorum, self.attach) = (false, false, false, false);
        (self.leader, self.looks, self.searches) = (None, None, None);
    }

    pub fn write_file(&mut self) {
        self.file = self.table().0;
    }
}

impl Cluster {
    /// Host name by node id, of the backends file.
    pub fn backends(&self, h: usize) -> Option<BTreeMap<u32, String>> {
        let text = self.machines[h].text(&format!("{CONF}/pgpool.ke2-backends.conf"));
        if text.is_empty() {
            return None;
        }
        let line = |line: &str| {
            let (id, name) = line.strip_prefix("backend_hostname")?.split_once(" = ")?;
            Some((id.parse().ok()?, name.trim_matches('\'').to_owned()))
        };
        Some(text.lines().filter_map(line).collect())
    }

    /// The host of a node.
    pub fn seat_host(&self, h: usize, id: u32) -> Option<usize> {
        self.host(self.backends(h)?.get(&id)?)
    }

    /// Starts the daemon, with what its file says.
    ///
    /// # Errors
    /// In its words.
    pub fn pgpool_start(&mut self, h: usize) -> Result<(), String> {
        let Some(backends) = self.backends(h) else {
            return Err("could not include pgpool.ke2-backends.conf".into());
        };
        let id = self.machines[h].text(&format!("{CONF}/pgpool_node_id"));
        if id.trim().is_empty()
            || self.machines[h]
                .text("/var/lib/pgsql/.pgpoolkey")
                .is_empty()
        {
            return Err("no pgpool_node_id or no key".into());
        }
        let now = self.moment();
        self.stamp(h, "pgpool.service", &["start", "reload"]);
        let own = &mut self.pgpools[h];
        own.running = true;
        own.since = now;
        // A file in which nobody is up counts as none.
        let none = !own.file.values().any(|up| *up);
        own.primary = None;
        own.seats.clear();
        for id in backends.keys() {
            let up = none || own.file.get(id).copied().unwrap_or(true);
            own.seats.insert(*id, Seat { up, missed: 0 });
        }
        own.searches = Some(now + SEARCH);
        own.looks = own.seats.values().any(|it| !it.up).then_some(now + LOOK);
        self.look_for_primary(h);
        self.watchdog();
        Ok(())
    }

    pub fn pgpool_stop(&mut self, h: usize) {
        self.pgpools[h].crash();
        self.watchdog();
    }

    /// Who works together with a daemon.
    pub fn assembled(&self, h: usize) -> Vec<usize> {
        let sees = |a: usize, b: usize| self.connects(a, b, "9000/tcp");
        let runs = |p: usize| self.pgpools[p].running;
        let with = |p: &usize| runs(*p) && (*p == h || (sees(h, *p) && sees(*p, h)));
        if runs(h) {
            self.hosts().filter(with).collect()
        } else {
            Vec::new()
        }
    }

    /// The daemons find each other, choose a leader, and it takes the address.
    pub fn watchdog(&mut self) {
        // Of two leaders that meet the one that a majority follows stays, else the one that has run for longer.
        let lead = |p: usize| {
            let one = &self.pgpools[p];
            (one.leader == Some(p)).then_some((!one.quorum, one.since))
        };
        let led: Vec<Option<(bool, u64)>> = self.hosts().map(lead).collect();
        for h in self.hosts() {
            let group = self.assembled(h);
            let nodes = self.backends(h).map_or(0, |it| it.len());
            let leader = group
                .iter()
                .filter(|p| led[**p].is_some())
                .min_by_key(|p| led[**p])
                .or(group.first())
                .copied();
            let quorum = group.len() > nodes / 2 && !group.is_empty();
            let own = &mut self.pgpools[h];
            own.own_table &= own.leader == leader;
            (own.leader, own.quorum) = (leader, quorum);
            own.vip = quorum && leader == Some(h);
        }
        for h in self.hosts() {
            // Also without a majority, before it answers anybody.
            if self.pgpools[h].leader == Some(h) && self.pgpools[h].searches.is_some() {
                self.find_primary(h);
            }
        }
        // After each failover the leader tells the others of it.
        let news = |p: &usize| self.pgpools[*p].table() != self.pgpools[*p].shown;
        let news: Vec<usize> = self.hosts().filter(news).collect();
        for h in self.hosts() {
            let leader = self.pgpools[h].leader.filter(|leader| *leader != h);
            if leader.is_none_or(|leader| news.contains(&leader)) {
                self.pgpools[h].own_table = false;
            }
            if self.pgpools[h].own_table {
                continue;
            }
            if let Some(leader) = leader.filter(|leader| self.pgpools[*leader].running) {
                let (seats, primary) = {
                    let of = &self.pgpools[leader];
                    (of.seats.clone(), of.primary)
                };
                (self.pgpools[h].seats, self.pgpools[h].primary) = (seats, primary);
            }
        }
        let now = self.now;
        for own in &mut self.pgpools {
            if own.table() != own.shown {
                (own.shown, own.changed) = (own.table(), now);
            }
        }
        for h in self.hosts() {
            let own = &mut self.pgpools[h];
            if own.running && own.leader == Some(h) {
                own.write_file();
            }
            let vain = |until: &u64| own.primary.is_none() && now < *until;
            own.searches = own.searches.filter(vain);
        }
    }

    /// Another table than the leader's, on a host that has not got that one: of two kinds.
    pub fn keep_own_table(&mut self, h: usize) {
        let now = self.moment();
        let own = &mut self.pgpools[h];
        if own.leader.is_none_or(|leader| leader == h) || !own.running {
            return;
        }
        let primary = own.primary;
        match now % 2 {
            0 => own.primary = None,
            _ => {
                let mut others = own.seats.iter_mut();
                if let Some((_, seat)) = others.find(|(id, _)| primary != Some(**id)) {
                    seat.up = false;
                }
            }
        }
        (own.shown, own.changed, own.own_table) = (own.table(), now, true);
    }

    /// The host whose server answers writes through the virtual address.
    pub fn served(&self) -> Option<usize> {
        let holder = self
            .hosts()
            .find(|h| self.pgpools[*h].vip && self.power(*h) && self.swarm.hosts[*h].link)?;
        let id = self.pgpools[holder].primary?;
        let p = self.seat_host(holder, id)?;
        let up = self.pgpools[holder].seats.get(&id)?.up;
        (up && self.connects(holder, p, "5432/tcp") && self.databases[p].is_primary()).then_some(p)
    }

    pub fn pgpool_tick(&mut self) {
        for h in self.hosts() {
            self.look_for_primary(h);
        }
        self.watchdog();
        for leader in self.hosts() {
            if self.pgpools[leader].vip {
                self.check_nodes(leader);
                self.watchdog();
            }
        }
        for h in self.hosts() {
            if self.pgpools[h].attach && self.pgpools[h].running && self.power(h) {
                self.attach_after_boot(h);
            }
        }
    }

    fn check_nodes(&mut self, leader: usize) {
        self.find_primary(leader);
        // The checks begin when it has found one, or has given up looking.
        if self.pgpools[leader].primary.is_none() && self.pgpools[leader].searches.is_some() {
            return;
        }
        let ids: Vec<u32> = self.pgpools[leader].seats.keys().copied().collect();
        for id in ids {
            let Some(h) = self.seat_host(leader, id) else {
                continue;
            };
            let alive = self.databases[h].running && self.connects(leader, h, "5432/tcp");
            let Some(seat) = self.pgpools[leader].seats.get_mut(&id) else {
                continue;
            };
            seat.missed = if alive { 0 } else { seat.missed + 1 };
            if seat.up && seat.missed >= GIVE_UP {
                self.failover(leader, id, h);
            }
        }
    }

    /// At the start, after a failover and when a node is attached: who answers as a primary.
    pub fn find_primary(&mut self, leader: usize) {
        let own = &self.pgpools[leader];
        if own
            .primary
            .is_some_and(|id| own.seats.get(&id).is_some_and(|seat| seat.up))
        {
            return;
        }
        let ids: Vec<u32> = own
            .seats
            .iter()
            .filter(|it| it.1.up)
            .map(|it| *it.0)
            .collect();
        let found = ids.into_iter().find(|id| {
            self.seat_host(leader, *id).is_some_and(|h| {
                self.databases[h].is_primary() && self.connects(leader, h, "5432/tcp")
            })
        });
        self.pgpools[leader].primary = found;
    }
}
