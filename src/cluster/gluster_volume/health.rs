//! How well the volume is: its bricks, what is to be healed, and what it can still lose.

use super::bricks::{Condition, condition};
use super::heal::pending;
use super::{GlusterVolume, State};
use crate::inventory::HostName;
use crate::module::{Health, Light, Margin, MemberHealth};
use crate::probe::gluster_volume::{Heal, Info};

/// The health of each brick, and the margin.
pub(super) fn of(volume: &GlusterVolume, state: &State) -> Health {
    let info = state.info(volume).map(|(_, info)| info);
    let members = volume.hosts.iter().filter_map(|host| {
        let (light, says) = member(volume, state, info, host)?;
        Some(MemberHealth {
            host: host.clone(),
            light,
            says,
        })
    });
    Health {
        layer: format!("glusterfs {}", volume.name),
        members: members.collect(),
        margin: Some(margin(volume, state, info)),
    }
}

fn heal(state: &State) -> Option<&[Heal]> {
    let (_, status) = state.status.as_ref()?;
    status.known()?.heal.as_deref()
}

/// `None` for a host of the pool that has no brick.
fn member(
    volume: &GlusterVolume,
    state: &State,
    info: Option<&Info>,
    host: &HostName,
) -> Option<(Light, String)> {
    let silent = state
        .hosts
        .get(host)
        .and_then(|seen| seen.gluster.unknown());
    let Some(info) = info else {
        let brick = volume.brick_hosts().contains(host);
        return brick.then(|| match silent {
            Some(why) => (Light::Unknown, format!("did not answer: {why}")),
            None => (Light::Red, "no volume".to_owned()),
        });
    };
    let brick = state.brick(info, host)?;
    if let Some(why) = silent {
        let seen = match state.online(brick) {
            Some(true) => "its brick is online",
            Some(false) => "its brick is offline",
            None => "nobody tells of its brick",
        };
        return Some((Light::Unknown, format!("did not answer: {why}; {seen}")));
    }
    if info.status != "Started" {
        return Some((Light::Red, format!("volume {}", info.status.to_lowercase())));
    }
    let (light, mut says) = match condition(state, Some(host), info, brick) {
        Condition::Well => (Light::Green, "brick online".to_owned()),
        Condition::Offline => (Light::Red, "brick offline".to_owned()),
        Condition::Lost => (Light::Red, "brick lost".to_owned()),
        Condition::Unknown => (Light::Unknown, "nobody tells of its brick".to_owned()),
    };
    let mut light = light;
    if state.heals(host) == Some(false) {
        light = light.max(Light::Yellow);
        says.push_str(", self-heal daemon missing");
    }
    let own = heal(state)
        .into_iter()
        .flatten()
        .find(|heal| heal.brick == brick.name);
    if let Some(heal) = own {
        if heal.split_brain > 0 {
            light = light.max(Light::Red);
            says.push_str(&format!(", {} in split-brain", heal.split_brain));
        }
        match heal.pending {
            Some(0) => says.push_str(", nothing to heal"),
            Some(entries) => {
                light = light.max(Light::Yellow);
                says.push_str(&format!(", {entries} to heal"));
            }
            None => {}
        }
    }
    Some((light, says))
}

fn margin(volume: &GlusterVolume, state: &State, info: Option<&Info>) -> Margin {
    let Some(info) = info.filter(|info| info.status == "Started") else {
        return Margin {
            can_lose: 0,
            because: format!("the volume {} does not run", volume.name),
        };
    };
    let online = info
        .bricks
        .iter()
        .filter(|brick| state.online(brick) == Some(true))
        .filter(|brick| {
            let host = state.owner(volume, brick);
            condition(state, host, info, brick) == Condition::Well
        })
        .count();
    let mut margin = Margin::majority("bricks", info.bricks.len(), online);
    match heal(state) {
        None => {
            margin.can_lose = 0;
            margin
                .because
                .push_str(", and what is to be healed is not known");
        }
        Some(heal) if pending(heal) > 0 => {
            // The one that is lost might have the only copy that is up to date.
            margin.can_lose = 0;
            let entries = pending(heal);
            margin
                .because
                .push_str(&format!(", and {entries} entries are still to be healed"));
        }
        Some(_) => {}
    }
    margin
}
