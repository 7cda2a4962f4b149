//! Checks of the hosts against each other: H22, H23 and H26.

use super::{Found, Preflight, State};
use crate::inventory::HostName;
use crate::plan::{Advice, Reach, Refusal};
use crate::probe::machine::Machine;
use std::collections::{BTreeMap, BTreeSet};

/// Beyond this many seconds certificates and timestamps fail: a swarm's node certificates are back-dated
/// by one hour only (swarmkit, `CertBackdate`).
const SKEW_REFUSE_S: f64 = 60.0;

/// Beyond this many seconds logs and failover decisions become hard to compare.
const SKEW_ADVISE_S: f64 = 1.0;

pub(super) fn check(preflight: &Preflight, state: &State, found: &mut Found) {
    let machines: Vec<(&HostName, &Machine)> = preflight
        .hosts
        .iter()
        .filter_map(|target| Some((&target.host, state.get(&target.host)?.machine.known()?)))
        .collect();
    clones(&machines, found);
    architectures(&machines, found);
    clocks(preflight, state, found);
}

/// Hosts by a property that is not empty, as far as several share it.
fn shared<'a>(
    machines: &[(&'a HostName, &'a Machine)],
    property: impl Fn(&'a Machine) -> &'a str,
) -> Vec<(&'a str, Vec<&'a HostName>)> {
    let mut by: BTreeMap<&str, Vec<&HostName>> = BTreeMap::new();
    for (host, machine) in machines {
        by.entry(property(machine)).or_default().push(host);
    }
    by.into_iter()
        .filter(|(value, hosts)| !value.is_empty() && hosts.len() > 1)
        .collect()
}

fn names(hosts: &[&HostName]) -> String {
    hosts
        .iter()
        .map(|host| host.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// H23. Equal machine ids are clones. An equal product UUID alone is not: boards without a serial number
/// share a placeholder, and containers their machine's.
fn clones(machines: &[(&HostName, &Machine)], found: &mut Found) {
    for (id, hosts) in shared(machines, |machine| &machine.machine_id) {
        found.refusals.push(Refusal {
            code: "H23".to_owned(),
            because: format!("{} have one machine-id: clones, or one machine named twice in the inventory", names(&hosts)),
            evidence: hosts.iter().map(|host| format!("{host}: /etc/machine-id is {id}")).collect(),
            hint: "on each clone: `rm /etc/machine-id && systemd-machine-id-setup`, new SSH host keys, and reboot; otherwise mend the addresses in the inventory".to_owned(),
            reach: Reach::Layer,
        });
    }
    let kernels = shared(machines, |machine| &machine.boot_id);
    for (_, hosts) in &kernels {
        found.advice.push(Advice {
            code: "H23".to_owned(),
            host: None,
            text: format!(
                "{} run on one kernel: when that machine fails, all of them do",
                names(hosts)
            ),
        });
    }
    for (uuid, hosts) in shared(machines, |machine| &machine.product_uuid) {
        if !kernels.iter().any(|(_, same)| *same == hosts) {
            found.advice.push(Advice {
                code: "H23".to_owned(),
                host: None,
                text: format!("{} have one product UUID ({uuid}): a copied virtual machine, or firmware without a serial number", names(&hosts)),
            });
        }
    }
}

/// H22. An image or package that fits one does not fit the other.
fn architectures(machines: &[(&HostName, &Machine)], found: &mut Found) {
    let kinds: BTreeSet<&str> = machines
        .iter()
        .map(|(_, machine)| &*machine.architecture)
        .collect();
    if kinds.len() > 1 {
        found.refusals.push(Refusal {
            code: "H22".to_owned(),
            because:
                "the hosts are machines of different kinds, so one set of images does not fit all"
                    .to_owned(),
            evidence: machines
                .iter()
                .map(|(host, machine)| format!("{host}: {}", machine.architecture))
                .collect(),
            hint: "use machines of one architecture in one cluster".to_owned(),
            reach: Reach::Layer,
        });
    }
}

/// H26. The reference is the middle of all clocks, the controller's among them, so that one wrong clock
/// is the one that is blamed, even among two hosts.
fn clocks(preflight: &Preflight, state: &State, found: &mut Found) {
    let known = || {
        preflight
            .hosts
            .iter()
            .filter_map(|target| Some((&target.host, state.get(&target.host)?.clock.known()?)))
    };
    let mut all: Vec<f64> = known()
        .map(|(_, clock)| clock.ahead_s)
        .chain([0.0])
        .collect();
    all.sort_by(f64::total_cmp);
    let reference = all[(all.len() - 1) / 2];
    for (host, clock) in known() {
        let off = clock.ahead_s - reference;
        let way = if off > 0.0 { "ahead of" } else { "behind" };
        if off.abs() > SKEW_REFUSE_S {
            found.refuse(
                host,
                "H26",
                format!("the clock of {host} is more than a minute {way} the others: certificates would not be valid yet, or no more"),
                &format!("about {:.0} minutes {way} the others", (off.abs() / 60.0).ceil()),
                "set it (`chronyc makestep`, or `timedatectl set-ntp true` and wait), and run again",
            );
        } else if off.abs() > SKEW_ADVISE_S {
            found.advise(host, "H26", format!("the clock of {host} is more than a second {way} the others: see `chronyc tracking` there"));
        }
        if clock.synchronised == Some(false) {
            found.advise(
                host,
                "H26",
                format!(
                    "the clock of {host} is not synchronised ({} says so): enable chronyd",
                    clock.source
                ),
            );
        }
    }
}
