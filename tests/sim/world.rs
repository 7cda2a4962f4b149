//! What is really there: hosts with disks, power and links, and the swarms whose state they hold.

use provision::inventory::HostName;
use std::collections::BTreeMap;

/// Ticks after which the managers give up a node that is silent.
const GIVE_UP: u32 = 2;

#[derive(Clone, Debug, Default)]
pub struct World {
    pub hosts: Vec<Host>,
    pub clusters: Vec<Cluster>,
    /// Swarms that provision founded.
    pub founded: usize,
    /// Whether a join that is told to run goes on in the background.
    pub slow_joins: bool,
    /// Ticks that an election takes, during which no manager tells anything.
    pub election: u32,
    pub next: usize,
}

#[derive(Clone, Debug)]
pub struct Host {
    pub name: HostName,
    pub addr: String,
    pub power: bool,
    /// Whether provision reaches it.
    pub ssh: bool,
    /// Whether the other hosts reach it.
    pub link: bool,
    pub installed: bool,
    pub running: bool,
    /// Whether provision noted that it joins drained.
    pub marked: bool,
    pub disk: Option<Membership>,
}

/// What a host's disk says about its swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub cluster: usize,
    pub node: String,
    pub phase: Phase,
    /// Whether it takes itself for a manager.
    pub manager: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A join that goes on in the background for so many ticks.
    Joining(u32),
    /// An engine that has just started.
    Starting,
    Active,
    Locked,
    Failed,
}

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub id: String,
    pub ca: String,
    pub nodes: BTreeMap<String, Node>,
    pub leader: Option<String>,
    pub pool: Vec<String>,
    pub port: u32,
    pub subnet: u32,
    /// Managers that are none of our hosts, and always up.
    pub outside: bool,
    /// Ticks until a majority that has no leader has elected one.
    pub electing: u32,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub hostname: String,
    pub addr: String,
    pub manager: bool,
    /// Whether raft counts it; follows `manager` a little later.
    pub vote: bool,
    pub drained: bool,
    pub labels: BTreeMap<String, String>,
    /// Ticks since the managers last heard of it.
    pub missed: u32,
}

impl Node {
    pub fn given_up(&self) -> bool {
        self.missed >= GIVE_UP
    }
}

pub fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

impl World {
    pub fn fresh(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{:03}", self.next)
    }

    pub fn host(&self, name: &HostName) -> usize {
        self.hosts
            .iter()
            .position(|host| host.name == *name)
            .unwrap()
    }

    pub fn reachable(&self, h: usize) -> bool {
        self.hosts[h].power && self.hosts[h].ssh
    }

    /// The host that holds a node, whatever its power and links are.
    pub fn holder(&self, cluster: usize, node: &str) -> Option<usize> {
        self.hosts.iter().position(|host| {
            host.disk
                .as_ref()
                .is_some_and(|disk| disk.cluster == cluster && disk.node == node)
        })
    }

    /// Whether the others hear of a node.
    pub fn heard(&self, cluster: usize, node: &str) -> bool {
        if self.clusters[cluster].outside && node.starts_with("outside") {
            return true;
        }
        self.holder(cluster, node).is_some_and(|h| {
            let host = &self.hosts[h];
            host.power
                && host.running
                && self.linked(h, cluster)
                && !matches!(
                    host.disk.as_ref().unwrap().phase,
                    Phase::Locked | Phase::Failed
                )
        })
    }

    pub fn voters(&self, cluster: usize) -> usize {
        self.clusters[cluster]
            .nodes
            .values()
            .filter(|node| node.vote)
            .count()
    }

    pub fn voters_heard(&self, cluster: usize) -> usize {
        let nodes = &self.clusters[cluster].nodes;
        nodes
            .iter()
            .filter(|(id, node)| node.vote && self.heard(cluster, id))
            .count()
    }

    /// A swarm of one needs no link.
    pub fn linked(&self, h: usize, cluster: usize) -> bool {
        self.hosts[h].link || self.clusters[cluster].nodes.len() == 1
    }

    pub fn quorum(&self, cluster: usize) -> bool {
        self.voters_heard(cluster) >= majority(self.voters(cluster))
    }

    /// Whether a majority has a leader.
    pub fn led(&self, cluster: usize) -> bool {
        self.quorum(cluster) && self.clusters[cluster].electing == 0
    }

    /// Whether this host can tell the roster and change the swarm.
    pub fn speaks(&self, h: usize) -> Option<usize> {
        let host = &self.hosts[h];
        let disk = host.disk.as_ref()?;
        let listed = self.clusters[disk.cluster]
            .nodes
            .get(&disk.node)
            .is_some_and(|node| node.vote);
        (host.power
            && host.running
            && self.linked(h, disk.cluster)
            && disk.phase == Phase::Active
            && disk.manager
            && listed
            && self.led(disk.cluster))
        .then_some(disk.cluster)
    }

    /// What the layers below do before the swarm's steps run: docker is installed and started.
    pub fn docker_layer(&mut self) {
        for h in 0..self.hosts.len() {
            if self.reachable(h) {
                self.hosts[h].installed = true;
                self.start(h);
            }
        }
    }

    pub fn start(&mut self, h: usize) {
        let host = &mut self.hosts[h];
        if host.running || !host.power || !host.installed {
            return;
        }
        host.running = true;
        if let Some(disk) = &mut host.disk
            && disk.phase == Phase::Active
        {
            disk.phase = Phase::Starting;
        }
    }

    pub fn stop(&mut self, h: usize) {
        self.hosts[h].running = false;
    }

    pub fn power_off(&mut self, h: usize) {
        self.hosts[h].power = false;
        self.hosts[h].running = false;
    }

    pub fn power_on(&mut self, h: usize) {
        self.hosts[h].power = true;
        self.start(h);
    }

    /// A blank machine of the same name and address.
    pub fn replace(&mut self, h: usize) {
        let host = &mut self.hosts[h];
        (host.installed, host.running, host.disk) = (false, false, None);
        host.marked = false;
        (host.power, host.ssh, host.link) = (true, true, true);
    }

    /// `docker swarm init` on a host.
    pub fn found(&mut self, h: usize, pool: Vec<String>, port: u32, subnet: u32) {
        let (id, ca, node) = (self.fresh("swarm"), self.fresh("ca"), self.fresh("n"));
        self.clusters.push(Cluster {
            id,
            ca,
            leader: Some(node.clone()),
            pool,
            port,
            subnet,
            ..Cluster::default()
        });
        self.enter(h, self.clusters.len() - 1, node, true, Phase::Active);
    }

    /// Puts a host on a roster.
    pub fn enter(&mut self, h: usize, cluster: usize, node: String, manager: bool, phase: Phase) {
        let host = &mut self.hosts[h];
        (host.installed, host.running) = (true, true);
        self.clusters[cluster].nodes.insert(
            node.clone(),
            Node {
                hostname: host.name.to_string(),
                addr: host.addr.clone(),
                manager,
                vote: manager,
                drained: false,
                labels: BTreeMap::new(),
                missed: 0,
            },
        );
        host.disk = Some(Membership {
            cluster,
            node,
            phase,
            manager,
        });
    }
}
