//! All hosts with all their layers, and who reaches whom.

use super::database::Instance;
use super::gluster::Glusterd;
use super::ledger::Ledger;
use super::machine::Machine;
use super::pgpool::Daemon;
use super::rng::Rng;
use super::stack::{Containers, Stack};
use super::world::{Host, World};
use provision::inventory::HostName;
use std::collections::BTreeMap;

/// Everything that there is.
#[derive(Clone)]
pub struct Cluster {
    /// Power, links, engines and the swarm.
    pub swarm: World,
    pub machines: Vec<Machine>,
    pub gluster: Vec<Glusterd>,
    pub databases: Vec<Instance>,
    pub pgpools: Vec<Daemon>,
    pub ledger: Ledger,
    /// What each engine has of stacks.
    pub containers: Vec<Containers>,
    /// What the managers of each swarm keep of stacks.
    pub stacks: BTreeMap<usize, Stack>,
    pub next_task: u64,
    /// Moments: each act and each tick is one.
    pub now: u64,
    pub rng: Rng,
    /// Whether a commit waits for a standby.
    pub any1: bool,
    /// How many hosts, the first ones, have the database and Pgpool-II.
    pub databases_on: usize,
    /// Hosts whose daemons do not answer a look in time.
    pub mute: Vec<bool>,
    /// Whether `standby.sh` replaces data without counting commits: a mistake that is made on purpose.
    pub careless: bool,
    /// The application never comes to write its secret key.
    pub keyless: bool,
}

impl Cluster {
    pub fn blank(hosts: usize, seed: u64, any1: bool) -> Self {
        let host = |n: usize| Host {
            name: HostName::new(format!("ke2-server{n}")),
            addr: format!("10.20.0.{n}"),
            power: true,
            ssh: true,
            link: true,
            installed: false,
            running: false,
            marked: false,
            disk: None,
        };
        let machine = |h: usize| Machine::blank(format!("m{h}"));
        Self {
            swarm: World {
                hosts: (1..=hosts).map(host).collect(),
                election: 2,
                ..World::default()
            },
            machines: (0..hosts).map(machine).collect(),
            gluster: (0..hosts).map(|_| Glusterd::default()).collect(),
            databases: (0..hosts).map(|_| Instance::default()).collect(),
            pgpools: (0..hosts).map(|_| Daemon::default()).collect(),
            ledger: Ledger::default(),
            containers: vec![Containers::default(); hosts],
            stacks: BTreeMap::new(),
            next_task: 0,
            now: 0,
            rng: Rng::new(seed ^ 0x5eed),
            any1,
            databases_on: hosts,
            careless: false,
            keyless: false,
            mute: vec![false; hosts],
        }
    }

    pub fn hosts(&self) -> std::ops::Range<usize> {
        0..self.machines.len()
    }

    /// The hosts of the group `database`.
    pub fn members(&self) -> std::ops::Range<usize> {
        0..self.databases_on
    }

    pub fn name(&self, h: usize) -> &str {
        self.swarm.hosts[h].name.as_str()
    }

    pub fn host(&self, name: &str) -> Option<usize> {
        self.hosts().find(|h| self.name(*h) == name)
    }

    pub fn power(&self, h: usize) -> bool {
        self.swarm.hosts[h].power
    }

    /// Whether one host reaches another.
    pub fn linked(&self, a: usize, b: usize) -> bool {
        let up = |h: usize| self.power(h) && (a == b || self.swarm.hosts[h].link);
        up(a) && up(b)
    }

    /// Whether a port of a host can be reached from another.
    pub fn connects(&self, from: usize, to: usize, port: &str) -> bool {
        self.linked(from, to) && (from == to || self.machines[to].opens(port))
    }

    /// Addresses by name, as a host resolves them.
    pub fn resolves(&self, h: usize) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in self.machines[h].text("/etc/hosts").lines() {
            let mut words = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace();
            let Some(address) = words.next() else {
                continue;
            };
            for name in words {
                let addresses = found.entry(name.to_owned()).or_default();
                addresses.push(address.to_owned());
                addresses.sort();
                addresses.dedup();
            }
        }
        found
    }

    pub fn moment(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// Some seconds pass: every layer does what it does by itself.
    pub fn tick(&mut self) {
        self.moment();
        self.swarm.tick();
        self.gluster_tick();
        self.database_tick();
        self.pgpool_tick();
        self.stack_tick();
    }

    pub fn ticks(&mut self, count: usize) {
        (0..count).for_each(|_| self.tick());
    }

    pub fn power_off(&mut self, h: usize) {
        if !self.power(h) {
            return;
        }
        self.swarm.power_off(h);
        self.gluster_crash(h);
        self.containers[h].end();
        self.database_crash(h);
        self.pgpools[h].crash();
        self.machines[h].active.clear();
        self.machines[h].clear("/run/provision");
    }

    pub fn power_on(&mut self, h: usize) {
        if self.power(h) {
            return;
        }
        self.machines[h].boots += 1;
        let enabled = self.machines[h].enabled.clone();
        self.machines[h].active.insert("firewalld.service".into());
        self.machines[h].runtime = self.machines[h].permanent.clone();
        self.swarm.hosts[h].power = true;
        if enabled.contains("docker.service") {
            self.swarm.start(h);
        }
        if enabled.contains("glusterd.service") {
            self.glusterd_start(h);
        }
        if enabled.contains("postgresql-16.service") {
            self.databases[h].boot();
        }
        if enabled.contains("pgpool.service") {
            let _ = self.pgpool_start(h);
            self.pgpools[h].attach = enabled.contains("provision-pgpool-attach.service");
        }
    }

    /// A blank machine of the same name and address.
    pub fn replace(&mut self, h: usize) {
        self.power_off(h);
        self.swarm.replace(h);
        let id = self.swarm.fresh("machine");
        self.machines[h] = Machine::blank(id);
        self.gluster[h] = Glusterd::default();
        self.databases[h] = Instance::default();
        self.pgpools[h] = Daemon::default();
        self.containers[h] = Containers::default();
    }
}
