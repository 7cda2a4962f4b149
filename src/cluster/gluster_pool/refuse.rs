//! Why not: one function a row of the table. Each says what was seen, and what a person can do.

use super::state::Here;
use super::table::Whole;
use super::{GlusterPool, State};
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::gluster::Peer;
use std::collections::BTreeSet;

fn refusal(
    code: &str,
    reach: Reach,
    because: String,
    evidence: Vec<String>,
    hint: &str,
) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because,
        evidence,
        hint: hint.to_owned(),
        reach,
    }
}

/// G0: a host that did not answer may be the one that holds the pool.
pub(super) fn may_hold_a_pool(pool: &GlusterPool, state: &State) -> Refusal {
    let silent: Vec<&str> = pool
        .hosts
        .iter()
        .filter(|host| matches!(pool.here(state, host), Here::Silent(_)))
        .map(HostName::as_str)
        .collect();
    refusal(
        "G0",
        Reach::Layer,
        format!(
            "no pool of GlusterFS is seen, but {} did not answer and may hold one with its volumes: founding another would make two",
            silent.join(", ")
        ),
        pool.all_say(state),
        "bring the host back and run again, or take it out of the inventory when it is gone for good; no flag overrides this",
    )
}

/// G2: the pool knows the host by another identity.
pub(super) fn replaced(whole: &Whole<'_>, host: &HostName, former: &Peer, why: &str) -> Refusal {
    let here = whole.pool.here(whole.state, host);
    let own = match here {
        Here::Blank { uuid, .. } => uuid.as_str(),
        _ => here.place().map_or("", |place| place.uuid.as_str()),
    };
    let own = if own.is_empty() { "none" } else { own };
    let mut evidence = vec![
        format!(
            "the pool: {} is {}, {}{}",
            former.hostnames.join("/"),
            former.uuid,
            former.state_text,
            if former.connected {
                ""
            } else {
                ", not connected"
            }
        ),
        format!("{host}: its own identity is {own}; {}", here.says()),
    ];
    evidence.dedup();
    refusal(
        "G2",
        Reach::Hosts(vec![host.clone()]),
        format!("the pool knows {host} as another machine, and it is not brought back now: {why}"),
        evidence,
        "mend that and run again: it then gets its former identity, and its brick is filled again from the others (docs/glusterfs.md, G2); a plain probe would say \"success\" and change nothing",
    )
}

/// G3: a peer refuses the other's configuration.
pub(super) fn rejected(whole: &Whole<'_>, hosts: &BTreeSet<HostName>) -> Refusal {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    let mut evidence = Vec::new();
    for (by, place) in &whole.speakers {
        for peer in place.peers.iter().filter(|peer| !peer.is_well()) {
            evidence.push(format!(
                "{by}: {} is {}",
                peer.hostnames.join("/"),
                peer.state_text
            ));
        }
    }
    refusal(
        "G3",
        Reach::LayerAfterWaits,
        format!(
            "members of the pool reject each other ({}): their copies of the volumes' definitions differ, and which one is right cannot be told from here",
            names.join(", ")
        ),
        evidence,
        "compare `cat /var/lib/glusterd/vols/*/cksum` and `grep operating-version /var/lib/glusterd/glusterd.info` on all hosts; docs/glusterfs.md, G3",
    )
}

/// G16: nobody who is in the pool answers.
pub(super) fn nobody_answers(whole: &Whole<'_>) -> Refusal {
    refusal(
        "G16",
        Reach::Layer,
        "no member of the pool answers".to_owned(),
        whole.pool.all_say(whole.state),
        "bring the hosts back; do not make a new pool",
    )
}

/// G18: a host's name means the host itself.
pub(super) fn loopback(state: &State) -> Option<Refusal> {
    let evidence: Vec<String> = state
        .hosts
        .iter()
        .flat_map(|(host, observed)| {
            observed
                .on_loopback()
                .map(move |(name, address)| format!("{host}: {name} is {address}"))
        })
        .collect();
    (!evidence.is_empty()).then(|| {
        refusal(
            "G18",
            Reach::Layer,
            "the name of a host of the pool leads to a loopback address, so that peers and bricks would not find each other".to_owned(),
            evidence,
            "give each name its address in /etc/hosts (`manage_hosts: true` does it), and take the loopback line out",
        )
    })
}

/// G19: hosts in pools that have nothing to do with each other.
pub(super) fn two_pools(pool: &GlusterPool, state: &State) -> Refusal {
    refusal(
        "G19",
        Reach::Layer,
        "the hosts are in different pools of GlusterFS, and only a person can say which one is wanted".to_owned(),
        pool.all_say(state),
        "save what the unwanted pool holds, delete its volumes and detach its members by hand (`gluster peer detach`), and run again",
    )
}

/// G20: the pool that is there is somebody else's.
pub(super) fn pool_of_others(whole: &Whole<'_>, host: &HostName) -> Refusal {
    refusal(
        "G20",
        Reach::Layer,
        format!(
            "{host} is in a pool of GlusterFS with hosts that the inventory does not have in the group"
        ),
        whole.pool.all_say(whole.state),
        "add those hosts to the group `gluster`, or detach this one there by hand once it holds no bricks (`gluster peer detach`)",
    )
}
