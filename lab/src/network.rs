//! Network namespaces, the bridge, and the cables of the hosts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};
use nix::sys::statfs::{NSFS_MAGIC, statfs};

use crate::host::Host;
use crate::lab::Lab;
use crate::process::{run, run_with_input, tool};
use crate::site::Network;

/// Where ip(8) keeps namespaces by name.
const NAMESPACES: &str = "/run/netns";

/// Handle of a network namespace.
pub fn path(namespace: &str) -> PathBuf {
    Path::new(NAMESPACES).join(namespace)
}

/// Whether there is a namespace behind the name; after the machine's restart there may be only
/// an empty file.
fn alive(namespace: &str) -> bool {
    statfs(&path(namespace)).is_ok_and(|info| info.filesystem_type() == NSFS_MAGIC)
}

/// Moves the calling thread.
pub fn enter(namespace: &str) -> Result<()> {
    let path = path(namespace);
    let file = File::open(&path)
        .with_context(|| format!("there is no network namespace {namespace}; is the lab up?"))?;
    setns(file, CloneFlags::CLONE_NEWNET)
        .with_context(|| format!("cannot enter {}; are you root?", path.display()))
}

/// Makes the lab's own namespace with its bridge, unless it is there.
pub fn make(lab: &Lab, network: Network) -> Result<()> {
    let namespace = lab.namespace();
    if alive(&namespace) {
        return Ok(());
    }
    remove(&namespace)?;
    // Once more, because a `down` that removes the last namespace may be in the way (`tidy`).
    add(&namespace).or_else(|_| add(&namespace))?;
    // Without an address of its own the bridge takes one of its ports', which come and go, and
    // with it goes what the hosts have in their ARP tables.
    batch(
        &namespace,
        &format!(
            "link set lo up\n\
             link add br0 address 02:4b:45:32:00:fe type bridge\n\
             addr add {}/{} dev br0\n\
             link set br0 up\n",
            network.gateway(),
            network.prefix()
        ),
    )
}

/// Gives a host that is being switched on a new namespace and connects it to the bridge.
/// A new one each time: firewall rules, bridges and routes do not outlive a real reboot either.
pub fn plug(host: &Host) -> Result<()> {
    unplug(host)?;
    let (lab, own, link) = (host.lab.namespace(), host.namespace(), host.link());
    add(&own)?;
    let state = if host.cut_marker().exists() {
        "down"
    } else {
        "up"
    };
    batch(
        &lab,
        &format!(
            "link add {link} type veth peer name eth0 address {mac} netns {own}\n\
             link set {link} master br0 {state}\n",
            mac = host.mac()
        ),
    )?;
    batch(
        &own,
        &format!(
            "link set lo up\n\
             addr add {}/{} brd + dev eth0\n\
             link set eth0 up\n\
             route add default via {}\n",
            host.address(),
            host.network().prefix(),
            host.network().gateway()
        ),
    )
}

/// Takes the cable away; to the others the host falls silent. No error if there is none.
pub fn silence(host: &Host) {
    let _ = run(tool("ip").args(["-n", &host.lab.namespace(), "link", "del", &host.link()]));
}

/// Takes the cable and the namespace away. No error if they are not there.
pub fn unplug(host: &Host) -> Result<()> {
    silence(host);
    remove(&host.namespace())
}

/// Sets the link of a running host up or down.
pub fn set_link(host: &Host, up: bool) -> Result<()> {
    let state = if up { "up" } else { "down" };
    run(tool("ip").args([
        "-n",
        &host.lab.namespace(),
        "link",
        "set",
        &host.link(),
        state,
    ]))
    .map(drop)
}

/// Removes a namespace. No error if it is not there.
pub fn remove(namespace: &str) -> Result<()> {
    if path(namespace).exists() {
        run(tool("ip").args(["netns", "del", namespace]))?;
    }
    Ok(())
}

/// Namespaces of the lab, whether written down or not: its own, and those of its hosts.
pub fn namespaces(lab: &Lab) -> Vec<String> {
    let own = lab.namespace();
    let of_host = |name: &str| {
        name.strip_prefix(&own)
            .and_then(|rest| rest.strip_prefix("-ke2-server"))
            .is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
    };
    let entries = fs::read_dir(NAMESPACES).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| *name == own || of_host(name)).collect()
}

/// After the last namespace of the machine, takes away the mount that ip(8) made for the first.
pub fn tidy() {
    let empty = fs::read_dir(NAMESPACES).is_ok_and(|mut entries| entries.next().is_none());
    if empty && run(tool("umount").arg(NAMESPACES)).is_ok() {
        let _ = fs::remove_dir(NAMESPACES);
    }
}

fn batch(namespace: &str, commands: &str) -> Result<()> {
    run_with_input(tool("ip").args(["-n", namespace, "-batch", "-"]), commands).map(drop)
}

/// Makes a namespace in which interfaces get no IPv6 addresses (the loopback has its own already).
fn add(namespace: &str) -> Result<()> {
    run(tool("ip").args(["netns", "add", namespace]))?;
    let script = "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6";
    run(tool("ip").args(["netns", "exec", namespace, "sh", "-c", script])).map(drop)
}
