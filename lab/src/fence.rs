//! The fence that keeps root of a host off the machine's disks: a version 1 `devices` group that
//! denies them, which every process of every host is in. Root of a host cannot leave or change it,
//! because its control group namespace begins below.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::cli::CgroupVersion;

/// Loop devices carry the brick disks of the hosts.
const LOOP: u64 = 7;

/// Denies all block devices of the machine but loop devices in the group `devices`.
///
/// With version 1 control groups inside the hosts, making a device node stays allowed and only
/// opening it is denied: runc allows every container to make nodes, and writing that to a group
/// fails if any group above denies a part of it.
pub fn raise(devices: &Path, version: CgroupVersion) -> Result<()> {
    let access = match version {
        CgroupVersion::V1 => "rw",
        CgroupVersion::V2 => "rwm",
    };
    for major in majors(&fs::read_to_string("/proc/devices")?, &numbers()?) {
        fs::write(
            devices.join("devices.deny"),
            format!("b {major}:* {access}"),
        )
        .with_context(|| {
            format!(
                "cannot deny block devices {major}:* in {}",
                devices.display()
            )
        })?;
    }
    Ok(())
}

/// Proves that the calling process is behind the fence: it must not be able to open any of the
/// machine's disks by a node made in `directory`.
pub fn prove(directory: &Path) -> Result<()> {
    let probe = directory.join("fence-probe");
    for (major, minor) in numbers()?.into_iter().filter(|(major, _)| *major != LOOP) {
        let node = mknod(&probe, SFlag::S_IFBLK, Mode::S_IRUSR, makedev(major, minor));
        if node == Err(Errno::EPERM) {
            continue;
        }
        let opened = open(&probe, OFlag::O_RDONLY, Mode::empty());
        let _ = fs::remove_file(&probe);
        if !matches!(opened, Err(Errno::EPERM)) {
            bail!(
                "the fence does not hold: opening block device {major}:{minor} gave {opened:?}; \
                 refusing to start a host that could write to the machine's disks"
            );
        }
    }
    Ok(())
}

/// Device numbers of all block devices of the machine.
fn numbers() -> Result<Vec<(u64, u64)>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/sys/class/block").context("cannot list the machine's disks")? {
        let text = fs::read_to_string(entry?.path().join("dev"))?;
        let (major, minor) = text
            .trim()
            .split_once(':')
            .context("odd device number in /sys/class/block")?;
        numbers.push((major.parse()?, minor.parse()?));
    }
    Ok(numbers)
}

/// Major numbers to deny: those of the disks there are, and those of all block drivers
/// (`devices` is /proc/devices), because a disk may be added later.
fn majors(devices: &str, numbers: &[(u64, u64)]) -> BTreeSet<u64> {
    let drivers = devices
        .lines()
        .skip_while(|line| *line != "Block devices:")
        .skip(1);
    drivers
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .chain(numbers.iter().map(|(major, _)| *major))
        .filter(|major| *major != LOOP)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_disks_but_loops_are_denied() {
        let devices =
            "Character devices:\n  1 mem\n\nBlock devices:\n  7 loop\n253 zram\n254 virtblk\n";
        let denied = majors(devices, &[(7, 0), (8, 1)]);
        assert_eq!(denied.into_iter().collect::<Vec<_>>(), [8, 253, 254]);
    }
}
