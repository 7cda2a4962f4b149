//! The whole site over simulated hosts: its inventory, and what is true of it when a run has ended well.

use super::cluster::Cluster;
use super::fleet::Sim;
use super::run::{Ended, Site};
use super::stack_well;
use provision::report::Outcome;
use std::collections::BTreeSet;
use std::fmt::Write;

/// An inventory of so many hosts, each with all layers.
pub fn site(hosts: usize, any1: bool) -> Site {
    site_of(hosts, hosts, any1)
}

/// An inventory of so many hosts, of which the first ones have the database.
pub fn site_of(hosts: usize, databases: usize, any1: bool) -> Site {
    inventory(hosts, databases, hosts, any1)
}

/// The same without a stack.
pub fn bare_of(hosts: usize, databases: usize, any1: bool) -> Site {
    inventory(hosts, databases, 0, any1)
}

/// Three hosts without a stack, and one variable more: `name: value`.
pub fn bare_with(variable: &str) -> Site {
    inventory_with(3, 3, 0, true, &format!(", {variable}"))
}

fn inventory(hosts: usize, databases: usize, kompira: usize, any1: bool) -> Site {
    inventory_with(hosts, databases, kompira, any1, "")
}

fn inventory_with(hosts: usize, databases: usize, kompira: usize, any1: bool, more: &str) -> Site {
    let synchronous = if any1 { "any1" } else { "off" };
    let mut text = format!(
        "all:\n  vars: {{ ansible_become: true, cluster_vip: 10.20.0.100, gluster_brick: /data/brick/gvol0, postgres_synchronous: \"{synchronous}\", ca_keytype: \"ec:prime256v1\", cert_keytype: \"ec:prime256v1\"{more} }}\n  hosts:\n"
    );
    for n in 1..=hosts {
        let _ = writeln!(text, "    ke2-server{n}: {{ ansible_host: 10.20.0.{n} }}");
    }
    for (group, count) in [
        ("managers", hosts),
        ("gluster", hosts),
        ("database", databases),
        ("kompira", kompira),
    ] {
        if count == 0 {
            continue;
        }
        let _ = writeln!(text, "{group}:\n  hosts:");
        for n in 1..=count {
            let _ = writeln!(text, "    ke2-server{n}:");
        }
    }
    Site::of(&text, hosts, hosts).trusting()
}

/// What is wrong with a cluster that should be well.
pub fn wrong(cluster: &Cluster) -> Vec<String> {
    let mut wrong = Vec::new();
    let hosts = cluster.machines.len();
    let mut say = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let swarms: BTreeSet<Option<usize>> = cluster
        .swarm
        .hosts
        .iter()
        .map(|host| host.disk.as_ref().map(|disk| disk.cluster))
        .collect();
    say(
        swarms.len() == 1 && !swarms.contains(&None),
        "one swarm of all hosts",
    );
    for c in swarms.into_iter().flatten() {
        let swarm = &cluster.swarm;
        say(
            swarm.clusters[c].nodes.len() == hosts,
            "no ghost on the roster",
        );
        say(swarm.voters_heard(c) == hosts, "every manager heard");
    }
    for h in cluster.hosts() {
        let name = cluster.name(h);
        say(
            cluster.machines[h].hostname == name,
            &format!("host name of {name}"),
        );
        let gluster = &cluster.gluster[h];
        say(
            gluster.peers.len() == hosts - 1,
            &format!("peers of {name}"),
        );
        let volume = gluster.volume.as_ref();
        let owns = volume.is_some_and(|it| it.bricks.iter().any(|(host, _)| host == name));
        say(volume.is_some(), &format!("volume known by {name}"));
        say(!owns || gluster.brick, &format!("brick of {name} online"));
        say(gluster.heals, &format!("healing on {name}"));
        say(
            cluster.pending(h) == 0,
            &format!("nothing to heal on {name}"),
        );
        let mounted = gluster.mounted && !gluster.client_killed;
        say(mounted, &format!("mount of {name}"));
        let member = cluster.members().contains(&h);
        let data = &cluster.databases[h];
        let follows = data.is_primary() || cluster.streams(h).is_some();
        say(
            follows == member && data.data.is_some() == member,
            &format!("database of {name} follows"),
        );
        let pgpool = &cluster.pgpools[h];
        say(
            pgpool.quorum == member && pgpool.running == member,
            &format!("Pgpool-II of {name}"),
        );
        let seats = pgpool.seats.values().filter(|seat| seat.up).count();
        say(
            !member || seats == cluster.databases_on,
            &format!("all nodes attached by {name}"),
        );
        say(
            !member || pgpool.primary.is_some(),
            &format!("the primary known by Pgpool-II of {name}"),
        );
        let all = match member {
            true => &["docker", "glusterd", "postgresql-16", "pgpool"][..],
            false => &["docker", "glusterd"],
        };
        let enabled = |unit: &&str| {
            cluster.machines[h]
                .enabled
                .contains(&format!("{unit}.service"))
        };
        say(all.iter().all(enabled), &format!("units of {name} at boot"));
    }
    say(
        cluster.served().is_some(),
        "writes through the virtual address",
    );
    let holders = cluster.pgpools.iter().filter(|one| one.vip).count();
    say(holders == 1, "one holder of the address");
    if let Some(p) = cluster.served() {
        let data = cluster.databases[p].data.as_ref();
        let rows: BTreeSet<u32> = data
            .into_iter()
            .flat_map(|data| data.rows.iter().map(|row| row.id))
            .collect();
        let ledger = &cluster.ledger;
        let lost: Vec<u32> = ledger
            .rows
            .iter()
            .filter(|row| !rows.contains(row) && !ledger.gone_rows.contains(row))
            .copied()
            .collect();
        say(lost.is_empty(), &format!("rows {lost:?} on the primary"));
    }
    for h in cluster.hosts() {
        let Some(lines) = cluster.gluster[h]
            .folder
            .as_ref()
            .map(|it| it.lines.clone())
        else {
            continue;
        };
        let ledger = &cluster.ledger;
        let kept: BTreeSet<u32> = ledger
            .lines
            .difference(&ledger.gone_lines)
            .copied()
            .collect();
        say(
            kept.is_subset(&lines),
            &format!("every line on {}", cluster.name(h)),
        );
    }
    wrong.extend(stack_well::wrong(cluster));
    wrong
}

/// What must be true when a run has ended well: all layers are, and a second run finds nothing.
pub fn check_well(site: &Site, sim: &Sim, ended: &Ended) {
    let well = matches!(ended.outcome, Some(Outcome::Changed | Outcome::Converged));
    assert!(well, "ended {:?}: {}", ended.outcome, why(ended));
    sim.cluster.borrow_mut().ticks(3);
    let found = wrong(&sim.cluster.borrow());
    assert!(
        found.is_empty(),
        "it ended well, and is not: {found:?}\n{}",
        ended.story
    );
    let second = site.apply(sim);
    assert_eq!(
        second.outcome,
        Some(Outcome::Converged),
        "a second run: {}",
        why(&second)
    );
    assert!(
        second.done().is_empty(),
        "a second run does {:?}",
        second.done()
    );
}

/// Why a run did not end well, as a person would want it.
pub fn why(ended: &Ended) -> String {
    let mut text = String::new();
    for (_, refusal) in &ended.last.refusals {
        let _ = writeln!(text, "refused {}: {}", refusal.code, refusal.because);
        for line in &refusal.evidence {
            let _ = writeln!(text, "    {line}");
        }
    }
    for planned in ended.last.open() {
        let _ = writeln!(
            text,
            "left: {} on {}: {}",
            planned.step.id, planned.step.subject, planned.step.why
        );
    }
    for wait in &ended.last.waits {
        let _ = writeln!(text, "wait: {wait:?}");
    }
    for unknown in &ended.last.unknown {
        let _ = writeln!(text, "unknown: {unknown:?}");
    }
    let lines = ended.story.lines();
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("Asked")).collect();
    let from = lines.len().saturating_sub(25);
    let cut = |line: &&str| line.chars().take(400).collect::<String>();
    text.push_str(&lines[from..].iter().map(cut).collect::<Vec<_>>().join("\n"));
    text
}

/// A converged cluster, made by provision itself.
pub fn built(site: &Site, seed: u64, any1: bool) -> Cluster {
    built_of(site, Cluster::blank(site.hosts, seed, any1))
}

/// The same from these hosts.
pub fn built_of(site: &Site, blank: Cluster) -> Cluster {
    let sim = Sim::of(blank);
    let ended = site.apply(&sim);
    assert_eq!(ended.outcome, Some(Outcome::Changed), "{}", why(&ended));
    sim.cluster.into_inner()
}
