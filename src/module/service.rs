//! `service`: a unit of systemd runs or not, at boot or not, and with the configuration that is on the disk.

use super::argument::{PATHS, needed, optional};
use super::refusal::{NO_UNIT, refuse};
use super::stamp::{self, Stamp};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Claim, Class, Decision, Expect, Refusal, Step, StepId, UnitVerb};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::unit::Unit;
use crate::probe::{Answers, Need, Query, Seen};

/// The wanted state of a unit.
#[derive(Clone, Debug)]
pub struct Service {
    host: HostName,
    unit: String,
    enabled: Option<bool>,
    started: Option<bool>,
    package: Option<String>,
    made_earlier: bool,
    stamp: Option<Stamp>,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct State {
    unit: Seen<Unit>,
    stamp: Option<stamp::Sight>,
}

impl Module for Service {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "service",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "name",
                ArgKind::Text,
                "The unit; `.service` is added to a bare name.",
            ),
            optional("enabled", ArgKind::Bool, "Whether it starts at boot."),
            optional(
                "state",
                ArgKind::Choice(&["started", "stopped"]),
                "Whether it runs.",
            ),
            optional(
                "package",
                ArgKind::Text,
                "The package that the unit comes with, when an earlier task installs it.",
            ),
            optional(
                "made_earlier",
                ArgKind::Bool,
                "Whether an earlier task writes the unit's file.",
            ),
            optional(
                "restarted_after",
                PATHS,
                "Configuration files: it is restarted when it runs with another content than theirs.",
            ),
            optional(
                "reloaded_after",
                PATHS,
                "Configuration files that it can read again without a restart.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let name = args.required("name")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
            return Err(args.wrong_at("name", format!("`{name}` is no name of a unit")));
        }
        let unit = if name.contains('.') {
            name
        } else {
            format!("{name}.service")
        };
        let given = |name: &str| args.node(name).map(|_| args.flag(name));
        let started = args.text("state").map(|state| state == "started");
        let stamp = Stamp::from_args(args, context.host, &unit)?;
        if stamp.is_some() && started == Some(false) {
            return Err(args.wrong_at("state", "what is stopped is not restarted"));
        }
        let enabled = given("enabled");
        if enabled.is_none() && started.is_none() && stamp.is_none() {
            return Err(args.wrong("`service` needs `enabled`, `state` or `restarted_after`"));
        }
        Ok(Self {
            host: context.host.clone(),
            unit,
            enabled,
            started,
            package: args.text("package"),
            made_earlier: args.flag("made_earlier"),
            stamp,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = State {
            unit: seen.unit(&self.host, &*self.unit),
            stamp: self.stamp.as_ref().map(|stamp| stamp.look(seen)),
        };
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let Seen::Is(unit) = &state.unit else {
            return Decision::default();
        };
        if unit.load == "masked" && (self.enabled == Some(true) || self.started == Some(true)) {
            return self.masked().into();
        }
        let comes = !unit.exists();
        if comes && self.package.is_none() && !self.made_earlier {
            return match (self.enabled, self.started) {
                // A unit that is not there neither runs nor starts at boot.
                (None | Some(false), None | Some(false)) => Decision::default(),
                _ => self.nowhere().into(),
            };
        }
        let mut decision = Decision::default();
        let mut restart = None;
        if let (Some(stamp), Some(sight)) = (&self.stamp, &state.stamp) {
            let verdict = stamp.plan(sight, unit.is_active());
            decision.steps.extend(verdict.steps);
            decision.refusals.extend(verdict.refusals);
            restart = verdict.restart;
        }
        if let Some(enabled) = self.enabled.filter(|wanted| *wanted != unit.is_enabled()) {
            let (verb, why) = if enabled {
                (UnitVerb::Enable, "it does not start at boot")
            } else {
                (UnitVerb::Disable, "it starts at boot")
            };
            decision.steps.push(self.step(verb, Class::Repair, why));
        }
        match self.started {
            Some(true) if !unit.is_active() => {
                let why = format!("it is {}", in_words(unit));
                decision
                    .steps
                    .push(self.step(UnitVerb::Start, Class::Repair, &why));
            }
            Some(false) if unit.active != "inactive" && unit.active != "failed" && !comes => {
                let why = format!("it is {}", in_words(unit));
                decision
                    .steps
                    .push(self.step(UnitVerb::Stop, Class::Restart, &why));
            }
            _ => {
                if let Some((verb, why)) = restart {
                    decision.steps.push(self.step(verb, Class::Restart, &why));
                }
            }
        }
        if comes {
            let whence = match &self.package {
                Some(package) => format!("the unit {} comes with the package {package}", self.unit),
                None => format!("an earlier step writes the unit {}", self.unit),
            };
            for step in &mut decision.steps {
                if matches!(step.act, Act::Unit { .. }) {
                    step.assumes.push(whence.clone());
                }
            }
        }
        decision
    }
}

impl Service {
    fn step(&self, verb: UnitVerb, class: Class, why: &str) -> Step {
        let act = Act::Unit {
            unit: self.unit.clone(),
            verb,
        };
        let id = StepId::new(&["service", verb.word(), &self.unit]);
        let step = Step::new(id, &self.host, class, why, act);
        match verb {
            UnitVerb::Enable | UnitVerb::Disable => step,
            _ => step.done(Claim::new(
                &self.host,
                Query::Unit(self.unit.clone()),
                Expect::UnitActive(verb != UnitVerb::Stop),
            )),
        }
    }

    fn masked(&self) -> Refusal {
        refuse(
            &self.host,
            NO_UNIT,
            format!(
                "{} is masked on {}: somebody forbade that it runs",
                self.unit, self.host
            ),
            vec![format!("{}: LoadState=masked", self.host)],
            format!("if that no longer holds: `systemctl unmask {}`", self.unit),
        )
    }

    fn nowhere(&self) -> Refusal {
        refuse(
            &self.host,
            NO_UNIT,
            format!("there is no unit {} on {}", self.unit, self.host),
            vec![format!("{}: LoadState=not-found", self.host)],
            "check the name, or say with `package:` which earlier package brings it",
        )
    }
}

fn in_words(unit: &Unit) -> &str {
    match &*unit.active {
        "" => "not active",
        other => other,
    }
}
