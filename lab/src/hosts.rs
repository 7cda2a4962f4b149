//! The verbs that act on several hosts at once.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::access;
use crate::cli::Hosts;
use crate::host::Host;
use crate::lab::{Lab, Record};
use crate::network;
use crate::power;
use crate::process::wait_until;

/// The hosts that were asked for, each once.
pub fn select(lab: &Lab, record: &Record, hosts: &Hosts) -> Result<Vec<Host>> {
    if hosts.all {
        return Ok(lab.hosts(record));
    }
    let mut selected = hosts
        .hosts
        .iter()
        .map(|name| lab.host(record, name))
        .collect::<Result<Vec<_>>>()?;
    selected.sort_by_key(|host| host.number);
    selected.dedup_by_key(|host| host.number);
    Ok(selected)
}

/// Power loss of all of them at the same moment.
pub fn kill(hosts: &[Host], record: &Record) -> Result<()> {
    for host in hosts {
        network::silence(host);
    }
    each(hosts, record, power::kill)
}

/// Clean shutdown.
pub fn stop(hosts: &[Host], record: &Record) -> Result<()> {
    each(hosts, record, power::stop)
}

/// Power on, up to sshd.
pub fn start(hosts: &[Host], record: &Record) -> Result<()> {
    let since = Instant::now();
    for host in hosts {
        power::start(host, record)?;
    }
    power::wait_for_sshd(hosts, record, since)
}

/// Clean restart, up to the new sshd.
pub fn reboot(hosts: &[Host], record: &Record) -> Result<()> {
    let since = Instant::now();
    each(hosts, record, |host, _| power::reboot(host))?;
    power::wait_for_sshd(hosts, record, since)
}

/// Pulls the cables, or puts them back.
pub fn set_cables(hosts: &[Host], record: &Record, plugged: bool) -> Result<()> {
    for host in hosts {
        if plugged {
            let _ = fs::remove_file(host.cut_marker());
        } else {
            fs::write(host.cut_marker(), "")?;
        }
        if power::is_on(host, record) {
            network::set_link(host, plugged)?;
        }
    }
    Ok(())
}

/// Puts blank machines in their places.
pub fn replace(hosts: &[Host], record: &Record, refresh_known_hosts: bool) -> Result<()> {
    kill(hosts, record)?;
    let mut aside = Vec::new();
    for host in hosts {
        let old = host.directory().with_file_name(format!(
            "{}.replaced-{}",
            host.name(),
            std::process::id()
        ));
        fs::rename(host.directory(), &old)?;
        aside.push(old);
    }
    start(hosts, record)?;
    if refresh_known_hosts && let Some(host) = hosts.first() {
        access::write_known_hosts(&host.lab, record)?;
    }
    // Last: deleting what a host had written can take many seconds.
    for old in aside {
        fs::remove_dir_all(old)?;
    }
    Ok(())
}

/// Puts blank disks in the place of the bricks' ones.
pub fn replace_disks(hosts: &[Host], record: &Record) -> Result<()> {
    for host in hosts {
        if power::is_on(host, record) {
            bail!(
                "{} is on; its disk is changed while it is off: `lab kill` or `lab stop` first",
                host.name()
            );
        }
        host.make_brick_disk()?;
    }
    Ok(())
}

/// Does the same to every host at once; reports every failure.
pub fn each(hosts: &[Host], record: &Record, act: fn(&Host, &Record) -> Result<()>) -> Result<()> {
    let problems: Vec<String> = thread::scope(|scope| {
        let acts: Vec<_> = hosts
            .iter()
            .map(|host| (host, scope.spawn(move || act(host, record))))
            .collect();
        acts.into_iter()
            .filter_map(|(host, thread)| match thread.join() {
                Ok(result) => result
                    .err()
                    .map(|error| format!("{}: {error:#}", host.name())),
                Err(_) => Some(format!("{}: the command broke", host.name())),
            })
            .collect()
    });
    if problems.is_empty() {
        Ok(())
    } else {
        bail!("{}", problems.join("\n"))
    }
}

/// Waits until the lab's hosts are off; the ones that are not.
pub fn still_on(lab: &Lab, record: &Record) -> Vec<String> {
    // A host that is just being switched off counts as off a moment later.
    let on = || {
        lab.hosts(record)
            .into_iter()
            .filter(|host| power::is_on(host, record))
    };
    wait_until(Duration::from_millis(200), || on().next().is_none());
    on().map(|host| host.name()).collect()
}
