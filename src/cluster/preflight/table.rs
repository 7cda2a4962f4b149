//! One row a host, for `status` and the plan: what was seen, in words that do not move by themselves.

use super::{Facts, Preflight, State, Target};
use crate::module::{Health, Light, MemberHealth};
use crate::plan::{Decision, Reach};
use serde_json::{Value, json};

/// The table as `register` keeps it: `{"hosts": {NAME: {…}}}`.
pub(super) fn registered(preflight: &Preflight, state: &State) -> Value {
    let rows = preflight.hosts.iter().filter_map(|target| {
        let facts = state.get(&target.host)?;
        Some((target.host.to_string(), row(target, facts)))
    });
    json!({ "hosts": rows.collect::<serde_json::Map<_, _>>() })
}

fn row(target: &Target, facts: &Facts) -> Value {
    let Some(machine) = facts.machine.known() else {
        return json!({ "silent": facts.machine.unknown() });
    };
    let interface = facts.cluster_interface(target);
    json!({
        "os": machine.os_name,
        "platform": machine.platform,
        "architecture": machine.architecture,
        "hostname": machine.hostname,
        "address": interface.map(|(_, address)| address),
        "interface": interface.map(|(interface, _)| &interface.name),
        "driver": interface.map(|(interface, _)| &interface.driver),
        "machine_id": machine.machine_id.get(..8),
        "clock": clock(facts),
        "firewall": firewall(facts),
        "selinux": if machine.selinux.is_empty() { "none" } else { &machine.selinux },
        "root": machine.uid == 0,
        "free_gib": facts.disks.iter().map(|(path, disk)| {
            (path.clone(), json!(disk.known().map(|disk| disk.free_bytes >> 30)))
        }).collect::<serde_json::Map<_, _>>(),
    })
}

/// The health of each host: red when it is refused, advised when there is advice about it.
pub(super) fn health(preflight: &Preflight, state: &State, decision: &Decision) -> Health {
    let members = preflight.hosts.iter().filter_map(|target| {
        let facts = state.get(&target.host)?;
        let blamed = decision
            .refusals
            .iter()
            .any(|refusal| match &refusal.reach {
                Reach::Hosts(hosts) => hosts.contains(&target.host),
                Reach::Layer | Reach::LayerAfterWaits | Reach::Here => {
                    let own = format!("{}: ", target.host);
                    refusal.evidence.iter().any(|line| line.starts_with(&own))
                }
            });
        let advised = |host| host == Some(&target.host);
        let light = if !facts.answered() {
            Light::Unknown
        } else if blamed {
            Light::Red
        } else if decision
            .advice
            .iter()
            .any(|advice| advised(advice.host.as_ref()))
        {
            Light::Advised
        } else {
            Light::Green
        };
        Some(MemberHealth {
            host: target.host.clone(),
            light,
            says: says(target, facts),
        })
    });
    Health {
        layer: "hosts".to_owned(),
        members: members.collect(),
        margin: None,
    }
}

fn says(target: &Target, facts: &Facts) -> String {
    let Some(machine) = facts.machine.known() else {
        return format!(
            "did not answer: {}",
            facts.machine.unknown().unwrap_or_default()
        );
    };
    let mut cells = vec![machine.os_name.clone(), machine.architecture.clone()];
    if machine.hostname != target.host.as_str() {
        cells.push(format!("calls itself {}", machine.hostname));
    }
    cells.push(match facts.cluster_interface(target) {
        Some((interface, address)) => format!("{address} on {}", interface.name),
        None => target
            .address
            .clone()
            .unwrap_or_else(|| "no address".to_owned()),
    });
    cells.push(format!("id {}", machine.machine_id.get(..8).unwrap_or("-")));
    cells.push(format!("clock {}", clock(facts)));
    cells.push(format!("firewalld {}", firewall(facts)));
    cells.push(format!(
        "SELinux {}",
        if machine.selinux.is_empty() {
            "none"
        } else {
            &machine.selinux
        }
    ));
    for (path, disk) in &facts.disks {
        if let Some(disk) = disk.known() {
            cells.push(format!("{path} {} GiB free", disk.free_bytes >> 30));
        }
    }
    cells.join(" · ")
}

fn firewall(facts: &Facts) -> &str {
    match facts.firewall.known() {
        None => "unknown",
        Some(unit) if !unit.exists() => "absent",
        Some(unit) => &unit.active,
    }
}

/// Against the controller's clock, in whole seconds.
fn clock(facts: &Facts) -> String {
    let Some(clock) = facts.clock.known() else {
        return "unknown".to_owned();
    };
    let seconds = clock.ahead_s.abs().round();
    let step = match clock.ahead_s {
        _ if seconds < 1.0 => "in step".to_owned(),
        ahead if ahead > 0.0 => format!("{seconds:.0} s ahead"),
        _ => format!("{seconds:.0} s behind"),
    };
    match clock.synchronised {
        Some(true) => format!("{step}, synchronised"),
        Some(false) => format!("{step}, not synchronised"),
        None => step,
    }
}
