//! Steps begin: a batch of one host, or the next step of a cluster task.

use super::Drive;
use super::{Finished, REPEATS};
use crate::apply::Fleet;
use crate::apply::perform::perform;
use crate::apply::schedule::Frontier;
use crate::inventory::HostName;
use crate::plan::{Class, Step, Via};
use crate::report::Event;
use futures_util::future::join_all;

impl<'e, 'a: 'e, F: Fleet> Drive<'e, 'a, F> {
    /// Starts a batch; says whether another host could be affected at once (never: it only takes its hosts).
    pub(super) fn start(&mut self, busy: Vec<HostName>, steps: Vec<(usize, Step)>) -> bool {
        if let Some((task, step)) = steps
            .first()
            .filter(|(_, step)| step.class == Class::Restart)
        {
            if self.restarting {
                return false;
            }
            if !self.engine.health_is_known() {
                self.asks_health = true;
                return false;
            }
            let (subject, id) = (step.subject.clone(), step.id.to_string());
            if let Some(gate) = self.engine.gate(*task, step) {
                if gate.opens {
                    return self.hold_up(&subject, &id, &gate.why);
                }
                self.drove.failed = true;
                let why = format!("{id} is not done now, because {}", gate.why);
                self.stop_host(&subject, why);
                return true;
            }
            self.gated.remove(&subject);
            self.restarting = true;
        }
        for (_, step) in &steps {
            let key = (step.id.to_string(), step.subject.clone());
            if self
                .performed
                .get(&key)
                .is_some_and(|times| *times >= REPEATS)
            {
                let why = format!("{} was done {REPEATS} times and is still planned", step.id);
                let subject = step.subject.clone();
                self.drove.failed = true;
                self.stop_host(&subject, why);
                return true;
            }
            if !self.engine.is_approved(step) {
                self.drove
                    .drifted
                    .push(format!("{}: {}", step.subject, step.id));
                return false;
            }
        }
        for (_, step) in &steps {
            self.report.emit(&Event::StepStarted {
                host: step.subject.clone(),
                id: step.id.clone(),
                shows: step.act.show(),
            });
        }
        let (fleet, deadline) = (self.engine.fleet, self.engine.options.settle_deadline);
        self.busy.extend(busy.iter().cloned());
        let scopes = steps
            .iter()
            .map(|(_, step)| (step.subject.clone(), step.act.writes()));
        self.acting.extend(scopes);
        let report = self.report;
        self.in_flight.push(Box::pin(async move {
            let done = |step: &Step, took| {
                report.emit(&Event::StepDone {
                    host: step.subject.clone(),
                    id: step.id.clone(),
                    class: step.class.clone(),
                    took,
                });
            };
            let hosts = by_host(steps).into_iter();
            let tried = join_all(hosts.map(|steps| perform(fleet, steps, deadline, done))).await;
            Finished::Acted(busy, tried.into_iter().flatten().collect())
        }));
        false
    }

    /// A cluster task goes on when all its members have arrived, none of them is busy, and the layers that its own needs
    /// are done on the other hosts too.
    pub(super) fn cluster(&mut self, index: usize) -> bool {
        let members: Vec<HostName> = self.engine.works[index]
            .hosts
            .iter()
            .filter(|host| !self.engine.stopped_hosts.contains_key::<HostName>(host))
            .cloned()
            .collect();
        let here = |host: &HostName| {
            !self.busy.contains(host)
                && matches!(self.engine.frontier(host), Frontier::Cluster(at) if at == index)
        };
        if !members.iter().all(here) {
            return false;
        }
        if self.refuse(index) {
            return true;
        }
        if !self.engine.is_ready(self.engine.works[index].layer) {
            return false;
        }
        let steps = self.engine.next_of_cluster(index);
        match steps.first() {
            Some(step) => match self.engine.awaited(index, step) {
                Some(wait) => self.wait(index, wait),
                None if self.yields(index, step) => false,
                None => {
                    let steps = steps.into_iter().map(|step| (index, step)).collect();
                    self.start(members, steps)
                }
            },
            None => self.next_wait(index).unwrap_or_else(|| {
                let why = "a cluster is created for all its hosts or not at all, and some of them failed, were refused, or are left out by --limit";
                self.stop_layer(self.engine.works[index].layer, why.to_owned());
                true
            }),
        }
    }
}

/// The steps that are done through each host, in order: hosts go on side by side.
fn by_host(steps: Vec<(usize, Step)>) -> Vec<Vec<(usize, Step)>> {
    let mut parts: Vec<(Via, Vec<(usize, Step)>)> = Vec::new();
    for (index, step) in steps {
        match parts.iter_mut().find(|(via, _)| *via == step.via) {
            Some((_, part)) => part.push((index, step)),
            None => parts.push((step.via.clone(), vec![(index, step)])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}
