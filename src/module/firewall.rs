//! `firewall`: firewalld lets these in, now and after a restart, in the zone of the cluster's address.

mod missing;

use super::argument::{TEXTS, defaulted, optional};
use super::covered::{self, Covered};
use super::zone::Place;
use super::{Args, Context, Module, Unfit, opening};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Decision, FirewallChange, FirewallItem, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::firewall;
use crate::probe::network::Interface;
use crate::probe::package::Installed;
use crate::probe::{Answers, Need, Seen};

/// What must be let in, or must not.
#[derive(Clone, Debug)]
pub struct Firewall {
    host: HostName,
    place: Place,
    items: Vec<FirewallItem>,
    open: bool,
    required: bool,
    package: Option<String>,
    covered: Option<Covered>,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct State {
    firewall: Seen<firewall::Firewall>,
    interfaces: Option<Seen<Vec<Interface>>>,
    /// Asked for only when firewalld does not run.
    package: Option<Seen<Option<Installed>>>,
    covered: Option<covered::Sight>,
}

impl Module for Firewall {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "firewall",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            optional("ports", TEXTS, "Ports: `2377/tcp`, `49152-60999/tcp`."),
            optional(
                "services",
                TEXTS,
                "Services that firewalld knows: `glusterfs`.",
            ),
            optional("protocols", TEXTS, "IP protocols: `esp`, `vrrp`."),
            optional(
                "zone",
                ArgKind::Text,
                "The zone; that of the interface with the host's cluster address when not given.",
            ),
            optional(
                "interface",
                ArgKind::Text,
                "The interface whose zone it is.",
            ),
            defaulted(
                "state",
                ArgKind::Choice(&["open", "closed"]),
                "open",
                "Whether they are let in.",
            ),
            optional(
                "covers",
                TEXTS,
                "Ports that the one service must stand for; those that its definition lacks are opened beside it.",
            ),
            optional(
                "comes_with",
                ArgKind::Text,
                "The package that brings the definition of the service.",
            ),
            optional(
                "package",
                ArgKind::Text,
                "The package of firewalld, when earlier tasks install and start it.",
            ),
            defaulted(
                "required",
                ArgKind::Bool,
                "false",
                "Whether a host that has no firewalld at all is refused; otherwise that is only reported.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let items = opening::from_args(args)?;
        if items.is_empty() {
            return Err(args.wrong("`firewall` needs `ports`, `services` or `protocols`"));
        }
        Ok(Self {
            host: context.host.clone(),
            place: Place::from_args(args, context)?,
            items,
            open: args.text("state").as_deref() != Some("closed"),
            required: args.flag("required"),
            package: args.text("package"),
            covered: Covered::from_args(args)?,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let firewall = seen.firewall(&self.host);
        let stopped = matches!(&firewall, Seen::Is(firewall) if !firewall.running);
        let package = self.package.as_deref().filter(|_| stopped);
        let state = State {
            firewall,
            interfaces: matches!(self.place, Place::Cluster { .. })
                .then(|| seen.interfaces(&self.host)),
            package: package.map(|package| seen.package(&self.host, package)),
            covered: self
                .covered
                .as_ref()
                .filter(|_| !stopped)
                .map(|covered| covered.look(&self.host, seen)),
        };
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let Seen::Is(firewall) = &state.firewall else {
            return Decision::default();
        };
        if !firewall.running {
            return self.stopped(firewall, state);
        }
        let interfaces = match &state.interfaces {
            None => &[],
            Some(Seen::Is(interfaces)) => &interfaces[..],
            Some(Seen::Unknown(_)) => return Decision::default(),
        };
        let zone = match self.place.zone(&self.host, firewall, interfaces) {
            Ok(zone) => zone,
            Err(refusal) => return (*refusal).into(),
        };
        let Some(openings) = firewall.zones.get(zone) else {
            return self.idle(zone, firewall).into();
        };
        let mut items = self.items.clone();
        if let (Some(covered), Some(sight)) = (&self.covered, &state.covered) {
            match covered.lacks(&self.host, sight) {
                Ok(Some(lacking)) => items.extend(lacking),
                Ok(None) => return Decision::default(),
                Err(refusal) => return (*refusal).into(),
            }
        }
        let mut both = Vec::new();
        let mut now = Vec::new();
        let mut later = Vec::new();
        for item in &items {
            let wrong = |side| opening::lets_in(side, item) != self.open;
            match (wrong(&openings.runtime), wrong(&openings.permanent)) {
                (true, true) => both.push(item.clone()),
                (true, false) => now.push(item.clone()),
                (false, true) => later.push(item.clone()),
                (false, false) => {}
            }
        }
        let (is, verb) = if self.open {
            ("closed", "open")
        } else {
            ("open", "close")
        };
        let mut decision = Decision::default();
        for (items, runtime, permanent, when) in [
            (both, true, true, ""),
            (now, true, false, " now, though not after a restart"),
            (later, false, true, " after a restart, though not now"),
        ] {
            if items.is_empty() {
                continue;
            }
            let suffix = match (runtime, permanent) {
                (true, true) => "",
                (true, false) => "-now",
                (false, _) => "-permanently",
            };
            let why = format!(
                "{is} in zone {zone}{when}: {}",
                opening::names(&items, ", ")
            );
            let change = FirewallChange {
                zone: zone.to_owned(),
                items,
                open: self.open,
                runtime,
                permanent,
            };
            decision
                .steps
                .push(self.step(&format!("{verb}{suffix}"), &why, change));
        }
        decision
    }
}

impl Firewall {
    fn step(&self, verb: &str, why: &str, change: FirewallChange) -> Step {
        let id = StepId::new(&["firewall", verb, &opening::names(&change.items, "+")]);
        Step::new(id, &self.host, Class::Repair, why, Act::Firewall(change))
    }
}
