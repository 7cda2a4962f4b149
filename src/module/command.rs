//! `command`: a program of the user's is run, or only read from.

use super::argument::{PATHS, TEXTS, defaulted, optional};
use super::guard::{self, CREATES, Guards, ONLY_IF, REMOVES, UNLESS};
use super::refusal::{READING_FAILED, refuse};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Advice, Class, Decision, Step, StepId};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::shell::{CommandLine, Outcome};
use crate::probe::{Answers, Need, Seen};
use serde_json::{Value, json};

/// Code of the advice about a command that nothing guards.
pub const RUNS_EVERY_TIME: &str = "H18";

pub(super) const CHDIR: ArgSpec = optional("chdir", ArgKind::Path, "The folder that it runs in.");

pub(super) const WRITES: ArgSpec = optional(
    "writes",
    PATHS,
    "All that it may change; what is known about the rest of the host stays known.",
);

pub(super) const READS: ArgSpec = defaulted(
    "reads",
    ArgKind::Bool,
    "false",
    "Whether it only reads: it runs while looking, in a dry run too, and `register` keeps its output.",
);

pub(super) const ALLOW_FAILURE: ArgSpec = defaulted(
    "allow_failure",
    ArgKind::Bool,
    "false",
    "Whether a reading may fail.",
);

/// A command of the user's.
#[derive(Clone, Debug)]
pub struct Command {
    module: &'static str,
    host: HostName,
    /// The task's name, when it has one.
    called: Option<String>,
    line: CommandLine,
    guards: Guards,
    writes: Option<Vec<String>>,
    reads: bool,
    allow_failure: bool,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub enum State {
    /// What its guards say.
    Guarded(Box<guard::Sight>),
    /// What the reading brought.
    Read(Seen<Outcome>),
}

impl Module for Command {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "command",
        cluster: false,
        registers: true,
        free_form: Some("cmd"),
        args: &[
            optional(
                "cmd",
                ArgKind::Text,
                "The program and its arguments; quotes group words, nothing is expanded.",
            ),
            optional("argv", TEXTS, "The same as a list, instead of `cmd`."),
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
        let argv = args.list("argv");
        let words = match args.text("cmd") {
            None if argv.is_empty() => return Err(args.wrong("`command` needs `cmd` or `argv`")),
            None => argv,
            Some(_) if !argv.is_empty() => {
                return Err(args.wrong_at("argv", "`command` takes `cmd` or `argv`, not both"));
            }
            Some(cmd) => shlex::split(&cmd)
                .filter(|words| !words.is_empty())
                .ok_or_else(|| args.wrong_at("cmd", "the quotes in this command do not pair up"))?,
        };
        Self::build(args, context, words, false)
    }

    fn called(mut self, task: &str) -> Self {
        self.called = Some(task.to_owned());
        self
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = if self.reads {
            State::Read(seen.command(&self.host, self.line.clone()))
        } else {
            State::Guarded(Box::new(self.guards.look(&self.host, seen)))
        };
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        match state {
            State::Read(Seen::Is(outcome)) if outcome.status != 0 && !self.allow_failure => {
                self.failed(outcome).into()
            }
            State::Read(_) => Decision::default(),
            State::Guarded(sight) => self.run(sight),
        }
    }

    fn registered(&self, state: &Self::State) -> Option<Value> {
        let State::Read(Seen::Is(outcome)) = state else {
            return None;
        };
        let stdout = outcome.stdout.trim_end_matches(['\r', '\n']);
        let stderr = outcome.stderr.trim_end_matches(['\r', '\n']);
        Some(json!({
            "stdout": stdout,
            "stdout_lines": stdout.lines().collect::<Vec<_>>(),
            "stderr": stderr,
            "stderr_lines": stderr.lines().collect::<Vec<_>>(),
            "rc": outcome.status,
            "failed": outcome.status != 0,
            "changed": false,
        }))
    }
}

impl Command {
    pub(super) fn build(
        args: &Args<'_>,
        context: &Context<'_>,
        words: Vec<String>,
        shell: bool,
    ) -> Result<Self, Unfit> {
        let guards = Guards::from_args(args)?;
        let reads = args.flag("reads");
        if reads && (!guards.is_empty() || args.node("writes").is_some()) {
            return Err(args.wrong_at(
                "reads",
                "a command that only reads takes no guard and writes nothing",
            ));
        }
        if !reads && args.flag("allow_failure") {
            return Err(args.wrong_at(
                "allow_failure",
                "only a command with `reads: true` may fail",
            ));
        }
        Ok(Self {
            module: args.spec.name,
            host: context.host.clone(),
            called: None,
            line: CommandLine {
                words,
                shell,
                chdir: args.text("chdir"),
            },
            guards,
            writes: args.node("writes").map(|_| args.list("writes")),
            reads,
            allow_failure: args.flag("allow_failure"),
        })
    }

    /// The first line of the command: what people call it by.
    fn label(&self) -> String {
        let text = self.line.words.join(" ");
        text.trim().lines().next().unwrap_or_default().to_owned()
    }

    fn run(&self, sight: &guard::Sight) -> Decision {
        let mut decision = Decision::default();
        let act = Act::Command {
            line: self.line.clone(),
            writes: self.writes.clone(),
        };
        let label = self.label();
        let name = self.called.as_ref().unwrap_or(&label);
        let id = StepId::new(&[self.module, name]);
        if !self.guards.is_empty() {
            let step = self
                .guards
                .why(sight)
                .map(|why| Step::new(id, &self.host, Class::Create, why, act));
            decision.steps.extend(step);
            return decision;
        }
        let mut step = Step::new(id, &self.host, Class::Create, "it runs every time", act)
            .assume("cannot be planned: nothing tells whether it has been done");
        step.every_time = true;
        decision.steps.push(step);
        decision.advice.push(Advice {
            code: RUNS_EVERY_TIME.to_owned(),
            host: Some(self.host.clone()),
            text: format!(
                "`{}` runs every time: say when it is done with `creates:`, `removes:`, `unless:` or `only_if:`, or that it only reads with `reads: true`",
                self.label()
            ),
        });
        decision
    }

    fn failed(&self, outcome: &Outcome) -> crate::plan::Refusal {
        let said = if outcome.stderr.trim().is_empty() {
            &outcome.stdout
        } else {
            &outcome.stderr
        };
        let mut evidence = vec![format!("{}: exit status {}", self.host, outcome.status)];
        let lines: Vec<&str> = said.trim().lines().collect();
        evidence.extend(
            lines[lines.len().saturating_sub(5)..]
                .iter()
                .map(|line| format!("{}: {line}", self.host)),
        );
        refuse(
            &self.host,
            READING_FAILED,
            format!("the reading `{}` failed on {}", self.label(), self.host),
            evidence,
            "say `allow_failure: true` when later tasks can do without it (`rc` tells)",
        )
    }
}
