//! The stack as its Swarm has it, and what the managers do by themselves with its tasks.

use super::cluster::Cluster;
use super::swarm_sim::world::Phase;
use std::collections::{BTreeMap, BTreeSet};

pub const RABBITMQ: &str = "ke2_rabbitmq";
pub const NGINX: &str = "ke2_nginx";
pub const KOMPIRA: &str = "ke2_kompira";

/// Ticks that a container takes to start.
const START: u32 = 2;

/// What the managers keep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack {
    pub services: BTreeMap<String, Service>,
    pub configs: BTreeSet<String>,
    /// Ids by name.
    pub networks: BTreeMap<String, String>,
    pub tasks: Vec<Task>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    pub spec: String,
    pub image: String,
    pub replicas: u64,
    /// At most so many tasks on a node.
    pub most: u64,
    pub environment: String,
    pub configs: BTreeSet<String>,
    /// Paths of the host that its containers mount.
    pub binds: Vec<String>,
    /// What its tasks are made from: another one replaces them.
    pub made_from: String,
    /// Ticks that the update goes on.
    pub updating: u32,
    pub updated: bool,
    /// Whether a person changed it after its deployment.
    pub by_hand: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub id: u64,
    pub service: String,
    pub slot: u64,
    /// Id of its node; empty while there is none for it.
    pub node: String,
    /// Whether it is meant to run.
    pub wanted: bool,
    pub state: State,
    pub error: String,
    pub made_from: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Preparing(u32),
    Running,
    Shutdown,
    Failed,
    Rejected,
}

/// The part of an engine that stacks have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Containers {
    pub images: BTreeSet<String>,
    pub running: Vec<Container>,
    pub ended: usize,
    /// RabbitMQ's volume.
    pub broker: Option<super::rabbitmq::Broker>,
    /// Ticks that a blank node of RabbitMQ has looked for others.
    pub alone: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    pub task: u64,
    pub service: String,
    /// The certificate that it has loaded.
    pub loaded: Option<Vec<u8>>,
    /// The secret key that it works with.
    pub key: Option<Vec<u8>>,
    /// The one that it makes, and for how many ticks it does so still.
    pub making: Option<(Vec<u8>, usize)>,
}

impl Containers {
    pub fn runs(&self, service: &str) -> bool {
        self.running.iter().any(|one| one.service == service)
    }

    /// All containers end.
    pub fn end(&mut self) {
        self.ended += self.running.len();
        self.running.clear();
        self.alone = 0;
        if let Some(broker) = &mut self.broker {
            broker.up = false;
        }
    }
}

impl Cluster {
    pub fn stack_tick(&mut self) {
        for c in 0..self.swarm.clusters.len() {
            if self.swarm.led(c) && self.stacks.contains_key(&c) {
                self.orchestrate(c);
            }
        }
        for h in self.hosts() {
            self.agent(h);
        }
        self.rabbitmq_tick();
        self.application_tick();
    }

    /// Nodes that take tasks.
    fn ready(&self, c: usize) -> Vec<String> {
        let active = |id: &str| {
            let holder = self.swarm.holder(c, id);
            let disk = holder.and_then(|h| self.swarm.hosts[h].disk.as_ref());
            disk.is_some_and(|disk| disk.phase == Phase::Active)
        };
        let nodes = self.swarm.clusters[c].nodes.iter();
        nodes
            .filter(|(id, node)| !node.given_up() && !node.drained && active(id))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The managers give up tasks that cannot run where they are, and find places for those that are missing.
    fn orchestrate(&mut self, c: usize) {
        let ready = self.ready(c);
        let Some(mut stack) = self.stacks.remove(&c) else {
            return;
        };
        let nodes = &self.swarm.clusters[c].nodes;
        let Stack {
            services, tasks, ..
        } = &mut stack;
        tasks.retain(|task| {
            let service = services.get(&task.service);
            service.is_some_and(|it| task.slot <= it.replicas)
                && (task.node.is_empty() || nodes.contains_key(&task.node))
        });
        let mut replaced = BTreeSet::new();
        for task in tasks.iter_mut().filter(|task| task.wanted) {
            let ended = matches!(
                task.state,
                State::Shutdown | State::Failed | State::Rejected
            );
            let misplaced = !task.node.is_empty() && !ready.contains(&task.node);
            let old = services[&task.service].made_from != task.made_from;
            let replaces = old && replaced.insert(task.service.clone());
            task.wanted = !(ended || misplaced || replaces);
        }
        let mut next = self.next_task;
        for (name, service) in services.iter_mut() {
            service.updating = service.updating.saturating_sub(1);
            for slot in 1..=service.replicas {
                place(tasks, name, service, slot, &ready, &mut next);
            }
        }
        self.next_task = next;
        // Of those that ended the newest of each place is kept.
        let newest: BTreeMap<(String, u64), u64> = tasks
            .iter()
            .filter(|task| !task.wanted)
            .map(|task| ((task.service.clone(), task.slot), task.id))
            .collect();
        let kept = |task: &Task| newest.get(&(task.service.clone(), task.slot)) == Some(&task.id);
        tasks.retain(|task| task.wanted || kept(task));
        self.stacks.insert(c, stack);
    }
}

/// A task in a place that has none, on the node with the fewest.
fn place(
    tasks: &mut Vec<Task>,
    name: &str,
    service: &Service,
    slot: u64,
    ready: &[String],
    next: &mut u64,
) {
    let here = |task: &Task| task.wanted && task.service == name && task.slot == slot;
    if tasks.iter().any(|task| here(task) && !task.node.is_empty()) {
        return;
    }
    let of = |node: &String| {
        let mut all = tasks
            .iter()
            .filter(|task| task.wanted && task.node == *node);
        let own = all.clone().filter(|task| task.service == name).count() as u64;
        (own, all.by_ref().count())
    };
    let node = ready
        .iter()
        .filter(|node| of(node).0 < service.most)
        .min_by_key(|node| of(node))
        .cloned();
    if node.is_none() && tasks.iter().any(here) {
        return;
    }
    tasks.retain(|task| !here(task));
    *next += 1;
    tasks.push(Task {
        id: *next,
        service: name.to_owned(),
        slot,
        state: if node.is_some() {
            State::Preparing(START)
        } else {
            State::Pending
        },
        error: if node.is_some() {
            String::new()
        } else {
            "no suitable node".into()
        },
        node: node.unwrap_or_default(),
        wanted: true,
        made_from: service.made_from.clone(),
    });
}
