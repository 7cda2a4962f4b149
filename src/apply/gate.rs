//! The health gate: no restart on one host while another one is not well (DESIGN §3).

use super::engine::{Engine, Progress, Stage, Work};
use crate::module::{Light, MemberHealth};
use crate::plan::Step;

/// A closed health gate.
pub(super) struct Gate {
    pub(super) why: String,
    /// Whether it may open by itself.
    pub(super) opens: bool,
}

impl<F: super::Fleet> Engine<'_, F> {
    /// The tasks that tell how well a layer is.
    pub(super) fn tell_health(&self) -> impl Iterator<Item = usize> {
        (0..self.works.len()).filter(|index| self.works[*index].cluster)
    }

    /// Whether all layers have been looked at since the last change, so that the health gate can tell.
    pub(super) fn health_is_known(&self) -> bool {
        let open = |(work, progress): (&Work<'_>, &Progress)| {
            work.cluster && matches!(progress.stage, Stage::Fresh | Stage::Asking(_))
        };
        !self.works.iter().zip(&self.progress).any(open)
    }

    /// Why a restart has to wait: another host of some layer is not well.
    /// A layer in which nobody is well does not exist yet, or has nothing left to protect.
    pub(super) fn gate(&self, restart: &Step) -> Option<Gate> {
        self.health().into_iter().find_map(|health| {
            let well = |member: &MemberHealth| match member.light {
                Light::Green => true,
                Light::Held => restart.spares_tasks,
                _ => false,
            };
            if !health.members.iter().any(well) {
                return None;
            }
            let mut ill = health.members.iter().filter(|member| !well(member));
            let ill = ill.find(|member| member.host != restart.subject)?;
            Some(Gate {
                why: format!("{} is not well on {}: {}", health.layer, ill.host, ill.says),
                // A host that is out of reach stays so in this run.
                opens: self.fleet.unreachable(&ill.host).is_none(),
            })
        })
    }
}
