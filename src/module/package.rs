//! `package`: packages are installed, or are not. What is installed is never upgraded as a side effect (ruling 7).

use super::argument::{STATE, TEXTS, needed, optional};
use super::refusal::{CONFLICT, OTHER_VERSION, refuse};
use super::{Args, Context, Module, Unfit, peers};
use crate::inventory::HostName;
use crate::plan::{Act, Claim, Class, Decision, Expect, Package as Wanted, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::package::Installed;
use crate::probe::{Answers, Need, Query, Seen};
use std::collections::BTreeMap;

/// Packages that must be installed, or must not.
#[derive(Clone, Debug)]
pub struct Package {
    host: HostName,
    group: Vec<HostName>,
    wanted: Vec<Wanted>,
    conflicts: Vec<String>,
    unless: Vec<String>,
    absent: bool,
}

/// What is seen of one package.
#[derive(Clone, Debug)]
pub struct Sight {
    here: Seen<Option<Installed>>,
    /// What the other hosts of the play run; asked for only when it decides the version.
    peers: BTreeMap<HostName, Seen<Option<Installed>>>,
}

/// What is seen of all packages that were asked for.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The wanted ones, in order.
    wanted: Vec<Sight>,
    /// Those that would be replaced.
    conflicts: Vec<Seen<Option<Installed>>>,
    /// Those that make the wanted ones unnecessary.
    unless: Vec<Seen<Option<Installed>>>,
}

impl Module for Package {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "package",
        cluster: false,
        registers: false,
        free_form: Some("name"),
        args: &[
            needed(
                "name",
                TEXTS,
                "One or more packages; `name=version` pins one.",
            ),
            optional(
                "version",
                ArgKind::Text,
                "The version of all of them; without one what the other hosts run, else the newest.",
            ),
            optional(
                "conflicts_with",
                TEXTS,
                "Packages that the new ones would replace: refuse when one of these is installed.",
            ),
            optional(
                "unless_installed",
                TEXTS,
                "Packages that make the new ones unnecessary: when one of these is installed, nothing is done.",
            ),
            STATE,
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let version = args.text("version").filter(|version| !version.is_empty());
        let wanted: Vec<Wanted> = args
            .list("name")
            .iter()
            .map(|text| match text.split_once('=') {
                Some((name, pin)) => Wanted {
                    name: name.to_owned(),
                    version: Some(pin.to_owned()),
                },
                None => Wanted {
                    name: text.clone(),
                    version: version.clone(),
                },
            })
            .collect();
        if wanted.is_empty() {
            return Err(args.wrong_at("name", "`package` needs at least one name"));
        }
        let odd = |word: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._+-:~^".contains(c);
            word.is_empty() || word.starts_with('-') || !word.chars().all(plain)
        };
        if let Some(bad) = wanted
            .iter()
            .find(|one| odd(&one.name) || one.version.as_deref().is_some_and(odd))
        {
            return Err(args.wrong_at(
                "name",
                format!(
                    "`{}` is no name of a package (no globs, no groups, no files)",
                    bad.name
                ),
            ));
        }
        Ok(Self {
            host: context.host.clone(),
            group: context.group.to_vec(),
            wanted,
            conflicts: args.list("conflicts_with"),
            unless: args.list("unless_installed"),
            absent: args.text("state").as_deref() == Some("absent"),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let sights = self.wanted.iter().map(|wanted| {
            let here = seen.package(&self.host, &*wanted.name);
            let ask_peers = !self.absent && wanted.version.is_none() && here == Seen::Is(None);
            let peers = self
                .group
                .iter()
                .filter(|peer| **peer != self.host && ask_peers);
            Sight {
                peers: peers
                    .map(|peer| (peer.clone(), seen.package(peer, &*wanted.name)))
                    .collect(),
                here,
            }
        });
        let each = |names: &[String]| {
            names
                .iter()
                .map(|name| seen.package(&self.host, &**name))
                .collect()
        };
        let state = State {
            wanted: sights.collect(),
            conflicts: each(&self.conflicts),
            unless: each(&self.unless),
        };
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let (sights, conflicts) = (&state.wanted, &state.conflicts);
        let mut decision = Decision::default();
        // One that is not known may be installed.
        if state.unless.iter().any(|seen| *seen != Seen::Is(None)) {
            return decision;
        }
        if sights.iter().any(|sight| sight.here.known().is_none()) {
            return decision;
        }
        if self.absent {
            decision.steps.extend(self.remove(sights));
            return decision;
        }
        let mut missing = Vec::new();
        let mut assumes = Vec::new();
        for (wanted, sight) in self.wanted.iter().zip(sights) {
            match (&sight.here, &wanted.version) {
                (Seen::Is(None), Some(_)) => missing.push(wanted.clone()),
                (Seen::Is(None), None) => {
                    let peers = peers::choose(&self.host, &self.group, &wanted.name, &sight.peers);
                    assumes.extend(peers.assumes);
                    decision.advice.extend(peers.advice);
                    missing.push(Wanted {
                        name: wanted.name.clone(),
                        version: peers.version,
                    });
                }
                (Seen::Is(Some(installed)), Some(pin)) if !installed.satisfies(pin) => {
                    decision
                        .refusals
                        .push(self.other_version(&wanted.name, installed, pin));
                }
                _ => {}
            }
        }
        if missing.is_empty() || !decision.refusals.is_empty() {
            return decision;
        }
        for (name, seen) in self.conflicts.iter().zip(conflicts) {
            match seen {
                Seen::Is(None) => {}
                Seen::Is(Some(installed)) => decision
                    .refusals
                    .push(self.conflict(name, installed, &missing)),
                // Whether something would be replaced is not known, so nothing is installed.
                Seen::Unknown(_) => return decision,
            }
        }
        if decision.refusals.is_empty() {
            decision.steps.push(self.install(missing, assumes));
        }
        decision
    }
}

impl Package {
    fn install(&self, missing: Vec<Wanted>, assumes: Vec<String>) -> Step {
        let names: Vec<String> = missing.iter().map(|one| one.name.clone()).collect();
        let newest: Vec<&str> = missing
            .iter()
            .filter(|one| one.version.is_none())
            .map(|one| one.name.as_str())
            .collect();
        let id = StepId::new(&["package", "install", &names.join("+")]);
        let why = match &names[..] {
            [one] => format!("{one} is not installed"),
            _ => format!("{} are not installed", names.join(", ")),
        };
        let done = Claim::new(
            &self.host,
            Query::Package(names[0].clone()),
            Expect::Installed,
        );
        let newest = (!newest.is_empty()).then(|| {
            format!(
                "newest at apply: no version is pinned for {}",
                newest.join(", ")
            )
        });
        let mut step = Step::new(
            id,
            &self.host,
            Class::Create,
            why,
            Act::InstallPackages(missing),
        );
        step.assumes.extend(newest);
        step.assumes.extend(assumes);
        step.done(done)
    }

    fn remove(&self, sights: &[Sight]) -> Option<Step> {
        let there: Vec<String> = self
            .wanted
            .iter()
            .zip(sights)
            .filter(|(_, sight)| matches!(sight.here, Seen::Is(Some(_))))
            .map(|(wanted, _)| wanted.name.clone())
            .collect();
        let id = StepId::new(&["package", "remove", &there.join("+")]);
        let why = format!("installed: {}", there.join(", "));
        (!there.is_empty()).then(|| {
            Step::new(
                id,
                &self.host,
                Class::Repair,
                why,
                Act::RemovePackages(there),
            )
        })
    }

    fn other_version(&self, name: &str, installed: &Installed, pin: &str) -> crate::plan::Refusal {
        refuse(
            &self.host,
            OTHER_VERSION,
            format!(
                "{} has {name} {}, not the pinned {pin}, and an installed package is never changed as a side effect",
                self.host, installed.evr
            ),
            vec![format!("{}: rpm -q {name}: {}", self.host, installed.evr)],
            format!(
                "pin what runs (`{name}={}`), or take the host out of service and change it by hand: `dnf install {name}-{pin}`",
                installed.version()
            ),
        )
    }

    fn conflict(
        &self,
        name: &str,
        installed: &Installed,
        missing: &[Wanted],
    ) -> crate::plan::Refusal {
        let new: Vec<&str> = missing.iter().map(|one| one.name.as_str()).collect();
        refuse(
            &self.host,
            CONFLICT,
            format!(
                "{name} is installed on {}, and {} would conflict with it or replace it",
                self.host,
                new.join(", ")
            ),
            vec![format!("{}: rpm -q {name}: {}", self.host, installed.evr)],
            format!(
                "when nothing there needs it, remove it by hand (`dnf remove {name}`) and run again"
            ),
        )
    }
}
