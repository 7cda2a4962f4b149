//! G5, G6, G16: the bricks of a started volume. A process that is missing is started; a brick whose folder or mark
//! is gone is not touched here: filling it again from the others is a repair of its own.

use super::table::about_status;
use super::{GlusterVolume, State, refuse};
use crate::inventory::HostName;
use crate::plan::{
    Act, Advice, Class, Decision, GlusterAct, GlusterExpect, Step, StepId, Via, Wait,
};
use crate::probe::Seen;
use crate::probe::gluster_volume::{Brick, Info};

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
    for (host, brick, condition) in &seen {
        match (host, condition) {
            (Some(host), Condition::Lost) => {
                if let Some(Seen::Is(folder)) = state.folder(host) {
                    let online = state.online(brick) == Some(true);
                    decision.refusals.push(refuse::brick_lost(
                        volume, host, brick, info, folder, online,
                    ));
                }
            }
            (None, _) => {}
            (Some(host), _) => {
                let runs = state
                    .gluster(host)
                    .is_some_and(|gluster| gluster.peers.is_some());
                let offline = *condition == Condition::Offline;
                if runs && (offline || state.heals(host) == Some(false)) {
                    let what = if offline {
                        format!("the process of its brick {} is missing", brick.path())
                    } else {
                        "its self-heal daemon is missing".to_owned()
                    };
                    let step = start_missing(volume, host, &what, can_work);
                    decision.steps.push(step);
                }
            }
        }
    }
    decision
}

/// G5. Any member can be asked; the host itself surely answers.
fn start_missing(volume: &GlusterVolume, host: &HostName, what: &str, bricks: usize) -> Step {
    let act = Act::Gluster(GlusterAct::Start {
        volume: volume.name.clone(),
        force: true,
    });
    let id = StepId::new(&["gluster_volume", "start-missing", host.as_str()]);
    let why = format!("{what}, and its folder is there");
    Step::new(id, host, Class::Repair, why, act)
        .via(Via::Host(host.clone()))
        .done(about_status(host, volume, GlusterExpect::Online(bricks)))
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
