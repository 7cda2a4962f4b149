//! The decision table of a stack (DOMAIN 2.4): what runs, against what is declared.

use super::file::{StackFile, Wanted};
use super::{Stack, State, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Advice, Allow, Claim, Class, Content, Decision, Expect, StackAct, StackExpect, Step,
    StepId, Via, Wait,
};
use crate::probe::stack::{Service, Stack as Running, Task};
use crate::probe::{Query, Seen};
use std::collections::{BTreeMap, BTreeSet};

/// The first client that keeps `host.docker.internal` (docker/cli#4859, backported by #4910).
const OLDEST_CLIENT: [u64; 3] = [25, 0, 4];

/// How long tasks may take to run, in seconds: an image may have to come, and a database to be filled.
const START_S: u64 = 900;

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
            let refusal = refuse::no_manager(stack, vec![format!("{host}: {why}")]);
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

struct Table<'a> {
    stack: &'a Stack,
    state: &'a State,
    speaker: &'a HostName,
    running: &'a Running,
    /// Whether the Swarm does not exist yet.
    assumed: bool,
}

impl Table<'_> {
    fn services(&self) -> &BTreeMap<String, Service> {
        static NONE: BTreeMap<String, Service> = BTreeMap::new();
        self.running.services.as_ref().unwrap_or(&NONE)
    }

    fn converge(&self, decision: &mut Decision) {
        let wanted = self.stack.file.wanted();
        self.check(&wanted, decision);
        if !decision.refusals.is_empty() {
            return;
        }
        decision.steps.extend(self.pulls());
        let stale = self.stale(&wanted);
        if stale.is_empty() {
            self.watch(&wanted, decision);
        } else {
            self.deploy(&stale, decision);
        }
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
            let stopped = [
                "paused",
                "rollback_paused",
                "rollback_started",
                "rollback_completed",
            ];
            let allowed = Allow::any(&self.stack.allowed, "resume-service", name, &service.update);
            if stopped.contains(&&*service.update) && !allowed {
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
    }

    /// Services that carry our label, and differ from what it stands for.
    fn by_hand(&self, wanted: &[Wanted]) -> Vec<(String, Vec<String>)> {
        let differs = |want: &Wanted| {
            let service = self.services().get(&want.name)?;
            if service.spec != want.spec {
                return None;
            }
            let mut found = Vec::new();
            if service.replicas != want.replicas {
                let count = |count: Option<u64>| {
                    count.map_or("one a node".to_owned(), |count| count.to_string())
                };
                found.push(format!(
                    "{}: {} tasks instead of {}",
                    want.name,
                    count(service.replicas),
                    count(want.replicas)
                ));
            }
            if service.environment != want.environment {
                found.push(format!("{}: another environment", want.name));
            }
            if service.configs != want.configs {
                found.push(format!("{}: other configs", want.name));
            }
            (!found.is_empty()).then(|| (want.name.clone(), found))
        };
        wanted.iter().filter_map(differs).collect()
    }

    fn tasks(&self, service: &str) -> impl Iterator<Item = &Task> {
        self.running
            .tasks
            .iter()
            .filter(move |task| task.service() == service)
    }

    /// Images that a host has not, so that its tasks would wait for them one after the other.
    fn pulls(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for image in self.stack.file.images() {
            let known = self.state.images.get(&image);
            for host in &self.stack.members {
                let seen = known.and_then(|by_host| by_host.get(host));
                let no_engine =
                    self.state.engines.get(host).is_some_and(|seen| {
                        seen.known().is_some_and(|docker| docker.engine.is_none())
                    });
                match seen {
                    Some(Seen::Is(None)) => {}
                    None if no_engine => {}
                    _ => continue,
                }
                let object = image.rsplit('/').next().unwrap_or(&image);
                let (verb, act) = match &self.stack.archives {
                    None => (
                        "pull",
                        StackAct::Pull {
                            image: image.clone(),
                        },
                    ),
                    Some(folder) => {
                        let name = object.split('@').next().unwrap_or(object);
                        let archive = format!(
                            "{}/{}.tar",
                            folder.trim_end_matches('/'),
                            name.replace(':', "-")
                        );
                        let image = image.clone();
                        ("load", StackAct::Load { image, archive })
                    }
                };
                let step = Step::new(
                    StepId::new(&["stack", verb, object]),
                    host,
                    Class::Create,
                    "the host does not have it",
                    Act::Stack(act),
                )
                .done(Claim::new(
                    host,
                    Query::Image(image.clone()),
                    Expect::Stack(StackExpect::HasImage),
                ));
                steps.push(match no_engine {
                    true => step.assume("the engine runs by then, and has no image yet"),
                    false => step,
                });
            }
        }
        steps
    }

    /// Services that are not what is declared, and how.
    fn stale(&self, wanted: &[Wanted]) -> BTreeMap<String, String> {
        let by_hand: BTreeSet<String> = self
            .by_hand(wanted)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let why = |want: &Wanted| {
            let why = match self.services().get(&want.name) {
                None => "is not there",
                Some(service) if service.spec.is_empty() => "was deployed by another tool",
                Some(service) if service.spec != want.spec => "is declared differently",
                Some(_) if by_hand.contains(&want.name) => "was changed by hand",
                Some(service) if service.update == "paused" => "has an update that stopped",
                Some(_) => return None,
            };
            Some((want.name.clone(), why.to_owned()))
        };
        wanted.iter().filter_map(why).collect()
    }

    fn deploy(&self, stale: &BTreeMap<String, String>, decision: &mut Decision) {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, why) in stale {
            reasons.entry(why).or_default().push(name);
        }
        let reasons: Vec<String> = reasons
            .into_iter()
            .map(|(why, names)| format!("{} {why}", names.join(", ")))
            .collect();
        let why = reasons.join("; ");
        // Where tasks do not run, a deployment interrupts nothing: it may be what mends them, and the
        // health gate must not hold it back for the sickness that it ends.
        let well = self
            .expected(&self.stack.file.wanted())
            .is_some_and(|expected| {
                expected
                    .iter()
                    .all(|(name, count)| self.running.running(name) >= *count)
            });
        let class = match (self.services().is_empty(), well) {
            (true, _) => Class::Create,
            (false, true) => Class::Restart,
            (false, false) => Class::Repair,
        };
        let mut filled = None;
        if self.is_first() {
            let careful = self.stack.file.careful();
            let key = self.key_claim();
            let declared = careful.wanted();
            if self.stale(&declared).is_empty() {
                // The tasks first: what they say is what a person wants to read while nothing comes.
                self.watch(&declared, decision);
                if decision.waits.is_empty() {
                    decision.waits.push(Wait {
                        what: format!(
                            "the application writes its secret key into {}",
                            self.stack.key
                        ),
                        until: key.clone(),
                        deadline_s: START_S,
                    });
                }
            } else {
                let why = "the secret key is empty: one task of each service first, so that only one writes it";
                let step = self.step("first", class.clone(), why, &careful);
                decision.steps.push(step);
            }
            filled = Some(key);
        }
        let step = self.step("deploy", class, &why, &self.stack.file);
        decision.steps.push(match filled {
            Some(claim) => step.need(claim),
            None => step,
        });
    }

    /// Whether the application has still to write its key.
    fn is_first(&self) -> bool {
        let unfilled = self.assumed || self.state.key_is_filled() == Some(false);
        let careful = self.stack.file.careful();
        let never_whole = self.stack.file.wanted().iter().any(|want| {
            self.services()
                .get(&want.name)
                .is_none_or(|service| service.spec != want.spec)
        });
        unfilled && never_whole && careful.wanted() != self.stack.file.wanted()
    }

    fn key_claim(&self) -> Claim {
        let host = self.state.key.as_ref().map(|(host, _)| host);
        Claim::new(
            host.unwrap_or(self.speaker),
            Query::Path(self.stack.key.clone()),
            Expect::Stack(StackExpect::FileFilled),
        )
    }

    fn via(&self) -> Via {
        Via::AnyManager(if self.state.speakers.is_empty() {
            self.stack.managers.clone()
        } else {
            self.state.speakers.clone()
        })
    }

    fn query(&self) -> Query {
        Query::Stack(self.stack.file.name().to_owned())
    }

    fn step(&self, verb: &str, class: Class, why: &str, file: &StackFile) -> Step {
        let specs = file
            .wanted()
            .into_iter()
            .map(|want| (want.name, want.spec))
            .collect();
        let act = Act::Stack(StackAct::Deploy {
            stack: file.name().to_owned(),
            folder: self.stack.folder.clone(),
            document: Content {
                bytes: file.text().into_bytes(),
                secret: true,
            },
            shown: file.shown(),
            files: file.files.clone(),
        });
        let step = Step::new(
            StepId::new(&["stack", verb, file.name()]),
            self.speaker,
            class,
            why,
            act,
        )
        .via(self.via())
        .done(Claim::new(
            self.speaker,
            self.query(),
            Expect::Stack(StackExpect::Deployed(specs)),
        ));
        if self.assumed {
            step.assume("the Swarm exists by then, and has no stack")
        } else {
            step
        }
    }

    /// Deployed as declared: what is left is to wait for tasks.
    fn watch(&self, wanted: &[Wanted], decision: &mut Decision) {
        let Some(expected) = self.expected(wanted) else {
            return;
        };
        let until = Claim::new(
            self.speaker,
            self.query(),
            Expect::Stack(StackExpect::Runs(expected)),
        );
        if until.holds(&Seen::Is(crate::probe::Answer::Stack(self.running.clone()))) {
            return;
        }
        decision.waits.push(Wait {
            what: format!(
                "the tasks of {} run{}",
                self.stack.file.name(),
                self.troubles()
            ),
            until,
            deadline_s: START_S,
        });
    }

    /// How many tasks can run of each service: no more than there are nodes for them.
    fn expected(&self, wanted: &[Wanted]) -> Option<BTreeMap<String, usize>> {
        expected(self.stack, self.state, wanted)
    }

    /// The tasks that do not run, and what they say.
    fn troubles(&self) -> String {
        let mut told: Vec<String> = Vec::new();
        for task in &self.running.tasks {
            if task.runs() || (task.desired == "shutdown" && task.error.is_empty()) {
                continue;
            }
            let mut words = format!("{} {}", task.name, task.state);
            if !task.node.is_empty() {
                words.push_str(&format!(" on {}", task.node));
            }
            if !task.error.is_empty() {
                words.push_str(&format!(": {}", task.error));
            }
            told.push(words);
        }
        if told.is_empty() {
            String::new()
        } else {
            format!(" ({})", told.join("; "))
        }
    }

    /// Configs of ours that nothing declares any more: their names have the hash of another content.
    fn prune(&self) -> Option<Step> {
        let declared = self.stack.file.configs();
        let kept: BTreeSet<&String> = self
            .services()
            .iter()
            .filter(|(name, _)| !self.is_declared(name))
            .flat_map(|(_, service)| &service.configs)
            .collect();
        let names: BTreeSet<String> = self
            .running
            .configs
            .iter()
            .filter(|name| !declared.contains(*name) && !kept.contains(name))
            .filter(|name| is_ours(name, &self.stack.project))
            .cloned()
            .collect();
        if names.is_empty() {
            return None;
        }
        let listed: Vec<&str> = names.iter().map(String::as_str).collect();
        let why = format!("no service declares {} any more", listed.join(", "));
        let id = StepId::new(&["stack", "prune", self.stack.file.name()]);
        let act = Act::Stack(StackAct::PruneConfigs {
            names: names.clone(),
        });
        let done = Claim::new(
            self.speaker,
            self.query(),
            Expect::Stack(StackExpect::WithoutConfigs(names)),
        );
        let step = Step::new(id, self.speaker, Class::Repair, why, act);
        Some(step.via(self.via()).done(done))
    }

    fn is_declared(&self, service: &str) -> bool {
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
        for name in self
            .services()
            .keys()
            .filter(|name| !self.is_declared(name))
        {
            advise(
                "K16",
                format!(
                    "{name} belongs to the stack, and nothing declares it: it is left alone; `docker service rm {name}` removes it"
                ),
            );
        }
        if let (Some(expected), Some(eligible)) =
            (self.expected(wanted), self.state.eligible(self.stack))
        {
            for want in wanted {
                let full = want.replicas.unwrap_or_default();
                let count = expected.get(&want.name).copied().unwrap_or_default();
                if (count as u64) < full {
                    advise(
                        "K18",
                        format!(
                            "{} has {count} of {full} tasks: {} of the stack's nodes can take tasks, and no node takes more than {}",
                            want.name,
                            eligible.len(),
                            want.most_per_node.unwrap_or(1)
                        ),
                    );
                }
            }
        }
    }

    fn remove(&self, decision: &mut Decision) {
        let name = self.stack.file.name();
        if self.running.is_gone() {
            return;
        }
        if !Allow::any(&self.stack.allowed, "remove-stack", name, "") {
            let refusal = refuse::removal(name, self.services().len());
            decision.refusals.push(refusal);
            return;
        }
        let act = Act::Stack(StackAct::Remove {
            stack: name.to_owned(),
        });
        let why = "it is declared absent, and its removal is allowed";
        let class = Class::Destroy(format!("stack {name}"));
        let id = StepId::new(&["stack", "remove", name]);
        let done = Claim::new(self.speaker, self.query(), Expect::Stack(StackExpect::Gone));
        let step = Step::new(id, self.speaker, class, why, act);
        decision.steps.push(step.via(self.via()).done(done));
    }
}

/// How many tasks each service can have; `None` when no roster tells.
pub(super) fn expected(
    stack: &Stack,
    state: &State,
    wanted: &[Wanted],
) -> Option<BTreeMap<String, usize>> {
    let eligible = state.eligible(stack)?.len() as u64;
    let count = |want: &Wanted| {
        let room = match want.most_per_node {
            Some(most) => eligible.saturating_mul(most),
            None if eligible == 0 => 0,
            None => u64::MAX,
        };
        let count = want.replicas.unwrap_or(eligible).min(room);
        (
            want.name.clone(),
            usize::try_from(count).unwrap_or(usize::MAX),
        )
    };
    Some(wanted.iter().map(count).collect())
}

fn is_old(version: &str) -> bool {
    let mut parts = version
        .split(['.', '-', '+', '~'])
        .map(|part| part.parse().unwrap_or(0));
    let version = [(); 3].map(|()| parts.next().unwrap_or(0));
    version < OLDEST_CLIENT
}

/// `swarm_nginx-config_0a1b2c3d`
fn is_ours(name: &str, project: &str) -> bool {
    let hash = name
        .strip_prefix(project)
        .and_then(|rest| rest.strip_prefix('_'))
        .and_then(|rest| rest.rsplit_once('_'))
        .map(|(_, hash)| hash);
    hash.is_some_and(|hash| hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
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

    #[test]
    fn only_configs_with_a_hash_are_ours() {
        assert!(is_ours("swarm_nginx-config_0a1b2c3d", "swarm"));
        assert!(!is_ours("swarm_nginx-config", "swarm"));
        assert!(!is_ours("other_nginx-config_0a1b2c3d", "swarm"));
        assert!(!is_ours("swarm_nginx-config_0a1b2c3x", "swarm"));
    }
}
