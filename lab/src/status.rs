//! `lab status`.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::cgroup;
use crate::cli::{CgroupVersion, Format};
use crate::fault::Faults;
use crate::host::Host;
use crate::lab::{Lab, Record};
use crate::network;
use crate::power;
use crate::site::Site;

#[derive(Serialize)]
struct Status {
    name: String,
    cgroup: CgroupVersion,
    services: bool,
    hosts: Vec<HostStatus>,
    faults: Faults,
}

#[derive(Serialize)]
struct HostStatus {
    name: String,
    address: String,
    on: bool,
    cable: bool,
    sshd: bool,
}

/// Prints the state of the lab.
pub fn show(lab: &Lab, format: Format) -> Result<()> {
    let record = lab.record()?;
    let status = look(lab, &record);
    match format {
        Format::Json => println!("{}", serde_json::to_string(&status)?),
        Format::Text => print!("{}", text(&status, &record.site)),
    }
    Ok(())
}

fn look(lab: &Lab, record: &Record) -> Status {
    let looks: Vec<_> = lab
        .hosts(record)
        .into_iter()
        .map(|host| {
            let on = power::is_on(&host, record);
            thread::spawn(move || HostStatus {
                name: host.name(),
                address: host.address(),
                on,
                cable: !host.cut_marker().exists(),
                sshd: on && answers(&host),
            })
        })
        .collect();
    Status {
        name: lab.name.clone(),
        cgroup: record.cgroup,
        services: cgroup::populated(&record.unified.join("services")),
        hosts: looks
            .into_iter()
            .filter_map(|look| look.join().ok())
            .collect(),
        faults: Faults::load(lab),
    }
}

/// Runs in a thread of its own: it moves to the lab's network.
fn answers(host: &Host) -> bool {
    network::enter(&host.lab.namespace()).is_ok() && power::greets(host, Duration::from_secs(1))
}

fn text(status: &Status, site: &Site) -> String {
    let mut text = format!(
        "{:<14} {:<12} {:<6} {:<6} sshd\n",
        "host", "address", "power", "cable"
    );
    for host in &status.hosts {
        text += &format!(
            "{:<14} {:<12} {:<6} {:<6} {}\n",
            host.name,
            host.address,
            if host.on { "on" } else { "off" },
            if host.cable { "in" } else { "out" },
            if host.sshd { "answers" } else { "silent" }
        );
    }
    for loss in &status.faults.losses {
        text += &format!(
            "lost: {}% of what {} sends to {}\n",
            loss.percent,
            site.name(loss.from),
            site.name(loss.to)
        );
    }
    for number in status.faults.no_mirror.keys() {
        text += &format!("{} cannot reach the mirror\n", site.name(*number));
    }
    if !status.services {
        text +=
            "the name server, the mirror and the time server do not run; `lab up` starts them\n";
    }
    text
}
