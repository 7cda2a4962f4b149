//! The cluster that RabbitMQ's nodes form among themselves. Swarm knows nothing of it: a task that runs may
//! have joined, wait for others, be refused by them, or have founded a cluster of its own.

use super::file::Wanted;
use super::table::Table;
use super::{Stack, State, refuse};
use crate::inventory::HostName;
use crate::module::Margin;
use crate::plan::{
    Act, Claim, Class, Decision, Expect, Refusal, StackAct, StackExpect, Step, StepId, Via, Wait,
};
use crate::probe::Query;
use crate::probe::stack_node::{Members, Node};
use std::collections::BTreeSet;

/// How long nodes may take to find each other, in seconds.
const FORM_S: u64 = 300;

/// How long a node may take to join those that know it, in seconds.
const JOIN_S: u64 = 60;

/// The service, as the document calls it.
pub(super) const SERVICE: &str = "rabbitmq";

/// The name of the node on a host: `rabbit@mq-ke2-server1`.
pub(super) fn node_on(host: &str) -> String {
    format!("rabbit@mq-{host}")
}

/// What RabbitMQ has on a host, and whether its container runs there.
pub(super) struct Broker<'a> {
    pub host: &'a HostName,
    pub node: &'a Node,
    pub runs: bool,
    /// What its own node has written down; `None` when it has left nothing.
    pub members: Option<&'a Members>,
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

    /// A host without data whose node the others still know: it was replaced. They refuse it when it comes
    /// (docker-library/rabbitmq#172), so that they have to forget it before its task lands. Only a majority of those that
    /// are known can: under `pause_minority` the others stand still, and `rabbitmqctl` with them.
    pub(super) fn ghosts(&self, decision: &mut Decision) {
        let brokers = self.brokers();
        let mut alone = Vec::new();
        for ghost in &brokers {
            let name = node_on(ghost.host.as_str());
            if !ghost.node.rabbitmq.is_empty() {
                continue;
            }
            let knows = |broker: &&Broker<'_>| {
                broker.runs
                    && broker
                        .members
                        .is_some_and(|known| known.all.contains(&name))
            };
            let alive = brokers.iter().filter(knows).any(|broker| {
                broker
                    .members
                    .is_some_and(|known| known.running.contains(&name))
            });
            let Some(survivor) = brokers.iter().find(knows).filter(|_| !alive) else {
                continue;
            };
            let known = survivor.members.map(|known| &known.all);
            let counts = |broker: &&Broker<'_>| {
                let name = node_on(broker.host.as_str());
                broker.members.is_some() && known.is_some_and(|known| known.contains(&name))
            };
            let all = known.map_or(0, BTreeSet::len);
            let holders = brokers.iter().filter(counts);
            let (held, up) = (
                holders.clone().count(),
                holders.filter(|it| it.runs).count(),
            );
            let silent = self.stack.members.len() - brokers.len();
            if (held + silent) * 2 <= all {
                alone.push(format!(
                    "{}: no data of RabbitMQ, and {} still knows its node {name}",
                    ghost.host, survivor.host
                ));
                // A cluster that is being formed looks like that for a moment.
                decision.waits.push(Wait {
                    what: format!("RabbitMQ on {} sees {name}", survivor.host),
                    until: self.node_claim(
                        survivor.host,
                        StackExpect::RabbitSees(BTreeSet::from([name])),
                    ),
                    deadline_s: JOIN_S,
                });
                continue;
            }
            // Those that have their data come first.
            if up * 2 <= all {
                continue;
            }
            let act = StackAct::ForgetNode {
                service: format!("{}_{SERVICE}", self.stack.file.name()),
                node: name.clone(),
            };
            let why = format!(
                "{} has no data of RabbitMQ, and {} still knows its node {name}, which does not run",
                ghost.host, survivor.host
            );
            let id = StepId::new(&["stack", "forget", ghost.host.as_str()]);
            let step = Step::new(id, ghost.host, Class::Repair, why, Act::Stack(act))
                .via(Via::Host(survivor.host.clone()))
                .need(self.node_claim(ghost.host, StackExpect::RabbitBlank))
                .done(self.node_claim(survivor.host, StackExpect::RabbitForgot(name)));
            decision.steps.push(step);
        }
        if !alone.is_empty() {
            let (project, name) = (&self.stack.about.rabbitmq, self.stack.file.name());
            let refusal = refuse::no_majority(&format!("{name}_{SERVICE}"), project, alone);
            decision.refusals.push(refusal);
        }
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

    /// Tasks that run have to find each other; two clusters do not become one by themselves.
    pub(super) fn watch_rabbitmq(&self, decision: &mut Decision) {
        let brokers = self.brokers();
        let running: Vec<&Broker<'_>> = brokers.iter().filter(|broker| broker.runs).collect();
        let wanted: BTreeSet<String> = running
            .iter()
            .map(|broker| node_on(broker.host.as_str()))
            .collect();
        let before = decision.waits.len();
        for broker in &running {
            let sees = |known: &Members| known.running.is_superset(&wanted);
            if broker.members.is_some_and(sees) {
                continue;
            }
            let seen: Vec<&str> = broker
                .members
                .iter()
                .flat_map(|known| &known.running)
                .map(String::as_str)
                .collect();
            let expect = StackExpect::RabbitSees(wanted.clone());
            decision.waits.push(Wait {
                what: format!(
                    "RabbitMQ on {} sees {} nodes (now {})",
                    broker.host,
                    wanted.len(),
                    if seen.is_empty() {
                        "none".to_owned()
                    } else {
                        seen.join(", ")
                    }
                ),
                until: self.node_claim(broker.host, expect),
                deadline_s: FORM_S,
            });
        }
        if decision.waits.len() > before
            && let Some(refusal) = self.apart(&running)
        {
            decision.refusals.push(refusal);
        }
    }

    /// Two nodes that do not know each other.
    fn apart(&self, running: &[&Broker<'_>]) -> Option<Refusal> {
        // One that has written nothing down has not decided yet.
        let denies = |one: &Broker<'_>, other: &Broker<'_>| {
            one.members.is_some_and(|known| {
                !known.all.is_empty() && !known.all.contains(&node_on(other.host.as_str()))
            })
        };
        let apart = running.iter().any(|one| {
            running
                .iter()
                .any(|other| one.host != other.host && denies(one, other) && denies(other, one))
        });
        apart.then(|| {
            let evidence = running.iter().filter_map(|broker| {
                let known: Vec<&str> = broker.members?.all.iter().map(String::as_str).collect();
                Some(format!(
                    "{}: its cluster has {}",
                    broker.host,
                    known.join(", ")
                ))
            });
            refuse::separate_clusters(evidence.collect())
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

/// How a node's place in the cluster reads in `provision status`, and whether it is whole.
pub(super) fn says(stack: &Stack, state: &State, host: &HostName) -> Option<(String, bool)> {
    let brokers = brokers(stack, state);
    let broker = brokers.iter().find(|broker| broker.host == host)?;
    if !broker.runs {
        return None;
    }
    let wanted = wanted(stack);
    let seen = broker.members.map_or(0, |known| known.running.len());
    let words = format!("rabbitmq sees {seen} of {wanted} nodes");
    Some((words, seen + state.held(stack) >= wanted))
}

/// Under `pause_minority` a minority of the nodes serves nobody.
pub(super) fn margin(stack: &Stack, state: &State) -> Option<Margin> {
    let all = wanted(stack);
    let told = state.nodes.values().any(|seen| seen.known().is_some());
    (all >= 3 && told).then(|| {
        let brokers = brokers(stack, state);
        let up = brokers
            .iter()
            .filter(|broker| broker.runs && broker.members.is_some());
        Margin::majority("nodes of RabbitMQ", all, up.count())
    })
}
