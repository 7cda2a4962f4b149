//! `directory`: a directory is there, with this mode and owner.

use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Decision, Reach, Refusal, Step, StepId};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::path::Attributes;
use crate::probe::{Answers, Need, PathState, Seen};

/// A directory that must be there.
#[derive(Clone, Debug)]
pub struct Directory {
    host: HostName,
    path: String,
    mode: Option<u32>,
    owner: Option<String>,
    group: Option<String>,
}

impl Module for Directory {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "directory",
        cluster: false,
        registers: false,
        free_form: Some("path"),
        args: &[
            ArgSpec {
                name: "path",
                kind: ArgKind::Path,
                required: true,
                default: None,
                doc: "Where.",
            },
            ArgSpec {
                name: "mode",
                kind: ArgKind::Mode,
                required: false,
                default: None,
                doc: "Permission bits; left as they are when not given.",
            },
            ArgSpec {
                name: "owner",
                kind: ArgKind::Text,
                required: false,
                default: None,
                doc: "Owner; left as it is when not given.",
            },
            ArgSpec {
                name: "group",
                kind: ArgKind::Text,
                required: false,
                default: None,
                doc: "Group; left as it is when not given.",
            },
        ],
    };

    type State = Seen<PathState>;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        Ok(Self {
            host: context.host.clone(),
            path: args.required("path")?,
            mode: args.mode("mode")?,
            owner: args.text("owner"),
            group: args.text("group"),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = seen.path(&self.host, &*self.path);
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let mut decision = Decision::default();
        match state {
            Seen::Unknown(_) => {}
            Seen::Is(PathState::Absent) => decision.steps.push(self.make("it does not exist")),
            Seen::Is(PathState::Directory { attributes }) => {
                if let Some(why) = self.differs(attributes) {
                    let mut step = self.make(&why);
                    step.class = Class::Repair;
                    decision.steps.push(step);
                }
            }
            Seen::Is(other) => decision.refusals.push(Refusal {
                code: "H1".to_owned(),
                because: format!(
                    "{} should be a directory on {}, but something else is there",
                    self.path, self.host
                ),
                evidence: vec![format!("{}: {} is {other:?}", self.host, self.path)],
                hint: format!(
                    "look at it, move it away by hand (`mv {0} {0}.old`) and run again",
                    self.path
                ),
                reach: Reach::Hosts(vec![self.host.clone()]),
            }),
        }
        decision
    }
}

impl Directory {
    fn make(&self, why: &str) -> Step {
        let act = Act::MakeDirectory {
            path: self.path.clone(),
            mode: self.mode,
            owner: self.owner.clone(),
            group: self.group.clone(),
        };
        Step::new(
            StepId::new(&["directory", &self.path]),
            &self.host,
            Class::Create,
            why,
            act,
        )
    }

    fn differs(&self, now: &Attributes) -> Option<String> {
        super::attributes::difference(now, self.mode, self.owner.as_deref(), self.group.as_deref())
    }
}
