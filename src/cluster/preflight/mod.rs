//! `preflight`: what must be true of the hosts before anything is changed on any of them.
//!
//! It changes nothing. Codes H20 to H29; the texts name no value that moves by itself (free bytes,
//! fractions of a second), so that a plan asked twice is the same byte for byte.

mod between;
mod host;
mod table;

use crate::inventory::HostName;
use crate::module::{Args, Context, Health, Module, Unfit};
use crate::plan::{Advice, Decision, Reach, Refusal};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::machine::{Clock, Filesystem, Machine};
use crate::probe::network::Interface;
use crate::probe::unit::Unit;
use crate::probe::{Answers, Need, Seen};
use std::collections::BTreeMap;

/// The unit of the firewall, whose state the table shows.
const FIREWALLD: &str = "firewalld.service";

/// The checks over the hosts of a play.
#[derive(Clone, Debug)]
pub struct Preflight {
    hosts: Vec<Target>,
    allow_os: Vec<String>,
    data_path_port: u16,
    disks: Vec<String>,
    /// Whether commands must run as root.
    root: bool,
}

/// A host and what the inventory says about it.
#[derive(Clone, Debug)]
struct Target {
    host: HostName,
    /// `advertise_address`, else `ansible_host`; may be a name.
    address: Option<String>,
    /// Whether provision sets its host name.
    named_by_us: bool,
}

/// What the hosts answered.
pub type State = BTreeMap<HostName, Facts>;

/// What one host answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    machine: Seen<Machine>,
    interfaces: Seen<Vec<Interface>>,
    clock: Seen<Clock>,
    firewall: Seen<Unit>,
    disks: Vec<(String, Seen<Filesystem>)>,
}

impl Module for Preflight {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "preflight",
        cluster: true,
        registers: true,
        free_form: None,
        args: &[
            ArgSpec {
                name: "allow_os",
                kind: ArgKind::List(&ArgKind::Text),
                required: false,
                default: None,
                doc: "`PLATFORM_ID`s of os-release that are accepted besides `platform:el9`.",
            },
            ArgSpec {
                name: "data_path_port",
                kind: ArgKind::Port,
                required: false,
                default: Some("4789"),
                doc: "The port that the swarm's overlay networks will use.",
            },
            ArgSpec {
                name: "disks",
                kind: ArgKind::List(&ArgKind::Path),
                required: false,
                default: None,
                doc: "Paths whose file systems need free space; `/` and `/var/lib/docker` when not given.",
            },
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let mut hosts = Vec::new();
        for host in context.group {
            let scalar = |name: &str| -> Result<Option<String>, Unfit> {
                Ok((context.variable)(host, name)?.and_then(|node| node.scalar()))
            };
            let address = match scalar("advertise_address")? {
                Some(address) => Some(address),
                None => scalar("ansible_host")?,
            };
            hosts.push(Target {
                host: host.clone(),
                address,
                named_by_us: scalar("manage_hosts")?.as_deref() != Some("false"),
            });
        }
        let mut disks = args.list("disks");
        if disks.is_empty() {
            disks = vec!["/".to_owned(), "/var/lib/docker".to_owned()];
        }
        let port = args
            .int("data_path_port")
            .and_then(|port| u16::try_from(port).ok());
        Ok(Self {
            hosts,
            allow_os: args.list("allow_os"),
            data_path_port: port
                .ok_or_else(|| args.wrong_at("data_path_port", "`data_path_port` is a port"))?,
            disks,
            root: context.user == "root",
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = self
            .hosts
            .iter()
            .map(|target| {
                let host = &target.host;
                let disks = self
                    .disks
                    .iter()
                    .map(|path| (path.clone(), seen.filesystem(host, &**path)))
                    .collect();
                let facts = Facts {
                    machine: seen.machine(host),
                    interfaces: seen.interfaces(host),
                    clock: seen.clock(host),
                    firewall: seen.unit(host, FIREWALLD),
                    disks,
                };
                (host.clone(), facts)
            })
            .collect();
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let mut found = Found::default();
        for target in &self.hosts {
            if let Some(facts) = state.get(&target.host) {
                host::check(self, target, facts, &mut found);
            }
        }
        between::check(self, state, &mut found);
        Decision {
            refusals: found.refusals,
            advice: found.advice,
            ..Decision::default()
        }
    }

    fn registered(&self, state: &Self::State) -> Option<serde_json::Value> {
        Some(table::registered(self, state))
    }

    fn health(&self, state: &Self::State) -> Option<Health> {
        Some(table::health(self, state, &self.plan(state)))
    }
}

impl Facts {
    /// Whether the host said anything; a host that did not is no business of the preflight.
    fn answered(&self) -> bool {
        self.machine.known().is_some()
    }

    /// The interface that has the host's address, and the address with its prefix length.
    fn cluster_interface(&self, target: &Target) -> Option<(&Interface, &str)> {
        let wanted = target.address.as_deref()?;
        self.interfaces.known()?.iter().find_map(|interface| {
            let address = interface
                .addresses
                .iter()
                .find(|address| address.split('/').next() == Some(wanted))?;
            Some((interface, &**address))
        })
    }
}

/// What the checks found.
#[derive(Debug, Default)]
struct Found {
    refusals: Vec<Refusal>,
    advice: Vec<Advice>,
}

impl Found {
    fn refuse(&mut self, host: &HostName, code: &str, because: String, evidence: &str, hint: &str) {
        self.refusals.push(Refusal {
            code: code.to_owned(),
            because,
            evidence: vec![format!("{host}: {evidence}")],
            hint: hint.to_owned(),
            reach: Reach::Hosts(vec![host.clone()]),
        });
    }

    fn advise(&mut self, host: &HostName, code: &str, text: String) {
        self.advice.push(Advice {
            code: code.to_owned(),
            host: Some(host.clone()),
            text,
        });
    }
}
