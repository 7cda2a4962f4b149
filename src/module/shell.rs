//! `shell`: a script of the user's is run by the host's `sh`, or only read from.

use super::argument::optional;
use super::command::{ALLOW_FAILURE, CHDIR, Command, READS, State, WRITES};
use super::guard::{CREATES, ONLY_IF, REMOVES, UNLESS};
use super::{Args, Context, Module, Unfit};
use crate::plan::Decision;
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need};

/// A script of the user's.
#[derive(Clone, Debug)]
pub struct Shell(Command);

impl Module for Shell {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "shell",
        cluster: false,
        registers: true,
        free_form: Some("cmd"),
        args: &[
            optional("cmd", ArgKind::Text, "The script, for the host's `sh`."),
            CHDIR,
            CREATES,
            REMOVES,
            UNLESS,
            ONLY_IF,
            WRITES,
            READS,
            ALLOW_FAILURE,
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let script = args.required("cmd")?;
        Command::build(args, context, vec![script], true).map(Self)
    }

    fn called(self, task: &str) -> Self {
        Self(self.0.called(task))
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        self.0.look(seen)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        self.0.plan(state)
    }

    fn registered(&self, state: &Self::State) -> Option<serde_json::Value> {
        self.0.registered(state)
    }
}
