//! Tasks of RabbitMQ that run have still to serve, and to find each other.

use super::{Broker, FORM_S, node_on};
use crate::cluster::stack::refuse;
use crate::cluster::stack::table::Table;
use crate::plan::{Decision, Refusal, StackExpect, Wait};
use crate::probe::stack_node::Members;
use std::collections::BTreeSet;

impl Table<'_> {
    /// Tasks that run have to serve and to find each other; two clusters do not become one by themselves.
    pub(in crate::cluster::stack) fn watch_rabbitmq(&self, decision: &mut Decision) {
        let brokers = self.brokers();
        let running: Vec<&Broker<'_>> = brokers.iter().filter(|broker| broker.runs).collect();
        let wanted: BTreeSet<String> = running
            .iter()
            .map(|broker| node_on(broker.host.as_str()))
            .collect();
        let before = decision.waits.len();
        for broker in &running {
            if !broker.serves {
                if !is_outnumbered(broker, running.len()) {
                    self.await_service(broker, FORM_S, decision);
                }
                continue;
            }
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

    /// A node that runs has to come up, or to find the majority again.
    pub(super) fn await_service(&self, broker: &Broker<'_>, deadline_s: u64, to: &mut Decision) {
        let until = self.node_claim(broker.host, StackExpect::RabbitServes);
        if to.waits.iter().all(|wait| wait.until != until) {
            to.waits.push(Wait {
                what: format!("RabbitMQ on {} serves ({})", broker.host, broker.ports()),
                until,
                deadline_s,
            });
        }
    }

    /// So few nodes can run that those stand still, and will: the others are on nodes that take no tasks.
    pub(in crate::cluster::stack) fn stands_still(&self) -> Option<String> {
        let brokers = self.brokers();
        let running = brokers.iter().filter(|broker| broker.runs);
        let count = running.clone().count();
        let mut idle = running.filter(|it| !it.serves && is_outnumbered(it, count));
        let all = idle.next()?.members?.all.len();
        Some(format!(
            "{count} of the {all} nodes of RabbitMQ that know each other run: a minority serves nobody (`pause_minority`), until {} run",
            all / 2 + 1
        ))
    }

    /// Two nodes that do not know each other; or one that has a cluster without the other, which counts it in (RabbitMQ calls
    /// that `inconsistent_cluster`): it lost its data, and found nobody when it began.
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
                .filter(|other| one.host != other.host && denies(one, other))
                .any(|other| one.serves || denies(other, one))
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
}

/// Whether so few run that this one is in the minority, however they find each other.
fn is_outnumbered(broker: &Broker<'_>, running: usize) -> bool {
    broker
        .members
        .is_some_and(|known| running * 2 <= known.all.len())
}
