//! One boot of one host: behind the fence, into namespaces of its own.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;

use crate::cgroup;
use crate::host::Host;
use crate::lab::Record;
use crate::network;
use crate::process::{ProcessId, this_program};

/// How a boot ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The host asked to be started again.
    Reboot,
    /// The host switched itself off.
    PowerOff,
    /// Its first process was killed, or failed.
    Died,
}

impl End {
    /// Exit status of the launcher that stands for the end.
    pub fn code(self) -> u8 {
        match self {
            Self::Reboot => 129,
            Self::PowerOff => 130,
            Self::Died => 1,
        }
    }

    /// The end that the launcher's exit status stands for.
    pub fn from_code(code: Option<i32>) -> Self {
        match code {
            Some(129) => Self::Reboot,
            Some(130) => Self::PowerOff,
            _ => Self::Died,
        }
    }
}

/// Runs the host from power-on to power-off in the calling process, which must be single-threaded.
pub fn boot(host: &Host, record: &Record) -> Result<End> {
    cgroup::join_host(host, record)?;
    network::enter(&host.namespace())?;
    unshare(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWCGROUP,
    )
    .context("cannot make the namespaces of a host; are you root?")?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )?;
    let mut init = this_program()
        .args(["init", "--name", &host.lab.name, &host.name()])
        .spawn()?;
    ProcessId::of(i32::try_from(init.id())?)?.save(&host.init_file())?;
    let status = init.wait()?;
    let _ = fs::remove_file(host.init_file());
    // reboot(2) in a PID namespace ends its first process by one of these (pid_namespaces(7)).
    Ok(match status.signal().map(Signal::try_from) {
        Some(Ok(Signal::SIGHUP)) => End::Reboot,
        Some(Ok(Signal::SIGINT)) => End::PowerOff,
        _ => End::Died,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_boot_survives_the_exit_status() {
        for end in [End::Reboot, End::PowerOff, End::Died] {
            assert_eq!(End::from_code(Some(end.code().into())), end);
        }
        assert_eq!(End::from_code(None), End::Died);
    }
}
