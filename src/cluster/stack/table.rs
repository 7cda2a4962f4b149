//! The decision table of a stack (DOMAIN 2.4): what runs, against what is declared.

use super::drift::STOPPED;
use super::file::Wanted;
use super::{Stack, State, refuse};
use crate::cluster::swarm::{majority, until_led};
use crate::inventory::HostName;
use crate::plan::{Advice, Allow, Decision, Reach, Via, Wait};
use crate::probe::stack::{Service, Stack as Running, Task};
use crate::probe::{Query, Seen};
use std::collections::BTreeMap;

/// The first client that keeps `host.docker.internal` (docker/cli#4859, backported by #4910).
const OLDEST_CLIENT: [u64; 3] = [25, 0, 4];

pub(super) fn decide(stack: &Stack, state: &State) -> Decision {
    let mut decision = Decision::default();
    let nothing = Running {
        services: Some(BTreeMap::new()),
        ..Running::default()
    };
    let (speaker, running, assumed) = match (state.speakers.first(), &state.stack) {
        (Some(host), Some(Seen::Is(running))) if running.services.is_some() => {
            (host, running, false)
        }
        (Some(host), seen) => {
            let why = match seen {
                Some(Seen::Is(running)) => running.error.clone(),
                Some(Seen::Unknown(why)) => why.clone(),
                None => String::new(),
            };
            let mut refusal = refuse::no_manager(stack, vec![format!("{host}: {why}")]);
            if let Some(election) = election(stack, state) {
                decision.waits.push(election);
                refusal.reach = Reach::LayerAfterWaits;
            }
            decision.refusals.push(refusal);
            return decision;
        }
        (None, _) => match (stack.managers.first(), no_swarm_yet(state)) {
            (Some(host), true) => (host, &nothing, true),
            _ => {
                let evidence = no_answers(state);
                decision.refusals.push(refuse::no_manager(stack, evidence));
                return decision;
            }
        },
    };
    let table = Table {
        stack,
        state,
        speaker,
        running,
        assumed,
    };
    if stack.present {
        table.converge(&mut decision);
    } else {
        table.remove(&mut decision);
    }
    decision
}

/// Every host answered, and none shows a trace of a swarm.
fn no_swarm_yet(state: &State) -> bool {
    state
        .engines
        .values()
        .all(|seen| seen.known().is_some_and(crate::plan::no_swarm))
}

/// Enough managers run, and have no leader: they may be about to elect one, which the layer of the Swarm waits for.
fn election(stack: &Stack, state: &State) -> Option<Wait> {
    let has_leader = matches!(&state.roster, Some(Seen::Is(roster)) if roster.nodes.is_some());
    if has_leader || state.speakers.len() < majority(stack.managers.len()) {
        return None;
    }
    let host = state.speakers.first()?;
    let engine = state.engines[host].known()?.engine.as_ref()?;
    let what = format!(
        "a leader of the Swarm's managers tells what runs of the stack {}",
        stack.file.name()
    );
    Some(until_led(host, &engine.swarm.node_id, what))
}

fn no_answers(state: &State) -> Vec<String> {
    state
        .engines
        .iter()
        .map(|(host, seen)| match seen {
            Seen::Unknown(why) => format!("{host}: {why}"),
            Seen::Is(docker) => {
                let swarm = docker.engine.as_ref().map(|engine| &engine.swarm);
                let says = swarm.map_or(docker.silent.clone(), |swarm| {
                    format!("{} {}", swarm.local_node_state, swarm.error)
                });
                format!("{host}: {}", says.trim())
            }
        })
        .collect()
}

pub(super) struct Table<'a> {
    pub stack: &'a Stack,
    pub state: &'a State,
    pub speaker: &'a HostName,
    pub running: &'a Running,
    /// Whether the Swarm does not exist yet.
    pub assumed: bool,
}

impl Table<'_> {
    pub(super) fn services(&self) -> &BTreeMap<String, Service> {
        static NONE: BTreeMap<String, Service> = BTreeMap::new();
        self.running.services.as_ref().unwrap_or(&NONE)
    }

    fn converge(&self, decision: &mut Decision) {
        let wanted = self.stack.file.wanted();
        self.check(&wanted, decision);
        if !decision.refusals.is_empty() {
            return;
        }
        self.ghosts(decision);
        if self.leftovers(decision) {
            return;
        }
        let stale = self.stale(&wanted);
        if stale.is_empty() {
            self.watch(&wanted, decision);
        } else {
            self.deploy(&stale, decision);
        }
        decision.steps.extend(self.orphans());
        decision.steps.extend(self.prune());
        self.advise(&wanted, decision);
    }

    /// What forbids a deployment, and what was changed without us.
    fn check(&self, wanted: &[Wanted], decision: &mut Decision) {
        if !self.running.client.is_empty() && is_old(&self.running.client) {
            let refusal = refuse::old_client(self.speaker, &self.running.client);
            decision.refusals.push(refusal);
        }
        for (image, by_host) in &self.state.images {
            decision
                .refusals
                .extend(refuse::different_images(image, by_host));
        }
        for (name, service) in self.services() {
            let allowed = Allow::any(&self.stack.allowed, "resume-service", name, &service.update);
            if STOPPED.contains(&&*service.update) && !allowed {
                let tasks: Vec<&Task> = self.tasks(name).collect();
                let refusal = refuse::stopped_update(name, service, &tasks);
                decision.refusals.push(refusal);
            }
        }
        for (name, differences) in self.by_hand(wanted) {
            if !Allow::any(&self.stack.allowed, "revert-service", &name, "") {
                decision.refusals.push(refuse::by_hand(&name, differences));
            }
        }
        decision.refusals.extend(self.other_node_names());
    }

    pub(super) fn tasks(&self, service: &str) -> impl Iterator<Item = &Task> {
        self.running
            .tasks
            .iter()
            .filter(move |task| task.service() == service)
    }

    pub(super) fn via(&self) -> Via {
        Via::AnyManager(if self.state.speakers.is_empty() {
            self.stack.managers.clone()
        } else {
            self.state.speakers.clone()
        })
    }

    pub(super) fn query(&self) -> Query {
        Query::Stack(self.stack.file.name().to_owned())
    }

    pub(super) fn is_declared(&self, service: &str) -> bool {
        self.stack
            .file
            .wanted()
            .iter()
            .any(|want| want.name == service)
    }

    fn advise(&self, wanted: &[Wanted], decision: &mut Decision) {
        let mut advise = |code: &str, text: String| {
            decision.advice.push(Advice {
                code: code.to_owned(),
                host: None,
                text,
            });
        };
        for name in self.undeclared() {
            advise(
                "K16",
                format!(
                    "{name} belongs to the stack, and nothing declares it: it is left alone; --allow remove-service={name} removes it"
                ),
            );
        }
        for node in self.strangers() {
            advise(
                "K23",
                format!(
                    "RabbitMQ knows the node {node}, which belongs to no host of the inventory: when it is gone for good, `rabbitmqctl forget_cluster_node {node}` in one of its containers"
                ),
            );
        }
        if let Some(few) = self.too_few_brokers(wanted) {
            advise("K25", few);
        }
        if let Some(few) = self.stands_still() {
            advise("K26", few);
        }
        let (Some(expected), Some(eligible)) =
            (self.expected(wanted), self.state.eligible(self.stack))
        else {
            return;
        };
        let few: Vec<String> = wanted
            .iter()
            .filter_map(|want| {
                let full = want.replicas.unwrap_or_default();
                let count = expected.get(&want.name).copied().unwrap_or_default();
                ((count as u64) < full).then(|| format!("{} {count} of {full}", want.name))
            })
            .collect();
        if !few.is_empty() {
            advise(
                "K18",
                format!(
                    "{} of the stack's {} nodes can take tasks, so that there are fewer than declared: {}",
                    eligible.len(),
                    self.stack.members.len(),
                    few.join(", ")
                ),
            );
        }
    }
}

fn is_old(version: &str) -> bool {
    let mut parts = version
        .split(['.', '-', '+', '~'])
        .map(|part| part.parse().unwrap_or(0));
    let version = [(); 3].map(|()| parts.next().unwrap_or(0));
    version < OLDEST_CLIENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_old_before_25_0_4() {
        for old in ["24.0.9", "25.0.3", "20.10.24+dfsg1"] {
            assert!(is_old(old), "{old}");
        }
        for new in ["25.0.4", "25.0.5-1", "26.1.5", "28.2.2", "29.0.0-rc.1"] {
            assert!(!is_old(new), "{new}");
        }
    }
}
