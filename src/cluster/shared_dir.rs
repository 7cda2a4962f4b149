//! `shared_dir`: the directory that all hosts share is mounted on each, and has its sub-directories.
//!
//! They are made through one host: the others see them by the share itself.

use super::share::{LOCAL, MOUNTED_BEFORE, Mounted, Mounts, SHARE, Share};
use crate::inventory::HostName;
use crate::module::{Args, Context, Health, Light, MemberHealth, Module, Unfit};
use crate::plan::{Act, Class, Decision, Reach, Refusal, Step, StepId};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::{Answers, Need, PathState, Seen};
use std::collections::BTreeMap;

/// A shared directory.
#[derive(Clone, Debug)]
pub struct SharedDir {
    share: Share,
    hosts: Vec<HostName>,
    directories: Vec<String>,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct State {
    mounts: Mounts,
    directories: BTreeMap<String, Seen<PathState>>,
}

impl Module for SharedDir {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "shared_dir",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            SHARE,
            MOUNTED_BEFORE,
            LOCAL,
            ArgSpec {
                name: "directories",
                kind: ArgKind::List(&ArgKind::Path),
                required: false,
                default: None,
                doc: "Directories on it; those outside it are left out.",
            },
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let share = Share::from_args(args);
        let below = |path: &String| {
            path.strip_prefix(&share.path)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        Ok(Self {
            directories: args.list("directories").into_iter().filter(below).collect(),
            hosts: context.group.to_vec(),
            share,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let mounts = self.share.look(seen, &self.hosts)?;
        let directories = match self.share.reader(&mounts) {
            Some(host) => self
                .directories
                .iter()
                .map(|path| (path.clone(), seen.path(host, &**path)))
                .collect(),
            None => BTreeMap::new(),
        };
        seen.settle(State {
            mounts,
            directories,
        })
    }

    fn plan(&self, state: &State) -> Decision {
        let mut decision = Decision::default();
        let evidence: Vec<String> = state
            .mounts
            .iter()
            .filter_map(|(host, seen)| match self.share.mounted(seen) {
                Mounted::No(why) => Some(format!("{host}: {why}")),
                _ => None,
            })
            .collect();
        if !evidence.is_empty() {
            decision.refusals.push(self.share.refuse(evidence));
            return decision;
        }
        let (Some(host), Some(reader)) = (state.mounts.writer(), self.share.reader(&state.mounts))
        else {
            return decision;
        };
        for path in &self.directories {
            match state.directories.get(path) {
                Some(Seen::Is(PathState::Directory { .. })) => {}
                Some(Seen::Is(PathState::Absent)) => {
                    let act = Act::MakeDirectory {
                        path: path.clone(),
                        mode: Some(0o755),
                        owner: None,
                        group: None,
                    };
                    let id = StepId::new(&["shared_dir", "make", path.trim_start_matches('/')]);
                    let step = Step::new(id, host, Class::Create, "it does not exist", act);
                    decision.steps.push(self.share.guard(step, &state.mounts));
                }
                Some(Seen::Is(_)) => decision.refusals.push(Refusal {
                    code: "K2".to_owned(),
                    because: format!("{path} is no directory, and what is there is not replaced"),
                    evidence: vec![format!("{reader}: something else is at {path}")],
                    hint: format!(
                        "look at it (`ls -ld {path}`), move it away by hand and run again"
                    ),
                    reach: Reach::Layer,
                }),
                Some(Seen::Unknown(_)) | None => {}
            }
        }
        decision
    }

    fn health(&self, state: &State) -> Option<Health> {
        let members = state.mounts.iter().map(|(host, seen)| {
            let (light, says) = match (self.share.mounted(seen), seen) {
                (Mounted::Yes, Seen::Is(found)) => (
                    Light::Green,
                    format!(
                        "{} on {} ({})",
                        self.share.path, found.mount_point, found.kind
                    ),
                ),
                (Mounted::Silent(why), _) => (Light::Unknown, format!("did not answer: {why}")),
                (Mounted::No(why), _) => (Light::Red, why),
                (Mounted::Later | Mounted::Yes, _) => {
                    (Light::Red, format!("{} is not mounted", self.share.path))
                }
            };
            MemberHealth {
                host: host.clone(),
                light,
                says,
            }
        });
        Some(Health {
            layer: "shared directory".to_owned(),
            members: members.collect(),
            margin: None,
        })
    }
}
