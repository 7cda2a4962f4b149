//! firewalld: what is open now, and what will be open after a restart.
//!
//! Asked over D-Bus with `busctl`: each `firewall-cmd` starts a Python interpreter.
//! Source: firewalld's D-Bus interface, `getZoneSettings2` and `config.zone.getSettings2` (since 0.9).

use super::Seen;
use super::network::is_containers;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What is known about firewalld on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firewall {
    /// Whether firewalld runs; without it nothing else here is known.
    pub running: bool,
    /// Whether there is no firewalld at all.
    pub absent: bool,
    /// Why it does not answer.
    pub silent: String,
    /// The zone of interfaces that no zone names.
    pub default_zone: String,
    /// Zone by interface, for the host's own interfaces that a zone holds now.
    pub interfaces: BTreeMap<String, String>,
    /// Zone by source (an address, a network, a MAC address, `ipset:NAME`); these come before interfaces.
    pub sources: BTreeMap<String, String>,
    /// The active zones and the default one.
    pub zones: BTreeMap<String, Zone>,
}

/// One zone, now and after a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Zone {
    /// What holds now.
    pub runtime: Openings,
    /// What is configured to hold after a restart.
    pub permanent: Openings,
}

/// What a zone lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Openings {
    /// `2377/tcp`, `49152-60999/tcp`
    pub ports: BTreeSet<String>,
    /// `ssh`, `glusterfs`
    pub services: BTreeSet<String>,
    /// `vrrp`, `esp`
    pub protocols: BTreeSet<String>,
    /// `default`, `ACCEPT`, `DROP`, `%%REJECT%%`
    pub target: String,
}

impl Firewall {
    /// The zone that filters an interface.
    pub fn zone_of(&self, interface: &str) -> &str {
        self.interfaces
            .get(interface)
            .map_or(&self.default_zone, |zone| zone)
    }

    /// The zone that filters what comes from an address, when one is bound to it: the one with the
    /// narrowest network. Sets of addresses (`ipset:`) are not looked into.
    pub fn zone_of_source(&self, address: IpAddr) -> Option<&str> {
        self.sources
            .iter()
            .filter_map(|(source, zone)| {
                let network: IpNet = source
                    .parse()
                    .or_else(|_| source.parse::<IpAddr>().map(IpNet::from))
                    .ok()?;
                network
                    .contains(&address)
                    .then_some((network.prefix_len(), zone.as_str()))
            })
            .max()
            .map(|(_, zone)| zone)
    }
}

/// What the script says where there is no firewalld.
const NOT_INSTALLED: &str = "firewalld is not installed";

pub(super) const FIREWALL: &str = r#"
b() { busctl --json=short call org.fedoraproject.FirewallD1 "$@"; }
p=/org/fedoraproject/FirewallD1; i=org.fedoraproject.FirewallD1
if ! command -v firewall-cmd >/dev/null; then echo 'firewalld is not installed' >&2; exit 0; fi
if [ "$(systemctl is-active firewalld)" != active ]; then echo 'firewalld is not running' >&2; exit 0; fi
default=$(b $p $i getDefaultZone) && active=$(b $p $i.zone getActiveZones) || exit 1
printf '%s\n%s\n' "$default" "$active"
names=$(busctl call org.fedoraproject.FirewallD1 $p $i.zone getZones | tr -d '"')
set -- $names; shift 2
for z; do
  case "$default$active" in *"\"$z\""*) ;; *) continue ;; esac
  runtime=$(b $p $i.zone getZoneSettings2 s "$z") || exit 1
  o=$(busctl call org.fedoraproject.FirewallD1 $p/config $i.config getZoneByName s "$z") || exit 1
  o=${o#*\"}; permanent=$(b "${o%\"}" $i.config.zone getSettings2) || exit 1
  printf '%s\n%s\n%s\n' "$z" "$runtime" "$permanent"
done"#;

#[derive(Deserialize)]
struct Reply {
    data: Vec<serde_json::Value>,
}

fn first(line: Option<&str>) -> Option<serde_json::Value> {
    let reply: Reply = serde_json::from_str(line?).ok()?;
    reply.data.into_iter().next()
}

pub(super) fn parse(status: i32, stdout: &str, stderr: &str) -> Seen<Firewall> {
    if status == 0 && stdout.trim().is_empty() {
        let silent = stderr.trim().to_owned();
        return Seen::Is(Firewall {
            absent: silent == NOT_INSTALLED,
            silent,
            ..Firewall::default()
        });
    }
    match parsed(stdout) {
        Some(firewall) if status == 0 => Seen::Is(firewall),
        _ => Seen::Unknown(format!(
            "firewalld did not answer over D-Bus: {}",
            stderr.trim()
        )),
    }
}

fn parsed(stdout: &str) -> Option<Firewall> {
    let mut lines = stdout.lines();
    let mut firewall = Firewall {
        running: true,
        default_zone: first(lines.next())?.as_str()?.to_owned(),
        ..Firewall::default()
    };
    for (zone, members) in first(lines.next())?.as_object()? {
        let held = |key: &str| -> BTreeMap<String, String> {
            let list = members.get(key).and_then(|list| list.as_array());
            list.into_iter()
                .flatten()
                .filter_map(|name| Some((name.as_str()?.to_owned(), zone.clone())))
                .collect()
        };
        // Docker adds its bridges some time after the command that needed them has ended.
        let own = held("interfaces")
            .into_iter()
            .filter(|(name, _)| !is_containers(name));
        firewall.interfaces.extend(own);
        firewall.sources.extend(held("sources"));
    }
    while let Some(zone) = lines.next() {
        let runtime = openings(&first(lines.next())?);
        let permanent = openings(&first(lines.next())?);
        firewall
            .zones
            .insert(zone.to_owned(), Zone { runtime, permanent });
    }
    Some(firewall)
}

/// A variant dictionary: `{"ports": {"type": "a(ss)", "data": [["22", "tcp"]]}, …}`. Empty entries are left out by firewalld.
fn openings(settings: &serde_json::Value) -> Openings {
    let list = |key: &str| {
        let data = settings.get(key).and_then(|variant| variant.get("data"));
        data.and_then(|data| data.as_array())
            .cloned()
            .unwrap_or_default()
    };
    let names = |key: &str| {
        list(key)
            .iter()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect()
    };
    Openings {
        ports: list("ports")
            .iter()
            .filter_map(|pair| {
                Some(format!(
                    "{}/{}",
                    pair.get(0)?.as_str()?,
                    pair.get(1)?.as_str()?
                ))
            })
            .collect(),
        services: names("services"),
        protocols: names("protocols"),
        target: settings
            .get("target")
            .and_then(|variant| variant.get("data")?.as_str())
            .unwrap_or("default")
            .to_owned(),
    }
}
