//! G5, G6, G16, G24: the bricks of a started volume. A process that is missing is started; a brick whose folder or mark
//! is gone is filled again from the others (`reset.rs`).

use super::reset::{self, Lost};
use super::table::about_status;
use super::{GlusterVolume, State, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Advice, Claim, Class, Decision, Expect, GlusterAct, GlusterExpect, Step, StepId, Via, Wait,
};
use crate::probe::gluster_volume::{Brick, Info};
use crate::probe::{Query, Seen};

/// What a brick of the volume is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It works, and its folder is what it should be.
    Well,
    /// Its process is missing, and the folder is what it should be.
    Offline,
    /// Its folder or its mark is gone, whatever the process says.
    Lost,
    /// Its host does not answer, or nobody told of its process.
    Unknown,
}

pub(super) fn condition(
    state: &State,
    host: Option<&HostName>,
    info: &Info,
    brick: &Brick,
) -> Condition {
    let folder = host.and_then(|host| state.folder(host));
    match (folder, state.online(brick)) {
        (Some(Seen::Is(folder)), online) => {
            // Marks that cannot be read say nothing; the folder does.
            let ours = folder.is_brick_of(&info.id)
                || (!folder.marks_read && folder.kind == "directory" && folder.dot_glusterfs);
            match (ours, online) {
                (false, _) => Condition::Lost,
                (true, Some(true)) => Condition::Well,
                (true, Some(false)) => Condition::Offline,
                (true, None) => Condition::Unknown,
            }
        }
        (_, Some(true)) => Condition::Well,
        _ => Condition::Unknown,
    }
}

/// What follows for the bricks and the daemons that heal them.
pub(super) fn decide(volume: &GlusterVolume, state: &State, info: &Info) -> Decision {
    let mut decision = Decision::default();
    let Some((speaker, status)) = &state.status else {
        return decision;
    };
    if state.processes().is_none() {
        not_told(volume, speaker, status, &mut decision);
        return decision;
    }
    let seen: Vec<(Option<&HostName>, &Brick, Condition)> = info
        .bricks
        .iter()
        .map(|brick| {
            let host = state.owner(volume, brick);
            (host, brick, condition(state, host, info, brick))
        })
        .collect();
    let usable = |condition: &Condition| matches!(condition, Condition::Well | Condition::Offline);
    let can_work = seen.iter().filter(|(_, _, one)| usable(one)).count();
    // With two copies gluster asks for no majority by default. Source: afr.c, `cluster.quorum-type`.
    let majority = match info.bricks.len() {
        2 => 1,
        bricks => bricks / 2 + 1,
    };
    if can_work < majority {
        let lost: Vec<String> = seen
            .iter()
            .filter(|(_, _, one)| !usable(one))
            .map(|(_, brick, _)| brick.name.clone())
            .collect();
        decision
            .refusals
            .push(refuse::no_quorum(volume, state, &lost, can_work, majority));
        return decision;
    }
    let mut resets = Vec::new();
    for (host, brick, condition) in &seen {
        match (host, condition) {
            (Some(host), Condition::Lost) => {
                if let Some(Seen::Is(folder)) = state.folder(host) {
                    let lost = Lost {
                        host,
                        brick,
                        folder,
                    };
                    resets.push(lost);
                }
            }
            (None, _) => {}
            (Some(host), _) => {
                // One without its pool starts its bricks itself once it is told of the volume.
                let runs = state.gluster(host).is_some_and(|gluster| {
                    gluster
                        .peers
                        .as_ref()
                        .is_some_and(|peers| !peers.is_empty())
                });
                let offline = *condition == Condition::Offline;
                if let Some(full) = is_hollow(state, info, host, &seen) {
                    hollow(volume, host, brick, full, offline, &mut decision);
                    continue;
                }
                if runs && (offline || state.heals(host) == Some(false)) {
                    let what = if offline {
                        format!("the process of its brick {} is missing", brick.path())
                    } else {
                        "its self-heal daemon is missing".to_owned()
                    };
                    let mut step = start_missing(volume, host, &what, &brick.host_uuid);
                    // The command is about the whole volume.
                    if let Some(first) = decision.steps.first() {
                        step = step.assume(format!("{} has not started it too", first.id));
                    }
                    decision.steps.push(step);
                }
            }
        }
    }
    // The others' processes are started first.
    for lost in resets {
        reset::decide(volume, state, info, &lost, &mut decision);
    }
    decision
}

/// G24: a brick with the volume's mark and no file, beside one with files, while nobody knows of anything to heal: it
/// counts as complete, and its host lists an empty volume (EXPERIMENTS, T0b). A brick that was made again a moment ago
/// looks the same but for the others' marks.
fn is_hollow<'a>(
    state: &State,
    info: &Info,
    host: &HostName,
    seen: &[(Option<&'a HostName>, &'a Brick, Condition)],
) -> Option<&'a HostName> {
    let folder = state.folder(host)?.known()?;
    let heals = |status: &crate::probe::gluster_volume::Status| {
        let heal = status.heal.as_deref().unwrap_or_default();
        heal.iter().any(|brick| brick.pending != Some(0))
    };
    let (_, status) = state.status.as_ref()?;
    if !folder.is_brick_of(&info.id) || folder.has_files() || status.known().is_none_or(heals) {
        return None;
    }
    seen.iter().find_map(|(other, _, _)| {
        let folder = state.folder((*other)?)?.known()?;
        (folder.is_brick_of(&info.id) && folder.has_files()).then_some(*other)?
    })
}

fn hollow(
    volume: &GlusterVolume,
    host: &HostName,
    brick: &Brick,
    full: &HostName,
    offline: bool,
    decision: &mut Decision,
) {
    let refusal = refuse::hollow(volume, host, brick, full);
    if offline {
        decision.refusals.push(refusal);
        return;
    }
    // A first file may have been made between two looks.
    let query = Query::GlusterBrick(brick.path().to_owned());
    let expect = Expect::Gluster(GlusterExpect::HasFiles);
    decision.waits.push(Wait {
        what: format!("{}; {}", refusal.because, refusal.hint),
        until: Claim::new(host, query, expect),
        deadline_s: 20,
    });
}

/// G5. Any member can be asked; the host itself surely answers.
fn start_missing(volume: &GlusterVolume, host: &HostName, what: &str, uuid: &str) -> Step {
    let act = Act::Gluster(GlusterAct::Start {
        volume: volume.name.clone(),
        force: true,
    });
    let id = StepId::new(&["gluster_volume", "start-missing", host.as_str()]);
    let why = format!("{what}, and its folder is there");
    Step::new(id, host, Class::Repair, why, act)
        .via(Via::Host(host.clone()))
        .done(about_status(
            host,
            volume,
            GlusterExpect::HostOnline(uuid.to_owned()),
        ))
}

/// G15: the lock of the pool is held, or the daemon does not tell for another reason.
fn not_told(
    volume: &GlusterVolume,
    speaker: &HostName,
    status: &Seen<crate::probe::gluster_volume::Status>,
    decision: &mut Decision,
) {
    let (busy, why) = match status {
        Seen::Unknown(why) => (false, why.as_str()),
        Seen::Is(status) => (status.busy, status.silent.as_str()),
    };
    if busy {
        decision.waits.push(Wait {
            what: format!(
                "another command holds the lock of the pool ({why}); when it stays, restart glusterd on the host that the message names"
            ),
            until: about_status(speaker, volume, GlusterExpect::Online(0)),
            deadline_s: 120,
        });
    } else {
        decision.advice.push(Advice {
            code: "G15".to_owned(),
            host: Some(speaker.clone()),
            text: format!(
                "{speaker} does not tell how the bricks of {} are: {why}",
                volume.name
            ),
        });
    }
}
