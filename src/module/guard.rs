//! What makes a command of the user's plannable: paths and readings that say whether it is still to be run.

use super::argument::optional;
use super::{Args, Unfit};
use crate::inventory::HostName;
use crate::playbook::{ArgKind, ArgSpec};
use crate::probe::shell::{CommandLine, Outcome};
use crate::probe::{Answers, PathState, Seen};

/// The argument `creates`.
pub const CREATES: ArgSpec = optional(
    "creates",
    ArgKind::Path,
    "A path that the command makes: it does not run when that exists.",
);

/// The argument `removes`.
pub const REMOVES: ArgSpec = optional(
    "removes",
    ArgKind::Path,
    "A path that the command removes: it runs only when that exists.",
);

/// The argument `unless`.
pub const UNLESS: ArgSpec = optional(
    "unless",
    ArgKind::Text,
    "A shell command that only reads: when it succeeds, there is nothing to do.",
);

/// The argument `only_if`.
pub const ONLY_IF: ArgSpec = optional(
    "only_if",
    ArgKind::Text,
    "A shell command that only reads: when it fails, there is nothing to do.",
);

/// The guards of a command; all of them must let it run.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    creates: Option<String>,
    removes: Option<String>,
    unless: Option<CommandLine>,
    only_if: Option<CommandLine>,
}

/// What the guards see.
#[derive(Clone, Debug)]
pub struct Sight {
    creates: Option<Seen<PathState>>,
    removes: Option<Seen<PathState>>,
    unless: Option<Seen<Outcome>>,
    only_if: Option<Seen<Outcome>>,
}

impl Guards {
    /// From the arguments of the same names.
    pub fn from_args(args: &Args<'_>) -> Result<Self, Unfit> {
        let reading = |name: &str| {
            args.text(name).map(|text| CommandLine {
                words: vec![text],
                shell: true,
                chdir: args.text("chdir"),
            })
        };
        Ok(Self {
            creates: args.text("creates"),
            removes: args.text("removes"),
            unless: reading("unless"),
            only_if: reading("only_if"),
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.creates.is_none()
            && self.removes.is_none()
            && self.unless.is_none()
            && self.only_if.is_none()
    }

    /// Looks; the caller settles.
    pub fn look(&self, host: &HostName, seen: &Answers<'_>) -> Sight {
        Sight {
            creates: self.creates.as_deref().map(|path| seen.path(host, path)),
            removes: self.removes.as_deref().map(|path| seen.path(host, path)),
            unless: self
                .unless
                .as_ref()
                .map(|line| seen.command(host, line.clone())),
            only_if: self
                .only_if
                .as_ref()
                .map(|line| seen.command(host, line.clone())),
        }
    }

    /// Why the command is to be run; `None` when a guard holds it back, or is unknown.
    pub fn why(&self, sight: &Sight) -> Option<String> {
        let mut reasons = Vec::new();
        if let Some(path) = &sight.creates {
            if *path.known()? != PathState::Absent {
                return None;
            }
            reasons.push(format!(
                "{} does not exist",
                self.creates.as_deref().unwrap_or_default()
            ));
        }
        if let Some(path) = &sight.removes {
            if *path.known()? == PathState::Absent {
                return None;
            }
            reasons.push(format!(
                "{} exists",
                self.removes.as_deref().unwrap_or_default()
            ));
        }
        if let Some(outcome) = &sight.unless {
            let status = outcome.known()?.status;
            if status == 0 {
                return None;
            }
            reasons.push(format!("the check of `unless` exited {status}"));
        }
        if let Some(outcome) = &sight.only_if {
            if outcome.known()?.status != 0 {
                return None;
            }
            reasons.push("the check of `only_if` succeeded".to_owned());
        }
        Some(reasons.join(", "))
    }
}
