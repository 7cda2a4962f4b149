//! The cluster that RabbitMQ's nodes form, and the application that fills the database and writes its secret key.

use super::cluster::Cluster;
use super::share::KEY;
use super::stack::{KOMPIRA, RABBITMQ};
use std::collections::BTreeSet;

/// Ticks that a blank node looks for others before it begins alone.
const LOOKS: u32 = 5;

/// What a node of RabbitMQ has in its volume.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Broker {
    /// All nodes of its cluster.
    pub all: BTreeSet<String>,
    /// Those that ran when it looked last.
    pub running: BTreeSet<String>,
    /// Counts the changes of `all`.
    pub version: u64,
    /// Whether it serves: neither stopped nor paused.
    pub up: bool,
}

/// How long the application's first start takes before it makes its key, in ticks.
const MIGRATES: usize = 10;

impl Cluster {
    pub fn broker_name(&self, h: usize) -> String {
        format!("rabbit@mq-{}", self.name(h))
    }

    fn alive(&self, h: usize) -> bool {
        self.power(h) && self.containers[h].runs(RABBITMQ)
    }

    /// Whether two containers have a connection: over the network of one Swarm.
    fn meets(&self, a: usize, b: usize) -> bool {
        let swarm = |h: usize| self.swarm.hosts[h].disk.as_ref().map(|disk| disk.cluster);
        self.linked(a, b) && self.alive(a) && self.alive(b) && swarm(a) == swarm(b)
    }

    fn knows(&self, a: usize, b: usize) -> bool {
        let broker = self.containers[a].broker.as_ref();
        broker.is_some_and(|broker| broker.all.contains(&self.broker_name(b)))
    }

    /// Nodes that serve.
    pub fn brokers_up(&self) -> BTreeSet<usize> {
        let up = |h: &usize| self.containers[*h].broker.as_ref().is_some_and(|it| it.up);
        self.hosts().filter(|h| self.alive(*h) && up(h)).collect()
    }

    pub fn rabbitmq_tick(&mut self) {
        let mut companies = Vec::new();
        for h in self.hosts() {
            let company: Vec<usize> = self
                .hosts()
                .filter(|p| self.meets(h, *p) && self.knows(h, *p) && self.knows(*p, h))
                .collect();
            companies.push(company);
        }
        let was = self.brokers_up();
        for (h, company) in companies.iter().enumerate() {
            // What the others agreed on meanwhile.
            let newest = company
                .iter()
                .filter(|p| was.contains(p))
                .filter_map(|p| self.containers[*p].broker.clone())
                .max_by_key(|broker| broker.version);
            let Some(own) = &mut self.containers[h].broker else {
                continue;
            };
            if let Some(newest) = newest.filter(|newest| newest.version > own.version) {
                own.all = newest.all;
                own.version = newest.version;
            }
            // pause_minority
            own.up = company.len() > own.all.len() / 2 && !company.is_empty();
        }
        // One that pauses has written down who left it.
        for (h, company) in companies.iter().enumerate() {
            let met: BTreeSet<String> = company.iter().map(|p| self.broker_name(*p)).collect();
            let alive = self.alive(h);
            if let Some(own) = self.containers[h].broker.as_mut().filter(|_| alive) {
                own.running.retain(|name| met.contains(name));
            }
        }
        let up = self.brokers_up();
        for h in &up {
            let running = companies[*h]
                .iter()
                .filter(|p| up.contains(p))
                .map(|p| self.broker_name(*p))
                .collect();
            if let Some(own) = &mut self.containers[*h].broker {
                own.running = running;
            }
        }
        for h in self.hosts() {
            if self.alive(h) && self.containers[h].broker.is_none() {
                self.discover(h);
            }
        }
    }

    /// A node without data looks for a cluster, joins it, or founds one.
    fn discover(&mut self, h: usize) {
        let name = self.broker_name(h);
        let met: Vec<usize> = self
            .hosts()
            .filter(|p| *p != h && self.meets(h, *p))
            .collect();
        let up = self.brokers_up();
        let serving = met.iter().copied().find(|p| up.contains(p));
        if let Some(other) = serving {
            let Some(broker) = self.containers[other].broker.clone() else {
                return;
            };
            // Of a node that it knows it wants the data of that node: it is refused until that is forgotten.
            if broker.all.contains(&name) {
                return;
            }
            let version = self.moment();
            let mut all = broker.all.clone();
            all.insert(name);
            for member in up {
                let known = broker.all.contains(&self.broker_name(member));
                if let Some(own) = self.containers[member].broker.as_mut().filter(|_| known) {
                    (own.all, own.version) = (all.clone(), version);
                }
            }
            self.containers[h].broker = Some(Broker {
                all,
                running: BTreeSet::new(),
                version,
                up: true,
            });
            return;
        }
        let waits = |p: &&usize| **p < h || self.containers[**p].broker.is_some();
        if met.iter().any(|p| waits(&p)) {
            self.containers[h].alone = 0;
            return;
        }
        self.containers[h].alone += 1;
        if self.containers[h].alone > LOOKS {
            let version = self.moment();
            self.containers[h].broker = Some(Broker {
                all: [name.clone()].into(),
                running: [name].into(),
                version,
                up: true,
            });
        }
    }

    /// `rabbitmqctl forget_cluster_node`
    ///
    /// # Errors
    /// In its words.
    pub fn forget_broker(&mut self, via: usize, name: &str) -> Result<(), String> {
        let up = self.brokers_up();
        if !up.contains(&via) {
            return Err("Error: unable to perform an operation on node".into());
        }
        let runs = |h: &usize| self.broker_name(*h) == name && self.knows(via, *h);
        if up.iter().any(runs) {
            return Err("Error: node is running, it must be stopped first".into());
        }
        let version = self.moment();
        let of = self.containers[via]
            .broker
            .as_ref()
            .map(|broker| broker.all.clone())
            .unwrap_or_default();
        for h in up {
            let member = of.contains(&self.broker_name(h));
            if let Some(broker) = self.containers[h].broker.as_mut().filter(|_| member) {
                broker.all.remove(name);
                broker.running.remove(name);
                broker.version = version;
            }
        }
        Ok(())
    }

    /// The web application: on an empty database it makes the tables and the key, otherwise it wants the database's own.
    pub fn application_tick(&mut self) {
        for h in self.hosts() {
            for at in 0..self.containers[h].running.len() {
                let one = &self.containers[h].running[at];
                if one.service == KOMPIRA && one.key.is_none() {
                    self.establish(h, at);
                }
            }
        }
    }

    fn establish(&mut self, h: usize, at: usize) {
        let holder = self.hosts().find(|p| self.pgpools[*p].vip);
        let reached = holder.is_some_and(|p| self.linked(h, p));
        let (Some(p), Some(key)) = (
            self.served().filter(|_| reached),
            self.shared_bytes(h, KEY).map(<[u8]>::to_vec),
        ) else {
            return;
        };
        let known = self.databases[p]
            .data
            .as_ref()
            .and_then(|data| data.key.clone());
        if !key.is_empty() {
            if known.as_ref().is_none_or(|known| *known == key) {
                self.fill(p, &key);
                self.containers[h].running[at].key = Some(key);
            }
            return;
        }
        let running = &mut self.containers[h].running[at];
        if let Some((_, left @ 1..)) = &mut running.making {
            *left -= 1;
        } else if let Some((made, _)) = running.making.take() {
            // Nothing guards this against a second one that does the same.
            if self.share_file(h, KEY, &made, 0o600).is_ok() {
                if self.ledger.key.is_some() && !self.ledger.key_gone {
                    self.ledger.other_keys += 1;
                }
                (self.ledger.key, self.ledger.key_gone) = (Some(made.clone()), false);
                self.fill(p, &made);
                self.containers[h].running[at].key = Some(made);
            }
        } else if known.is_none() && !self.keyless {
            let made = self.swarm.fresh("key").into_bytes();
            self.containers[h].running[at].making = Some((made, MIGRATES));
        }
    }

    fn fill(&mut self, p: usize, key: &[u8]) {
        let now = self.now;
        if let Some(data) = &mut self.databases[p].data
            && data.key.is_none()
            && data.databases.contains_key("kompira")
        {
            data.key = Some(key.to_vec());
            data.end += 0x40 + now % 2;
        }
    }
}
