//! How well PostgreSQL is: its primary, and how closely the standbys follow.

use super::state::Here;
use super::{Postgres, State};
use crate::inventory::HostName;
use crate::module::{Health, Light, Margin, MemberHealth};
use crate::probe::postgres::Server;

/// A standby that is further behind is told, in bytes.
const FAR_BEHIND: i64 = 64 << 20;

/// The health of each member, and how many losses leave a primary with a standby's copy.
pub(super) fn of(of: &Postgres, state: &State) -> Health {
    let primaries: Vec<(&HostName, &Server)> = of
        .members
        .iter()
        .filter_map(|host| Some((host, of.here(state, host).primary()?)))
        .collect();
    let primary = match &primaries[..] {
        [one] => Some(*one),
        _ => None,
    };
    let members: Vec<MemberHealth> = of
        .members
        .iter()
        .map(|host| {
            let (light, says) = member(of.here(state, host), host, primary, primaries.len());
            MemberHealth {
                host: host.clone(),
                light,
                says,
            }
        })
        .collect();
    let green = |member: &&MemberHealth| member.light == Light::Green;
    let copies = members.iter().filter(green).count();
    let because = match primary {
        Some((host, _)) => format!(
            "primary on {host}, {} of {} standbys follow it",
            copies.saturating_sub(1),
            of.members.len() - 1
        ),
        None => format!(
            "{} primaries among {} hosts",
            primaries.len(),
            of.members.len()
        ),
    };
    Health {
        layer: "postgresql".to_owned(),
        members,
        margin: Some(Margin {
            can_lose: primary.map_or(0, |_| copies.saturating_sub(1)),
            because,
        }),
    }
}

fn member(
    here: &Here,
    host: &HostName,
    primary: Option<(&HostName, &Server)>,
    primaries: usize,
) -> (Light, String) {
    match here {
        Here::Silent(_) => (Light::Unknown, here.says()),
        Here::Starting(..) => (Light::Yellow, here.says()),
        Here::Running(_, server, _) if !server.in_recovery => {
            let light = if primaries == 1 {
                Light::Green
            } else {
                Light::Red
            };
            let pending = server.pending_restart().next().is_some();
            let timeline = server.timeline;
            match (light, pending) {
                (Light::Green, true) => (
                    Light::Yellow,
                    format!("primary, timeline {timeline}, a setting waits for a restart"),
                ),
                _ => (light, format!("primary, timeline {timeline}")),
            }
        }
        Here::Running(_, server, _) => standby(host, server, primary),
        _ => (Light::Red, here.says()),
    }
}

fn standby(
    host: &HostName,
    server: &Server,
    primary: Option<(&HostName, &Server)>,
) -> (Light, String) {
    let Some((_, primary)) = primary else {
        return (Light::Red, "standby without a primary".to_owned());
    };
    let streams = server
        .receiver
        .as_ref()
        .is_some_and(|receiver| receiver.status == "streaming");
    if !streams {
        return (Light::Red, "standby, does not stream".to_owned());
    }
    let words = format!("standby, streams, timeline {}", server.timeline);
    match primary.sender(host.as_str()) {
        None => (
            Light::Yellow,
            format!("{words}, but not from the primary under its name"),
        ),
        Some(sender) => {
            let lag = sender.lag_bytes.unwrap_or(0).max(0);
            let says = format!("{words}, {}, {} KiB behind", sender.sync_state, lag >> 10);
            let light = if lag > FAR_BEHIND || server.timeline != primary.timeline {
                Light::Yellow
            } else {
                Light::Green
            };
            (light, says)
        }
    }
}
