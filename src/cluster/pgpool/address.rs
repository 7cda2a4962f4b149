//! The virtual address: in a network of every host, and nobody else's.

use super::state::State;
use super::{Pgpool, refuse};
use crate::inventory::HostName;
use crate::plan::{Decision, Refusal};
use crate::probe::Seen;
use crate::probe::arp::About;
use crate::probe::network::Interface;
use ipnet::Ipv4Net;

/// The interface of a host whose network holds the address, not counting the address itself.
pub(super) fn home<'a>(wanted: &Pgpool, interfaces: &'a [Interface]) -> Option<&'a str> {
    let vip = wanted.vip;
    interfaces
        .iter()
        .filter(|interface| {
            wanted
                .interface
                .as_ref()
                .is_none_or(|name| *name == interface.name)
        })
        .find(|interface| {
            interface.addresses.iter().any(|own| {
                own.parse::<Ipv4Net>()
                    .is_ok_and(|net| net.addr() != vip && net.contains(&vip))
            })
        })
        .map(|interface| &*interface.name)
}

/// Who asks the network for the address, and how: only while none of the hosts has it and nothing of ours could take it.
pub(super) fn asks<'a>(wanted: &'a Pgpool, state: &State) -> Option<(&'a HostName, About)> {
    if !wanted.watchdog {
        return None;
    }
    let vip = wanted.vip.to_string();
    let ours = state.hosts.values().any(|observed| {
        observed.is_active() || observed.has(&vip) || observed.unit.known().is_none()
    });
    if ours {
        return None;
    }
    wanted.members.iter().find_map(|host| {
        let interfaces = state.hosts.get(host)?.interfaces.known()?;
        let name = home(wanted, interfaces)?;
        let about = About {
            interface: name.to_owned(),
            address: wanted.vip,
        };
        Some((host, about))
    })
}

/// Before anything is changed: whether the address can be used.
pub(super) fn check(wanted: &Pgpool, state: &State) -> Decision {
    Decision {
        refusals: obstacle(wanted, state).into_iter().collect(),
        ..Decision::default()
    }
}

/// P26 and P27: why the address cannot be used.
pub(super) fn obstacle(wanted: &Pgpool, state: &State) -> Option<Refusal> {
    if !wanted.watchdog {
        return None;
    }
    let mut outside = Vec::new();
    for host in &wanted.members {
        let Some(Seen::Is(interfaces)) = state.hosts.get(host).map(|seen| &seen.interfaces) else {
            continue;
        };
        if home(wanted, interfaces).is_none() {
            let networks: Vec<String> = interfaces
                .iter()
                .flat_map(|interface| {
                    let name = &interface.name;
                    interface
                        .addresses
                        .iter()
                        .map(move |own| format!("{name} {own}"))
                })
                .collect();
            outside.push(format!("{host}: {}", networks.join(", ")));
        }
    }
    if !outside.is_empty() {
        return Some(refuse::address_outside(wanted, outside));
    }
    match &state.taken {
        Some((host, Seen::Is(true))) => Some(refuse::address_in_use(wanted, host)),
        _ => None,
    }
}
