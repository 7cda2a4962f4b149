//! `lab up`.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::access;
use crate::cgroup;
use crate::cli::CgroupVersion;
use crate::fault::Faults;
use crate::fence;
use crate::images;
use crate::lab::{Lab, Record};
use crate::machine;
use crate::network;
use crate::power;
use crate::services;
use crate::site::Site;

/// Makes the lab, or starts what is off in one that exists.
pub fn up(lab: &Lab, hosts: u8, site: Site, version: CgroupVersion) -> Result<()> {
    let record = match lab.record() {
        Ok(record) => {
            if (record.hosts, record.cgroup, &record.site) != (hosts, version, &site) {
                bail!(
                    "lab `{0}` exists, with {1} hosts from {3} in {4} and cgroup {2:?}; \
                     remove it with `lab down --name {0}` or choose another name",
                    lab.name,
                    record.hosts,
                    record.cgroup,
                    record.site.name(1),
                    record.site.network
                );
            }
            record
        }
        Err(_) => new(lab, hosts, site, version)?,
    };
    let _lock = lab.lock()?;
    let since = Instant::now();
    machine::raise_limits()?;
    cgroup::make_lab(&record)?;
    fence::raise(&record.devices, record.cgroup)?;
    network::make(lab, record.site.network)?;
    Faults::load(lab).apply(lab, &record)?;
    services::start(lab, &record)?;
    access::prepare(lab, &record)?;
    let hosts = lab.hosts(&record);
    for host in &hosts {
        power::start(host, &record)?;
    }
    power::wait_for_sshd(&hosts, &record, since)?;
    // Not in a lab that was up before: noticing a replaced host is up to those who connect.
    if !access::known_hosts(lab).exists() {
        access::write_known_hosts(lab, &record)?;
    }
    println!(
        "lab `{0}` is up; try `lab ssh --name {0} {1}`",
        lab.name,
        record.site.name(1)
    );
    Ok(())
}

/// Writes down what is going to be made, before any of it is: `down` finds it even if we crash.
fn new(lab: &Lab, hosts: u8, site: Site, version: CgroupVersion) -> Result<Record> {
    if let Some(left) = network::namespaces(lab).first() {
        bail!(
            "network namespace {left} exists, but no lab `{0}` in {1}: either it was made with another LAB_HOME, \
             or its state is lost; then `lab down --name {0}` clears it away",
            lab.name,
            lab.directory.parent().unwrap_or(&lab.directory).display()
        );
    }
    let images = images::make()?;
    let places = cgroup::places(lab)?;
    fs::create_dir_all(&lab.directory)
        .with_context(|| format!("cannot make {}", lab.directory.display()))?;
    let record = Record {
        hosts,
        site,
        cgroup: version,
        unified: places.unified,
        devices: places.devices,
        v1: cgroup::further(version, places.v1),
        base: images.base,
        web: images.web,
        identity: images.identity,
    };
    lab.save(&record)?;
    Ok(record)
}
