//! `directory`: a directory is there, with this mode and owner.

use super::argument::needed;
use super::attributes::{GROUP, MODE, OWNER, Wanted};
use super::managed_file::{in_the_way, object};
use super::origin::{self, COMES_WITH, Origin};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Decision, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, PathState, Seen};

/// A directory that must be there.
#[derive(Clone, Debug)]
pub struct Directory {
    host: HostName,
    path: String,
    wanted: Wanted,
    origin: Origin,
}

impl Module for Directory {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "directory",
        cluster: false,
        registers: false,
        free_form: Some("path"),
        args: &[
            needed(
                "path",
                ArgKind::Path,
                "Where; missing parents are made too.",
            ),
            MODE,
            OWNER,
            GROUP,
            COMES_WITH,
        ],
    };

    type State = (Seen<PathState>, origin::Sight);

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        Ok(Self {
            host: context.host.clone(),
            path: args.required("path")?,
            wanted: Wanted::from_args(args)?,
            origin: Origin::from_args(args)?,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let path = seen.path(&self.host, &*self.path);
        let origin = self.origin.look(&self.host, &path, seen);
        seen.settle((path, origin))
    }

    fn plan(&self, (state, origin): &Self::State) -> Decision {
        let mut decision = Decision::default();
        match state {
            Seen::Unknown(_) => {}
            Seen::Is(PathState::Absent) => {
                decision
                    .steps
                    .push(self.make("it does not exist", Class::Create));
            }
            Seen::Is(PathState::Directory { attributes }) => {
                if let Some(why) = self.wanted.difference(attributes) {
                    decision
                        .steps
                        .push(self.make(&format!("its {why}"), Class::Repair));
                }
            }
            Seen::Is(other) => return in_the_way(&self.host, &self.path, other).into(),
        }
        self.origin.correct(origin, decision)
    }
}

impl Directory {
    fn make(&self, why: &str, class: Class) -> Step {
        let act = Act::MakeDirectory {
            path: self.path.clone(),
            mode: self.wanted.mode,
            owner: self.wanted.owner.clone(),
            group: self.wanted.group.clone(),
        };
        let id = StepId::new(&["directory", object(&self.path)]);
        Step::new(id, &self.host, class, why, act)
    }
}
