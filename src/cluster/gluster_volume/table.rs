//! The decision table of the volume. The codes (G0, G5 …) are those of `docs/glusterfs.md`.

use super::{GlusterVolume, State, bricks, found, heal, options, refuse};
use crate::inventory::HostName;
use crate::plan::{Advice, Claim, Decision, Expect, GlusterExpect, Refusal, Wait};
use crate::probe::Query;
use crate::probe::gluster_volume::Info;
use std::collections::BTreeSet;

/// What follows from what the hosts told.
pub(super) fn decide(volume: &GlusterVolume, state: &State) -> Decision {
    if volume.only_check {
        return check(volume, state);
    }
    let mut decision = match state.info(volume) {
        None => absent(volume, state),
        Some((speaker, info)) => there(volume, state, speaker, info),
    };
    decision.advice.extend(even_copies(volume));
    decision
}

pub(super) fn refused(refusal: Refusal) -> Decision {
    Decision {
        refusals: vec![refusal],
        ..Decision::default()
    }
}

pub(super) fn about_volume(
    host: &HostName,
    volume: &GlusterVolume,
    expect: GlusterExpect,
) -> Claim {
    let query = Query::GlusterVolume(volume.name.clone());
    Claim::new(host, query, Expect::Gluster(expect))
}

pub(super) fn about_status(
    host: &HostName,
    volume: &GlusterVolume,
    expect: GlusterExpect,
) -> Claim {
    let query = Query::GlusterStatus(volume.name.clone());
    Claim::new(host, query, Expect::Gluster(expect))
}

/// Before anything is changed: where a volume is to be made, whether its bricks can be.
fn check(volume: &GlusterVolume, state: &State) -> Decision {
    let known = |host: &HostName| {
        let gluster = state.gluster(host);
        gluster.is_some_and(|gluster| gluster.disk_volumes.contains(&volume.name))
    };
    let mut decision = Decision::default();
    if state.info(volume).is_none() && !volume.hosts.iter().any(known) {
        decision.refusals = found::obstacles(volume, state);
    }
    decision
}

/// No daemon tells of the volume. One that does not answer may be the one that has it.
fn absent(volume: &GlusterVolume, state: &State) -> Decision {
    let on_disk: Vec<&HostName> = volume
        .hosts
        .iter()
        .filter(|host| {
            let gluster = state.gluster(host);
            gluster.is_some_and(|gluster| gluster.disk_volumes.contains(&volume.name))
        })
        .collect();
    if !on_disk.is_empty() {
        let waits = on_disk.into_iter().map(|host| Wait {
            what: format!(
                "{host} has the volume {} on its disk, and glusterd does not tell of it; look at `journalctl -u glusterd` there",
                volume.name
            ),
            until: Claim::new(
                host,
                Query::Gluster,
                Expect::Gluster(GlusterExpect::Answers),
            ),
            deadline_s: 120,
        });
        return Decision {
            waits: waits.collect(),
            ..Decision::default()
        };
    }
    if state.silent(volume).next().is_some() {
        return refused(refuse::may_hold_the_volume(volume, state));
    }
    let mute = volume.hosts.iter().find_map(|host| {
        let seen = state.hosts.get(host)?.volume.as_ref()?;
        match seen.known() {
            None => seen.unknown().map(str::to_owned),
            Some(known) => Some(known.silent.clone()),
        }
        .filter(|why| !why.is_empty())
        .map(|why| (host, why))
    });
    if let Some((host, why)) = mute {
        return refused(refuse::not_told(volume, host, &why));
    }
    found::decide(volume, state)
}

/// The volume is there.
fn there(volume: &GlusterVolume, state: &State, speaker: &HostName, info: &Info) -> Decision {
    if let Some(refusal) = refuse::twins(volume, state, info) {
        return refused(refusal);
    }
    if let Some(refusal) = refuse::other_shape(volume, state, info) {
        return refused(refusal);
    }
    let mut decision = match &*info.status {
        // Nobody ever used it: the end of a founding that broke off.
        "Created" => {
            let mut decision = options::first(volume, speaker, info);
            decision
                .steps
                .push(found::start(volume, speaker, volume.replica));
            return decision;
        }
        "Started" => bricks::decide(volume, state, info),
        _ => return refused(refuse::stopped(volume, speaker, info)),
    };
    if decision
        .refusals
        .iter()
        .any(|refusal| refusal.reach == crate::plan::Reach::Layer)
    {
        return decision;
    }
    options::drift(volume, state, speaker, info, &mut decision);
    heal::decide(volume, state, &mut decision);
    decision
}

/// With an even number of copies, half of them is no majority.
fn even_copies(volume: &GlusterVolume) -> Option<Advice> {
    let copies = volume.replica;
    let text = match copies {
        2 => "2 copies have no majority: when the hosts cannot see each other both go on writing, and their files split; 3, or 2 and an arbiter, keep one side from that".to_owned(),
        n if n.is_multiple_of(2) => format!(
            "{n} copies survive the loss of {} hosts, as {} copies do: the majority of {n} is {}",
            n - (n / 2 + 1),
            n - 1,
            n / 2 + 1
        ),
        _ => return None,
    };
    Some(Advice {
        code: "G21".to_owned(),
        host: None,
        text,
    })
}

/// The names, in order, without repetition.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a HostName>) -> String {
    let names: BTreeSet<&str> = names.map(HostName::as_str).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}
