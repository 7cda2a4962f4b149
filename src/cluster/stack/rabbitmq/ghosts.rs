//! Nodes of RabbitMQ whose host has lost their data: the others have to forget them.

use super::{Broker, FORM_S, JOIN_S, SERVICE, node_on};
use crate::cluster::stack::refuse;
use crate::cluster::stack::table::Table;
use crate::plan::{Act, Class, Decision, StackAct, StackExpect, Step, StepId, Via, Wait};
use std::collections::BTreeSet;

/// A node that is known, and has no data.
struct Ghost<'b, 'a> {
    broker: &'b Broker<'a>,
    name: String,
    /// Those that know it and run; the first one that serves comes first.
    knowing: Vec<&'b Broker<'a>>,
    /// Those of its cluster that have their data.
    holders: Vec<&'b Broker<'a>>,
    /// How many nodes its cluster has.
    all: usize,
}

impl Table<'_> {
    /// A host without data whose node the others still know: it was replaced. They refuse it when it comes
    /// (docker-library/rabbitmq#172), so that they have to forget it before its task lands. Only a majority of those that
    /// are known can, and one that serves: under `pause_minority` the others stand still, and `rabbitmqctl` with them.
    pub(in crate::cluster::stack) fn ghosts(&self, decision: &mut Decision) {
        let brokers = self.brokers();
        let silent = self.stack.members.len() - brokers.len();
        let mut alone = Vec::new();
        for ghost in brokers.iter().filter_map(|it| find(it, &brokers)) {
            if (ghost.holders.len() + silent) * 2 <= ghost.all {
                alone.extend(self.is_alone(&ghost, decision));
            } else {
                self.forget(&ghost, decision);
            }
        }
        if !alone.is_empty() {
            let (project, name) = (&self.stack.about.rabbitmq, self.stack.file.name());
            alone.extend(brokers.iter().filter_map(stands_still));
            let refusal = refuse::no_majority(&format!("{name}_{SERVICE}"), project, alone);
            decision.refusals.push(refusal);
        }
    }

    /// Those that could forget it are a minority. A cluster that is being formed looks like that for a moment.
    fn is_alone(&self, ghost: &Ghost<'_, '_>, decision: &mut Decision) -> Option<String> {
        let (survivor, name) = (ghost.knowing.first()?, &ghost.name);
        decision.waits.push(Wait {
            what: format!("RabbitMQ on {} sees {name}", survivor.host),
            until: self.node_claim(
                survivor.host,
                StackExpect::RabbitSees(BTreeSet::from([name.clone()])),
            ),
            deadline_s: JOIN_S,
        });
        Some(format!(
            "{}: no data of RabbitMQ, and {} still knows its node {name}",
            ghost.broker.host, survivor.host
        ))
    }

    fn forget(&self, ghost: &Ghost<'_, '_>, decision: &mut Decision) {
        let majority = |serves: bool| {
            let up = ghost.holders.iter().filter(|it| it.serves || !serves);
            up.filter(|it| it.runs).count() * 2 > ghost.all
        };
        // Those that have their data come first.
        if !majority(false) {
            return;
        }
        let Some(survivor) = ghost.knowing.first().filter(|_| majority(true)) else {
            for idle in ghost.holders.iter().filter(|it| it.runs && !it.serves) {
                self.await_service(idle, FORM_S, decision);
            }
            return;
        };
        let (host, name) = (ghost.broker.host, &ghost.name);
        let act = StackAct::ForgetNode {
            service: format!("{}_{SERVICE}", self.stack.file.name()),
            node: name.clone(),
        };
        let why = format!(
            "{host} has no data of RabbitMQ, and {} still knows its node {name}, which does not run",
            survivor.host
        );
        let id = StepId::new(&["stack", "forget", host.as_str()]);
        let step = Step::new(id, host, Class::Repair, why, Act::Stack(act))
            .via(Via::Host(survivor.host.clone()))
            .need(self.node_claim(host, StackExpect::RabbitBlank))
            .need(self.node_claim(survivor.host, StackExpect::RabbitServes))
            .done(self.node_claim(survivor.host, StackExpect::RabbitForgot(name.clone())));
        decision.steps.push(step);
    }
}

/// Whether the node of this host is a ghost to the others.
fn find<'b, 'a>(broker: &'b Broker<'a>, brokers: &'b [Broker<'a>]) -> Option<Ghost<'b, 'a>> {
    if !broker.node.rabbitmq.is_empty() {
        return None;
    }
    let name = node_on(broker.host.as_str());
    let knows =
        |one: &&Broker<'_>| one.runs && one.members.is_some_and(|known| known.all.contains(&name));
    let mut knowing: Vec<&Broker<'a>> = brokers.iter().filter(knows).collect();
    knowing.sort_by_key(|one| !one.serves);
    let alive = knowing
        .iter()
        .filter_map(|one| one.members)
        .any(|known| known.running.contains(&name));
    let known = &knowing.first().filter(|_| !alive)?.members?.all;
    let holds =
        |one: &&Broker<'_>| one.members.is_some() && known.contains(&node_on(one.host.as_str()));
    Some(Ghost {
        broker,
        name,
        holders: brokers.iter().filter(holds).collect(),
        all: known.len(),
        knowing,
    })
}

/// What is seen of a node that has its data, and is one of too few.
fn stands_still(broker: &Broker<'_>) -> Option<String> {
    broker.members?;
    let says = match (broker.runs, broker.serves) {
        (false, _) => "and its task does not run".to_owned(),
        (true, false) => format!("and its node serves nobody ({})", broker.ports()),
        (true, true) => "and its node serves".to_owned(),
    };
    Some(format!("{}: data of RabbitMQ, {says}", broker.host))
}
