//! What follows where firewalld does not run, or has no use for the zone.

use super::{Firewall, State};
use crate::module::opening;
use crate::module::refusal::{NO_FIREWALLD, NO_ZONE, refuse};
use crate::module::zone::Place;
use crate::plan::{Advice, Decision, FirewallChange, Refusal};
use crate::probe::Seen;
use crate::probe::firewall;

/// firewalld's zone for interfaces when nobody has chosen another one.
const USUAL_ZONE: &str = "public";

impl Firewall {
    /// With an earlier task that brings firewalld, its zone can be told; else a person decides.
    pub(super) fn stopped(&self, firewall: &firewall::Firewall, state: &State) -> Decision {
        match (&self.package, &state.package) {
            (Some(_), Some(Seen::Unknown(_)) | None) => Decision::default(),
            (Some(package), Some(Seen::Is(installed))) => {
                let zone = match &self.place {
                    Place::Zone(zone) => zone.clone(),
                    Place::Interface(_) | Place::Cluster { .. } => USUAL_ZONE.to_owned(),
                };
                let (is, verb) = match self.open {
                    true => ("not let in yet", "open"),
                    false => ("may be let in then", "close"),
                };
                let change = FirewallChange {
                    items: self.items.clone(),
                    open: self.open,
                    runtime: true,
                    permanent: true,
                    zone: zone.clone(),
                };
                let why = format!("{is}: {}", opening::names(&self.items, ", "));
                let brought = match installed {
                    None => format!("the package {package} is installed and firewalld started by earlier steps"),
                    Some(_) => "firewalld is started by an earlier step".to_owned(),
                };
                let step = self
                    .step(verb, &why, change)
                    .assume(brought)
                    .assume(format!("the zone of the cluster's interface is {zone}"));
                Decision {
                    steps: vec![step],
                    ..Decision::default()
                }
            }
            (None, _) if firewall.absent && !self.required => Decision {
                advice: vec![self.without_firewalld()],
                ..Decision::default()
            },
            (None, _) if firewall.absent => refuse(
                &self.host,
                NO_FIREWALLD,
                format!("{} has no firewalld, and the inventory wants one", self.host),
                vec![format!("{}: {}", self.host, firewall.silent)],
                "install it there (`dnf install firewalld`, `systemctl enable --now firewalld`), or set `firewall_required: false`",
            )
            .into(),
            (None, _) => refuse(
                &self.host,
                NO_FIREWALLD,
                format!("firewalld is installed and does not run on {}, and whether it should is for you to decide", self.host),
                vec![format!("{}: {}", self.host, firewall.silent)],
                "start it (`systemctl enable --now firewalld`), remove it, or leave the firewall alone with `manage_firewall: false`",
            )
            .into(),
        }
    }

    /// Nothing is there to be opened. What else may filter (nftables, a cloud's rules) is not ours to see.
    fn without_firewalld(&self) -> Advice {
        let names = opening::names(&self.items, ", ");
        let text = match self.open {
            true => format!(
                "{} has no firewalld: no ports are opened there; whatever else filters must let in {names}",
                self.host
            ),
            false => format!(
                "{} has no firewalld: nothing is closed there; whatever else filters must keep out {names}",
                self.host
            ),
        };
        Advice {
            code: NO_FIREWALLD.to_owned(),
            host: Some(self.host.clone()),
            text,
        }
    }

    pub(super) fn idle(&self, zone: &str, firewall: &firewall::Firewall) -> Refusal {
        let active: Vec<&str> = firewall.zones.keys().map(String::as_str).collect();
        refuse(
            &self.host,
            NO_ZONE,
            format!(
                "the zone {zone} of firewalld filters nothing on {}: opening ports there would have no effect",
                self.host
            ),
            vec![format!(
                "{}: zones in use: {}",
                self.host,
                active.join(", ")
            )],
            "name a zone that is in use, or leave `zone:` out",
        )
    }
}
