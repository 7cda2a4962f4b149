//! G9: options of the volume. What is not declared is not looked at.

use super::table::about_volume;
use super::{GlusterVolume, State, refuse};
use crate::inventory::HostName;
use crate::plan::{Act, Advice, Class, Decision, GlusterAct, GlusterExpect, Step, StepId, Via};
use crate::probe::gluster_volume::Info;

/// Options that can be set on a volume in use without endangering what is in it: timeouts, caches, threads, logs.
const HARMLESS: &[&str] = &[
    "network.ping-timeout",
    "network.frame-timeout",
    "network.inode-lru-limit",
    "client.event-threads",
    "server.event-threads",
    "cluster.lookup-optimize",
    "cluster.readdir-optimize",
    "cluster.self-heal-window-size",
    "cluster.shd-max-threads",
    "cluster.shd-wait-qlength",
    "cluster.heal-timeout",
    "cluster.choose-local",
    "performance.",
    "diagnostics.",
    "features.cache-invalidation",
];

/// Caches that are wrong when several hosts write: not among the harmless ones.
const WRONG_BESIDE_OTHERS: &[&str] = &["performance.strict-o-direct", "performance.flush-behind"];

fn is_harmless(key: &str) -> bool {
    let matches = |known: &&str| key == *known || (known.ends_with('.') && key.starts_with(*known));
    HARMLESS.iter().any(matches) && !WRONG_BESIDE_OTHERS.contains(&key)
}

pub(super) fn set(
    volume: &GlusterVolume,
    via: &HostName,
    key: &str,
    value: &str,
    why: String,
) -> Step {
    let act = Act::Gluster(GlusterAct::Set {
        volume: volume.name.clone(),
        key: key.to_owned(),
        value: value.to_owned(),
    });
    let id = StepId::new(&["gluster_volume", "set", key]);
    let expect = GlusterExpect::OptionIs(key.to_owned(), value.to_owned());
    Step::new(id, &volume.hosts[0], Class::Repair, why, act)
        .via(Via::Host(via.clone()))
        .done(about_volume(via, volume, expect))
}

/// The options of a volume that was never started: any may be set.
pub(super) fn first(volume: &GlusterVolume, via: &HostName, info: &Info) -> Decision {
    let missing = volume
        .options
        .iter()
        .filter(|(key, value)| info.options.get(*key) != Some(value));
    Decision {
        steps: missing
            .map(|(key, value)| set(volume, via, key, value, "it is declared".to_owned()))
            .collect(),
        ..Decision::default()
    }
}

/// Options that differ on a volume in use.
pub(super) fn drift(
    volume: &GlusterVolume,
    state: &State,
    speaker: &HostName,
    info: &Info,
    decision: &mut Decision,
) {
    let effective = state
        .hosts
        .get(speaker)
        .and_then(|seen| Some(&seen.volume.as_ref()?.known()?.effective));
    let now = |key: &str| {
        let listed = info.options.get(key);
        listed.or_else(|| effective?.get(key)).map(String::as_str)
    };
    for (key, value) in &volume.options {
        match now(key) {
            Some(current) if current == value => {}
            current if is_harmless(key) => {
                let why = format!("it is {}, not {value}", current.unwrap_or("not set"));
                decision.steps.push(set(volume, speaker, key, value, why));
            }
            current => decision.refusals.push(refuse::option(
                volume,
                key,
                value,
                current.unwrap_or("not set"),
            )),
        }
    }
    // Not listed, it is `auto` by itself with more than two copies: absence is no drift.
    let quorum = now("cluster.quorum-type");
    if info.replica > 2
        && matches!(quorum, Some("none" | "fixed"))
        && !volume.options.contains_key("cluster.quorum-type")
    {
        decision.advice.push(Advice {
            code: "G9".to_owned(),
            host: None,
            text: format!(
                "cluster.quorum-type of {} is {}: with anything but auto, copies that cannot see each other are both written to",
                volume.name,
                quorum.unwrap_or_default()
            ),
        });
    }
}
