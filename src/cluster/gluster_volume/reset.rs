//! G6: a brick that is certainly lost is made again in its place (`reset-brick`), whether its disk is new or its whole host
//! (DESIGN, ruling 2). gluster marks it as behind in everything before it is let in, so that it is only ever filled from
//! the others; marks are never set by hand. The guards are those of EXPERIMENTS, part A.

use super::bricks::{Condition, condition};
use super::table::{about_status, about_volume};
use super::{GlusterVolume, State, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Claim, Class, Decision, Expect, GlusterAct, GlusterExpect, Step, StepId, Wait,
};
use crate::probe::brick::Folder;
use crate::probe::gluster_volume::{Brick, Info};
use crate::probe::{Query, Seen};

/// How long healing between the other bricks is watched, in seconds.
const WATCH_S: u64 = 1800;

/// A brick whose folder or mark is gone.
pub(super) struct Lost<'a> {
    pub host: &'a HostName,
    pub brick: &'a Brick,
    pub folder: &'a Folder,
}

/// Makes it again, or says why not.
pub(super) fn decide(
    volume: &GlusterVolume,
    state: &State,
    info: &Info,
    lost: &Lost<'_>,
    decision: &mut Decision,
) {
    if let Some(why) = obstacle(volume, state, info, lost) {
        let online = state.online(lost.brick) == Some(true);
        decision
            .refusals
            .push(refuse::brick_lost(volume, info, lost, &why, online));
        return;
    }
    let Some((speaker, _)) = &state.status else {
        return;
    };
    let others: Vec<(&HostName, &Brick)> = info
        .bricks
        .iter()
        .filter(|brick| *brick != lost.brick)
        .filter_map(|brick| Some((state.owner(volume, brick)?, brick)))
        .collect();
    let name = own_name(volume, info, lost.brick);
    let mut step = step(volume, speaker, info, lost);
    for by in &volume.hosts {
        let names = volume.hosts.iter().filter(|host| *host != by);
        let seen = GlusterExpect::Peers(names.map(ToString::to_string).collect());
        step = step.need(Claim::new(by, Query::Gluster, Expect::Gluster(seen)));
    }
    for (host, brick) in &others {
        let only = Claim::new(
            host,
            Query::GlusterBrick(brick.path().to_owned()),
            Expect::Gluster(GlusterExpect::BlamesOnly(name.clone())),
        );
        if let Some(Seen::Is(folder)) = state.folder(host)
            && folder.blames.keys().any(|blamed| *blamed != name)
        {
            decision.waits.push(Wait {
                what: format!(
                    "{host} has entries that other bricks than the lost one are behind in; those are healed first"
                ),
                until: only.clone(),
                deadline_s: WATCH_S,
            });
        }
        step = step.need(only);
    }
    decision.steps.push(step);
}

/// The name that the other bricks' marks have for it: its place in the volume. After bricks were replaced by hand the
/// names may be others, and then only bricks without any marks will do.
fn own_name(volume: &GlusterVolume, info: &Info, brick: &Brick) -> String {
    let at = info.bricks.iter().position(|other| other == brick);
    format!("{}-client-{}", volume.name, at.unwrap_or_default())
}

fn step(volume: &GlusterVolume, speaker: &HostName, info: &Info, lost: &Lost<'_>) -> Step {
    let host = lost.host;
    let folder = |expect| {
        let query = Query::GlusterBrick(lost.brick.path().to_owned());
        Claim::new(host, query, Expect::Gluster(expect))
    };
    let what = match lost.folder.kind.as_str() {
        "absent" => "its folder is gone",
        _ => "its folder is empty and has no mark",
    };
    Step::new(
        StepId::new(&["gluster_volume", "reset-brick", host.as_str()]),
        host,
        Class::Repair,
        format!(
            "the brick {} is lost: {what}; the other {} hold the files, and fill it",
            lost.brick.path(),
            info.bricks.len() - 1
        ),
        Act::Gluster(GlusterAct::ResetBrick {
            volume: volume.name.clone(),
            brick: lost.brick.name.clone(),
            path: lost.brick.path().to_owned(),
            mount_point: lost.folder.mount_point.clone(),
        }),
    )
    .need(about_volume(
        host,
        volume,
        GlusterExpect::VolumeIs("Started".to_owned()),
    ))
    .need(folder(GlusterExpect::Untouched {
        on_root: volume.on_root,
    }))
    .need(about_status(
        speaker,
        volume,
        GlusterExpect::OthersWell {
            brick: lost.brick.name.clone(),
            uuid: lost.brick.host_uuid.clone(),
            others: info.bricks.len() - 1,
        },
    ))
    .done(about_status(
        speaker,
        volume,
        GlusterExpect::Online(info.bricks.len()),
    ))
}

/// Why nothing is made in its place.
fn obstacle(volume: &GlusterVolume, state: &State, info: &Info, lost: &Lost<'_>) -> Option<String> {
    let folder = lost.folder;
    let others = || info.bricks.iter().filter(|brick| *brick != lost.brick);
    if !folder.unmounted.is_empty() {
        return Some(format!("{} is not mounted", folder.unmounted));
    }
    if folder.on_root && !volume.on_root {
        return Some("its disk is not mounted, and it would be on the root file system".to_owned());
    }
    let on_a_disk = others().find_map(|brick| {
        let host = state.owner(volume, brick)?;
        let other = state.folder(host)?.known()?;
        (folder.on_root && !other.on_root).then_some(host)
    });
    if let Some(host) = on_a_disk {
        return Some(format!(
            "it would be on the root file system, and the one of {host} is on a disk of its own: is a disk missing?"
        ));
    }
    if !folder.parent || folder.is_mount {
        return Some("its disk is not mounted above it".to_owned());
    }
    let traces = folder.traces();
    if !traces.is_empty() {
        return Some(format!("its folder is not empty: {}", traces.join(", ")));
    }
    for brick in others() {
        let Some(host) = state.owner(volume, brick) else {
            return Some(format!("{} is on no host of the group", brick.name));
        };
        match condition(state, Some(host), info, brick) {
            // One that only lacks its process is started before.
            Condition::Well | Condition::Offline => {}
            Condition::Lost => return Some(format!("{} is lost too", brick.name)),
            Condition::Unknown => {
                return Some(format!("how {} is, is not known", brick.name));
            }
        }
    }
    let status = state.status.as_ref()?.1.known()?;
    match &status.heal {
        None => Some("what is to be healed is not known".to_owned()),
        Some(heal) if heal.iter().any(|brick| brick.split_brain > 0) => {
            Some("copies of files contradict each other (G8), which comes first".to_owned())
        }
        Some(_) => None,
    }
}
