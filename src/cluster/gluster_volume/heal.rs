//! G7 and G8: copies that are behind, and copies that contradict each other.

use super::table::about_status;
use super::{GlusterVolume, State, refuse};
use crate::plan::{Advice, Decision, GlusterExpect, Wait};
use crate::probe::gluster_volume::Heal;

/// How long healing is watched. It has no limit of its own: a large brick takes hours, and a next run goes on watching.
const WATCH_S: u64 = 1800;

pub(super) fn decide(volume: &GlusterVolume, state: &State, decision: &mut Decision) {
    let Some((speaker, status)) = &state.status else {
        return;
    };
    let Some(status) = status.known() else {
        return;
    };
    let Some(heal) = &status.heal else {
        return;
    };
    if heal.iter().any(|brick| brick.split_brain > 0) {
        decision
            .refusals
            .push(refuse::split_brain(volume, heal, &status.split_brain));
        return;
    }
    let pending = pending(heal);
    let away: Vec<&str> = heal
        .iter()
        .filter(|brick| brick.pending.is_none())
        .map(|brick| brick.brick.as_str())
        .collect();
    let what = format!(
        "{pending} entries of {} are still to be healed",
        volume.name
    );
    if pending > 0 && away.is_empty() {
        decision.waits.push(Wait {
            what,
            until: about_status(speaker, volume, GlusterExpect::Healed),
            deadline_s: WATCH_S,
        });
    } else if pending > 0 {
        decision.advice.push(Advice {
            code: "G7".to_owned(),
            host: None,
            text: format!("{what}, once these bricks are back: {}", away.join(", ")),
        });
    }
}

/// Entries to be healed, as the brick that knows of most counts them: several bricks know of one entry.
pub(super) fn pending(heal: &[Heal]) -> u64 {
    heal.iter()
        .filter_map(|brick| brick.pending)
        .max()
        .unwrap_or_default()
}
