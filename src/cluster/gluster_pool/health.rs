//! How well the pool is: who is connected with whom.

use super::state::Here;
use super::{GlusterPool, State};
use crate::inventory::HostName;
use crate::module::{Health, Light, MemberHealth};

/// The health of each host as a peer of the others. What may still be lost is for the volumes to say.
pub(super) fn of(pool: &GlusterPool, state: &State) -> Health {
    Health {
        layer: "glusterfs pool".to_owned(),
        members: pool
            .hosts
            .iter()
            .map(|host| {
                let (light, says) = member(pool, state, host);
                MemberHealth {
                    host: host.clone(),
                    light,
                    says,
                }
            })
            .collect(),
        margin: None,
    }
}

fn member(pool: &GlusterPool, state: &State, host: &HostName) -> (Light, String) {
    let here = pool.here(state, host);
    let Here::Member(place) = here else {
        return match here {
            Here::Silent(_) => (Light::Unknown, here.says()),
            Here::Blank { .. } if pool.hosts.len() == 1 => (Light::Green, "alone".to_owned()),
            _ => (Light::Red, here.says()),
        };
    };
    let others: Vec<&HostName> = pool.hosts.iter().filter(|other| *other != host).collect();
    let known = |other: &&&HostName| {
        let uuid = pool
            .here(state, other)
            .place()
            .map_or("", |place| place.uuid.as_str());
        let entry = place
            .peers
            .iter()
            .find(|peer| peer.is_called(other.as_str()) || (!uuid.is_empty() && peer.uuid == uuid));
        entry.is_some_and(crate::probe::gluster::Peer::is_well)
    };
    let well = others.iter().filter(known).count() + 1;
    let all = others.len() + 1;
    let light = if well == all {
        Light::Green
    } else {
        Light::Yellow
    };
    let missing: Vec<&str> = others
        .iter()
        .filter(|other| !known(other))
        .map(|other| other.as_str())
        .collect();
    let says = match &missing[..] {
        [] => format!("{well} of {all} connected"),
        names => format!("{well} of {all} connected, not {}", names.join(", ")),
    };
    (light, says)
}
