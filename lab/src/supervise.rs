//! The small process beside each running host that starts it again when it reboots itself.

use std::fs;

use anyhow::{Context, Result};
use nix::unistd::setsid;

use crate::cgroup;
use crate::host::Host;
use crate::lab::Record;
use crate::launcher::End;
use crate::network;
use crate::process::{ProcessId, this_program};

/// Keeps the host running until it switches itself off or dies.
pub fn supervise(host: &Host, record: &Record) -> Result<()> {
    let _ = setsid();
    cgroup::join(&host.unified(record).join("supervisor"))?;
    ProcessId::of(i32::try_from(std::process::id())?)?.save(&host.supervisor_file())?;
    loop {
        network::plug(host)?;
        let status = this_program()
            .args(["boot", "--name", &host.lab.name, &host.name()])
            .status()
            .context("cannot start the launcher")?;
        let end = End::from_code(status.code());
        println!("lab: {}: {end:?}", host.name());
        // What the host left running goes with it. The groups must go, too: in ones that were
        // killed once (their `kill_seq`) the kernel kills what the next boot's systemd starts.
        let system = host.unified(record).join("system");
        cgroup::kill(&system)?;
        cgroup::remove(&system)?;
        for (_, path) in host.v1(record) {
            cgroup::remove(&path)?;
        }
        if end != End::Reboot {
            break;
        }
        cgroup::make_host(host, record)?;
    }
    network::unplug(host)?;
    let _ = fs::remove_file(host.supervisor_file());
    Ok(())
}
