//! Overlay subnets must not be taken from the networks that the hosts themselves live in (S18):
//! a container could then no longer reach those hosts.

use super::{State, Swarm};
use crate::inventory::HostName;
use crate::probe::Seen;
use ipnet::Ipv4Net;

/// Docker's own pool for overlay networks when none is given.
const BUILT_IN_POOL: &str = "10.0.0.0/8";

/// The pools that are asked for when a swarm is founded now.
pub(super) fn founding(swarm: &Swarm) -> &[Ipv4Net] {
    if swarm.default_addr_pool.is_empty() {
        &swarm.founding_pool
    } else {
        &swarm.default_addr_pool
    }
}

/// The pools that it then has.
pub(super) fn pools(swarm: &Swarm) -> Vec<Ipv4Net> {
    match founding(swarm) {
        [] => BUILT_IN_POOL.parse().into_iter().collect(),
        pools => pools.to_vec(),
    }
}

/// Interfaces that Docker makes come and go with the swarm itself.
fn is_docker_own(interface: &str) -> bool {
    interface == "lo"
        || ["docker", "veth", "br-"]
            .iter()
            .any(|prefix| interface.starts_with(prefix))
}

/// Each network of a host that overlaps a pool, as a line of evidence.
pub(super) fn overlaps(swarm: &Swarm, state: &State, pools: &[Ipv4Net]) -> Vec<String> {
    let mut found = Vec::new();
    for (host, interface, network) in own_networks(swarm, state) {
        for pool in pools {
            if pool.contains(&network) || network.contains(pool) {
                found.push(format!(
                    "{host}: {interface} is in {network}, which overlaps the pool {pool}"
                ));
            }
        }
    }
    found
}

/// Hosts whose networks are not known.
pub(super) fn unknown(swarm: &Swarm, state: &State) -> Vec<String> {
    swarm
        .members
        .iter()
        .filter_map(|member| match &swarm.observed(state, member).networks {
            Seen::Unknown(why) => Some(format!("{}: {why}", member.host)),
            Seen::Is(_) => None,
        })
        .collect()
}

fn own_networks<'a>(
    swarm: &'a Swarm,
    state: &'a State,
) -> impl Iterator<Item = (&'a HostName, &'a str, Ipv4Net)> {
    swarm.members.iter().flat_map(move |member| {
        swarm
            .observed(state, member)
            .networks
            .known()
            .into_iter()
            .flatten()
            .filter(|(interface, _)| !is_docker_own(interface))
            .filter_map(|(interface, address)| {
                let network: Ipv4Net = address.parse().ok()?;
                Some((&member.host, &**interface, network.trunc()))
            })
    })
}
