//! Which version of a package the other hosts run (ruling 7).

use super::refusal::OTHER_VERSION;
use crate::inventory::HostName;
use crate::plan::Advice;
use crate::probe::Seen;
use crate::probe::package::Installed;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What follows for a host that has none yet.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    /// The version that most of them run; the first of the inventory breaks a tie.
    pub version: Option<String>,
    /// What is taken for granted about those that did not answer.
    pub assumes: Option<String>,
    /// What to know when they disagree.
    pub advice: Option<Advice>,
}

/// Decides for `host`; `seen` is about the others of `group`.
pub fn choose(
    host: &HostName,
    group: &[HostName],
    name: &str,
    seen: &BTreeMap<HostName, Seen<Option<Installed>>>,
) -> Peers {
    // By version: the hosts that run it, in the order of the inventory.
    let mut runs: BTreeMap<&str, Vec<&HostName>> = BTreeMap::new();
    let mut silent = Vec::new();
    for peer in group {
        match seen.get(peer) {
            Some(Seen::Is(Some(installed))) => runs.entry(&installed.evr).or_default().push(peer),
            Some(Seen::Unknown(_)) => silent.push(peer.as_str()),
            Some(Seen::Is(None)) | None => {}
        }
    }
    let place = |hosts: &[&HostName]| group.iter().position(|one| hosts.first() == Some(&one));
    let version = runs
        .iter()
        .max_by_key(|(_, hosts)| (hosts.len(), Reverse(place(hosts))))
        .map(|(evr, _)| (*evr).to_owned());
    let advice = version
        .as_ref()
        .filter(|_| runs.len() > 1)
        .map(|chosen| disagree(host, name, chosen, &runs));
    let assumes = (version.is_none() && !silent.is_empty()).then(|| {
        format!(
            "no other version of {name} runs on {}, which did not answer",
            silent.join(", ")
        )
    });
    Peers {
        version,
        assumes,
        advice,
    }
}

fn disagree(
    host: &HostName,
    name: &str,
    chosen: &str,
    runs: &BTreeMap<&str, Vec<&HostName>>,
) -> Advice {
    let seen: Vec<String> = runs
        .iter()
        .map(|(evr, hosts)| {
            let hosts: Vec<&str> = hosts.iter().map(|host| host.as_str()).collect();
            format!("{evr} on {}", hosts.join(", "))
        })
        .collect();
    Advice {
        code: OTHER_VERSION.to_owned(),
        host: Some(host.clone()),
        text: format!(
            "the hosts run different versions of {name} ({}); {host} gets {chosen}, which most of them have (or the first in the inventory); pin a version with `{name}=VERSION`",
            seen.join("; ")
        ),
    }
}
