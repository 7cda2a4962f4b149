//! The cluster that RabbitMQ's nodes form among themselves. Swarm knows nothing of it: a task that runs may
//! have joined, wait for others, be refused by them, or have founded a cluster of its own.

mod ghosts;
mod watch;

use super::file::Wanted;
use super::table::Table;
use super::{Stack, State, refuse};
use crate::inventory::HostName;
use crate::module::Margin;
use crate::plan::{Claim, Expect, Refusal, StackExpect};
use crate::probe::Query;
pub(super) use crate::probe::stack_node::RABBITMQ as SERVICE;
use crate::probe::stack_node::{Members, Node};
use std::collections::BTreeSet;

/// How long nodes may take to find each other, in seconds.
const FORM_S: u64 = 300;

/// How long a node may take to join those that know it, in seconds.
const JOIN_S: u64 = 60;

/// The name of the node on a host: `rabbit@mq-ke2-server1`.
pub(super) fn node_on(host: &str) -> String {
    format!("rabbit@mq-{host}")
}

/// What RabbitMQ has on a host, and whether its container runs there.
pub(super) struct Broker<'a> {
    pub host: &'a HostName,
    pub node: &'a Node,
    pub runs: bool,
    /// Whether that serves: neither paused nor still coming up.
    pub serves: bool,
    /// What its own node has written down; `None` when it has left nothing.
    pub members: Option<&'a Members>,
}

impl Broker<'_> {
    /// Where it listens, in words.
    fn ports(&self) -> String {
        let ports: Vec<String> = self.node.listens.iter().map(u16::to_string).collect();
        match ports.is_empty() {
            true => "it listens on no port".to_owned(),
            false => format!("it listens on {} alone", ports.join(", ")),
        }
    }
}

/// The hosts that told.
pub(super) fn brokers<'a>(stack: &Stack, state: &'a State) -> Vec<Broker<'a>> {
    let service = format!("{}_{SERVICE}", stack.file.name());
    let told = state
        .nodes
        .iter()
        .filter_map(|(host, seen)| Some((host, seen.known()?)));
    told.map(|(host, node)| Broker {
        host,
        runs: node.runs(&service),
        serves: node.runs(&service) && node.serves(),
        members: node.rabbitmq.get(&node_on(host.as_str())),
        node,
    })
    .collect()
}

impl Table<'_> {
    fn brokers(&self) -> Vec<Broker<'_>> {
        brokers(self.stack, self.state)
    }

    fn node_claim(&self, host: &HostName, expect: StackExpect) -> Claim {
        let query = Query::StackNode(self.stack.about.clone());
        Claim::new(host, query, Expect::Stack(expect))
    }

    /// Fewer nodes of RabbitMQ than hosts on which applications may run, which use that of their own host (`AMQP_URL`).
    pub(super) fn too_few_brokers(&self, wanted: &[Wanted]) -> Option<String> {
        let service = format!("{}_{SERVICE}", self.stack.file.name());
        let want = wanted.iter().find(|want| want.name == service)?;
        let (tasks, hosts) = (want.replicas?, self.stack.members.len() as u64);
        (tasks < hosts).then(|| {
            format!(
                "RabbitMQ has {tasks} tasks on {hosts} hosts, and applications use that of their own host: those that land on another host reach none; leave `swarm_replicas` out"
            )
        })
    }

    /// Data of a node that was called otherwise: under its present name it would begin with nothing.
    pub(super) fn other_node_names(&self) -> Option<Refusal> {
        let evidence: Vec<String> = self
            .brokers()
            .iter()
            .filter(|broker| broker.members.is_none() && !broker.node.rabbitmq.is_empty())
            .map(|broker| {
                let names: Vec<&str> = broker.node.rabbitmq.keys().map(String::as_str).collect();
                format!(
                    "{}: data of {}, and its node is called {} now",
                    broker.host,
                    names.join(", "),
                    node_on(broker.host.as_str())
                )
            })
            .collect();
        (!evidence.is_empty()).then(|| refuse::other_node_names(evidence))
    }

    /// Nodes that RabbitMQ knows, and the inventory does not.
    pub(super) fn strangers(&self) -> BTreeSet<String> {
        let ours: BTreeSet<String> = self
            .stack
            .members
            .iter()
            .map(|host| node_on(host.as_str()))
            .collect();
        let brokers = self.brokers();
        let known = brokers.iter().filter(|broker| broker.runs);
        known
            .filter_map(|broker| broker.members)
            .flat_map(|known| known.all.difference(&ours).cloned())
            .collect()
    }
}

/// How many nodes there should be: one a host, and no more than tasks.
fn wanted(stack: &Stack) -> usize {
    let service = format!("{}_{SERVICE}", stack.file.name());
    let declared = stack.file.wanted();
    let replicas = declared
        .iter()
        .find(|want| want.name == service)
        .and_then(|want| want.replicas)
        .and_then(|count| usize::try_from(count).ok());
    stack.members.len().min(replicas.unwrap_or(usize::MAX))
}

/// How a node's place in the cluster reads in `provision status`, and whether it is whole: it serves, and sees all others
/// that run. What goes on without one that is missing stays worth protecting.
pub(super) fn says(stack: &Stack, state: &State, host: &HostName) -> Option<(String, bool)> {
    let brokers = brokers(stack, state);
    let broker = brokers.iter().find(|broker| broker.host == host)?;
    if !broker.runs {
        return None;
    }
    let wanted = wanted(stack);
    let seen = broker.members.map_or(0, |known| known.running.len());
    let words = match broker.serves {
        true => format!("rabbitmq sees {seen} of {wanted} nodes"),
        false => format!("rabbitmq serves nobody, and saw {seen} of {wanted} nodes"),
    };
    let sees = |other: &Broker<'_>| {
        let name = node_on(other.host.as_str());
        broker
            .members
            .is_some_and(|known| known.running.contains(&name))
    };
    let sees_all = brokers.iter().filter(|other| other.runs).all(sees);
    Some((words, broker.serves && sees_all))
}

/// Whether each host should have a node, and this one has none while others run.
pub(super) fn is_missing(stack: &Stack, state: &State, host: &HostName) -> bool {
    let brokers = brokers(stack, state);
    wanted(stack) == stack.members.len()
        && brokers.iter().any(|other| other.runs)
        && brokers.iter().any(|own| own.host == host && !own.runs)
}

/// Under `pause_minority` a minority of the nodes serves nobody.
pub(super) fn margin(stack: &Stack, state: &State) -> Option<Margin> {
    let all = wanted(stack);
    let told = state.nodes.values().any(|seen| seen.known().is_some());
    (all >= 3 && told).then(|| {
        let brokers = brokers(stack, state);
        let up = brokers
            .iter()
            .filter(|broker| broker.serves && broker.members.is_some());
        Margin::majority("nodes of RabbitMQ", all, up.count())
    })
}
