//! `hosts_entries`: /etc/hosts knows all hosts of the play, in a block of its own (ruling 14).

use super::argument::{STATE, defaulted};
use super::attributes::Wanted;
use super::edited_file::{EditedFile, Text};
use super::refusal::{FOREIGN_NAME, refuse};
use super::{Args, Context, Module, Unfit, address, block};
use crate::inventory::HostName;
use crate::plan::{Decision, Refusal, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need};
use std::net::IpAddr;

const MARKER: &str = "# {mark} PROVISION CLUSTER HOSTS";

fn markers() -> block::Markers {
    block::Markers::new(MARKER, "BEGIN", "END")
}

/// The block of cluster names.
#[derive(Clone, Debug)]
pub struct HostsEntries {
    file: EditedFile,
    hosts: Vec<(HostName, IpAddr)>,
    absent: bool,
}

impl Module for HostsEntries {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "hosts_entries",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            defaulted("path", ArgKind::Path, "/etc/hosts", "The file."),
            STATE,
        ],
    };

    type State = Text;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let hosts = context
            .group
            .iter()
            .map(|host| Ok((host.clone(), address::of(context, host)?)))
            .collect::<Result<_, Unfit>>()?;
        Ok(Self {
            file: EditedFile {
                module: "hosts_entries",
                host: context.host.clone(),
                path: args.required("path")?,
                create: true,
                wanted: Wanted::default(),
            },
            hosts,
            absent: args.text("state").as_deref() == Some("absent"),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let text = self.file.look(seen);
        seen.settle(text)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        if let Some(Ok(now)) = self.file.text(state)
            && !self.absent
        {
            let foreign = self.foreign(now);
            if !foreign.is_empty() {
                return self.refuse(&foreign).into();
            }
        }
        let lines: Vec<String> = self
            .hosts
            .iter()
            .map(|(host, address)| format!("{address} {host}"))
            .collect();
        let block = (!self.absent).then(|| lines.join("\n"));
        let why = match self.absent {
            false => "its block of cluster names is missing or differs",
            true => "it has a block of cluster names",
        };
        let mut decision = self.file.plan(state, why, |now| {
            block::set(now, &markers(), block.as_deref())
        });
        for step in &mut decision.steps {
            step.id = StepId::new(&["hosts_entries"]);
        }
        decision
    }
}

impl HostsEntries {
    /// Lines outside the block that give a cluster name another address: glibc takes the first line
    /// that has a name, and collects all of them for some callers.
    fn foreign(&self, now: &[u8]) -> Vec<String> {
        let contradicts = |line: &str| {
            let mut words = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace();
            let address: Option<IpAddr> = words.next().and_then(|word| word.parse().ok());
            let names: Vec<&str> = words.collect();
            self.hosts.iter().any(|(host, right)| {
                address.is_some_and(|address| address != *right)
                    && names
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(host.as_str()))
            })
        };
        block::outside(now, &markers())
            .into_iter()
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .filter(|line| contradicts(line))
            .collect()
    }

    fn refuse(&self, foreign: &[String]) -> Refusal {
        let host = &self.file.host;
        let path = &self.file.path;
        let evidence = foreign
            .iter()
            .map(|line| format!("{host}: {path}: {}", line.trim()))
            .collect();
        refuse(
            host,
            FOREIGN_NAME,
            format!(
                "{path} on {host} gives a name of the cluster another address than the inventory does, and what relies on that line is not known"
            ),
            evidence,
            format!(
                "take the names out of these lines of {path}, or correct the inventory (`advertise_address`), or leave the file alone with `manage_hosts: false`"
            ),
        )
    }
}
