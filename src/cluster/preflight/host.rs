//! Checks of one host by itself: H20, H21, H22, H24, H25, H27, H28, H29.

use super::{Facts, Found, Preflight, Target};
use crate::probe::machine::Machine;
use std::net::Ipv4Addr;

/// What `PLATFORM_ID` says on EL9.
const EL9: &str = "platform:el9";

/// Architectures that Docker's packages for EL9 exist for.
pub(super) const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// Below this, in bytes, packages and images do not fit.
const DISK_REFUSE: u64 = 500 << 20;

/// Below this, in bytes, they hardly do.
const DISK_ADVISE: u64 = 2 << 30;

/// Docker's own UDP port for overlay networks, which is VXLAN's.
const VXLAN_PORT: u16 = 4789;

pub(super) fn check(preflight: &Preflight, target: &Target, facts: &Facts, found: &mut Found) {
    let Some(machine) = facts.machine.known() else {
        return;
    };
    system(preflight, target, machine, found);
    if preflight.root && machine.uid != 0 {
        found.refuse(
            &target.host,
            "H24",
            format!("commands on {} do not run as root", target.host),
            &format!("the shell's user id is {}", machine.uid),
            "set `become: true` for the play, or `ansible_become: true` for the host, and let the login user use sudo",
        );
    }
    if !target.named_by_us && machine.hostname != target.host.as_str() {
        found.refuse(
            &target.host,
            "H29",
            format!("{} calls itself {}, and `manage_hosts` is off; the cluster's layers know hosts by their names", target.host, machine.hostname),
            &format!("`uname -n` says {}", machine.hostname),
            "set the name by hand (`hostnamectl set-hostname`), or leave it to provision (`manage_hosts: true`)",
        );
    }
    network(preflight, target, facts, found);
    disks(target, facts, found);
    let unknown = [
        ("addresses", facts.interfaces.unknown()),
        ("clock", facts.clock.unknown()),
    ];
    for (what, why) in unknown {
        if let Some(why) = why {
            found.advise(
                &target.host,
                "H28",
                format!("the {what} of {} could not be checked: {why}", target.host),
            );
        }
    }
}

fn system(preflight: &Preflight, target: &Target, machine: &Machine, found: &mut Found) {
    if machine.platform != EL9 && !preflight.allow_os.contains(&machine.platform) {
        let platform = if machine.platform.is_empty() {
            "no PLATFORM_ID".to_owned()
        } else {
            machine.platform.clone()
        };
        found.refuse(
            &target.host,
            "H21",
            format!("{} is not an EL9 host", target.host),
            &format!("os-release says {} ({platform})", machine.os_name),
            "use CentOS Stream 9, AlmaLinux 9, Rocky Linux 9 or RHEL 9, or name the platform in `allow_os` when you know that it works",
        );
    }
    if !ARCHITECTURES.contains(&&*machine.architecture) {
        found.refuse(
            &target.host,
            "H22",
            format!(
                "{} is a {} machine, and there are packages for x86_64 and aarch64 only",
                target.host, machine.architecture
            ),
            &format!("`uname -m` says {}", machine.architecture),
            "use a machine of another kind",
        );
    }
}

fn network(preflight: &Preflight, target: &Target, facts: &Facts, found: &mut Found) {
    let Some(interfaces) = facts.interfaces.known() else {
        return;
    };
    let cluster = facts
        .cluster_interface(target)
        .map(|(interface, _)| interface);
    if let Some(address) = &target.address
        && address.parse::<Ipv4Addr>().is_ok()
        && cluster.is_none()
    {
        found.advise(
            &target.host,
            "H25",
            format!(
                "no interface of {} has the address {address}: behind NAT, set `advertise_address` to the one that the other hosts reach",
                target.host
            ),
        );
    }
    let mut suspects = interfaces.iter().filter(|interface| match cluster {
        Some(cluster) => cluster.name == interface.name,
        None => interface.up,
    });
    if preflight.data_path_port == VXLAN_PORT
        && let Some(interface) = suspects.find(|interface| interface.driver == "vmxnet3")
    {
        found.advise(
            &target.host,
            "H20",
            format!(
                "{} of {} is a vmxnet3: some of its versions drop overlay traffic on port {VXLAN_PORT} (ping works, TCP between containers hangs). Choose another `data_path_port` now; it is fixed once the swarm is founded",
                interface.name, target.host
            ),
        );
    }
}

fn disks(target: &Target, facts: &Facts, found: &mut Found) {
    let mut mounts: Vec<&str> = Vec::new();
    for (path, seen) in &facts.disks {
        let disk = match seen.known() {
            Some(disk) => disk,
            None => {
                if let Some(why) = seen.unknown() {
                    found.advise(
                        &target.host,
                        "H28",
                        format!(
                            "the space for {path} on {} could not be checked: {why}",
                            target.host
                        ),
                    );
                }
                continue;
            }
        };
        // Two paths on one file system are one finding.
        if mounts.contains(&&*disk.mount_point) {
            continue;
        }
        mounts.push(&disk.mount_point);
        let place = format!("{} on {} (for {path})", disk.mount_point, target.host);
        if disk.free_bytes < DISK_REFUSE {
            found.refuse(
                &target.host,
                "H27",
                format!("less than 500 MiB are free in {place}"),
                &format!("`df {}`", disk.mount_point),
                "make room, or put a larger file system there",
            );
        } else if disk.free_bytes < DISK_ADVISE {
            found.advise(
                &target.host,
                "H27",
                format!("less than 2 GiB are free in {place}"),
            );
        }
        if disk.inodes_used_percent >= 95 {
            found.advise(
                &target.host,
                "H27",
                format!("the inodes are almost used up in {place}"),
            );
        }
    }
}
