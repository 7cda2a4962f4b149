//! Interfaces, addresses, drivers, and what names resolve to.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Name, such as `eth0`.
    pub name: String,
    /// Kernel driver, such as `vmxnet3`; empty for virtual interfaces.
    pub driver: String,
    /// IPv4 addresses with prefix length, such as `10.20.0.1/24`.
    pub addresses: Vec<String>,
    /// Whether the link is up.
    pub up: bool,
}

impl Interface {
    /// Whether Docker makes and removes it by itself.
    pub fn is_containers(&self) -> bool {
        is_containers(&self.name)
    }
}

pub(super) const INTERFACES: &str = "\
ip -j -4 addr show || exit 1
printf '\\n'
for i in /sys/class/net/*; do
  d=$(readlink \"$i/device/driver\") && printf '%s %s\\n' \"${i##*/}\" \"${d##*/}\"
done
exit 0";

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    local: String,
    #[serde(default)]
    prefixlen: u8,
}

pub(super) fn parse(status: i32, stdout: &str, stderr: &str) -> Seen<Vec<Interface>> {
    let (json, drivers) = stdout.split_once('\n').unwrap_or((stdout, ""));
    let links: Vec<Link> = match serde_json::from_str(json) {
        Ok(links) if status == 0 => links,
        Ok(_) => {
            return Seen::Unknown(format!(
                "`ip -j -4 addr` exited {status}: {}",
                stderr.trim()
            ));
        }
        Err(error) => return Seen::Unknown(format!("`ip -j -4 addr`: {error}; {}", stderr.trim())),
    };
    let driver_of = |name: &str| {
        drivers
            .lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(interface, _)| *interface == name)
            .map_or(String::new(), |(_, driver)| driver.to_owned())
    };
    Seen::Is(
        links
            .into_iter()
            .filter(|link| !link.ifname.is_empty() && !is_containers(&link.ifname))
            .map(|link| Interface {
                driver: driver_of(&link.ifname),
                up: link.flags.iter().any(|flag| flag == "UP"),
                addresses: link
                    .addr_info
                    .iter()
                    .map(|address| format!("{}/{}", address.local, address.prefixlen))
                    .collect(),
                name: link.ifname,
            })
            .collect(),
    )
}

/// Bridges and pairs that Docker makes and removes by itself are no part of the host's own network.
pub(super) fn is_containers(name: &str) -> bool {
    let made = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|id| id.chars().all(|c| c.is_ascii_hexdigit()))
    };
    name == "docker0" || name == "docker_gwbridge" || made("veth") || made("br-")
}

pub(super) fn resolve_script(name: &str) -> String {
    format!("getent ahostsv4 -- {}", quote(name))
}

pub(super) fn parse_resolve(status: i32, stdout: &str, stderr: &str) -> Seen<Vec<String>> {
    match status {
        // 2 = the name is not known, which is an answer.
        0 | 2 => {
            let mut found: Vec<String> = stdout
                .lines()
                .filter_map(|line| line.split_whitespace().next())
                .map(str::to_owned)
                .collect();
            found.sort();
            found.dedup();
            Seen::Is(found)
        }
        _ => Seen::Unknown(format!("getent exited {status}: {}", stderr.trim())),
    }
}
