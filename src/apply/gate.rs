//! The health gate: no restart on one host while another one is not well (DESIGN §3).
//!
//! A restart is held up for what passes by itself, or what this run repairs in the restart's own layer or one that it does
//! not hold back: when that is well again, the restart goes on. What only a layer repairs that *needs* the restart's one
//! comes after it whatever the restart does: to wait for it would be to wait for oneself, and to fail in the end, so that it
//! does not hold the restart up. That layer must have steps for it in this run (without them it is ill for a cause that
//! nobody mends, or that passes), and the restart must take no task of the Swarm from its host: what is ill elsewhere may
//! be short of a copy, and no copy of it goes with the restart. So never more than one host that was well is disrupted at
//! a time, and never one that an ill layer leans on.

use super::engine::{Engine, Progress, Stage, Work};
use crate::inventory::HostName;
use crate::module::{Health, Light, MemberHealth};
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

    /// Why a restart of a task has to wait: another host of some layer is not well.
    pub(super) fn gate(&self, task: usize, restart: &Step) -> Option<Gate> {
        let own = self.works[task].layer;
        self.health().into_iter().find_map(|health| {
            let later = |member: &MemberHealth| {
                restart.spares_tasks && self.is_repaired_after(own, &health.layer, &member.host)
            };
            let ill = self.ill(&health, restart);
            let ill = ill
                .into_iter()
                .find(|member| member.host != restart.subject && !later(member))?;
            Some(Gate {
                why: format!("{} is not well on {}: {}", health.layer, ill.host, ill.says),
                // A host that is out of reach stays so in this run.
                opens: self.answers(ill),
            })
        })
    }

    /// Who is not well in a layer. One in which nothing works does not exist yet, or has nothing left to protect.
    fn ill<'h>(&self, health: &'h Health, restart: &Step) -> Vec<&'h MemberHealth> {
        let is_well = |member: &MemberHealth| match member.light {
            Light::Green | Light::Advised => true,
            Light::Held => restart.spares_tasks,
            Light::Yellow | Light::Red | Light::Unknown => false,
        };
        let some_are_well = health.members.iter().any(is_well);
        let some_work = health.members.iter().any(|it| it.light == Light::Yellow);
        let is_ill = |member: &&MemberHealth| match member.light {
            _ if some_are_well => !is_well(member),
            // Two bricks that have something to heal for the third, which is dead.
            Light::Red => some_work,
            // Nobody tells while a swarm elects a leader.
            Light::Unknown => some_work || self.answers(member),
            Light::Green | Light::Advised | Light::Held | Light::Yellow => false,
        };
        health.members.iter().filter(is_ill).collect()
    }

    fn answers(&self, member: &MemberHealth) -> bool {
        self.fleet.unreachable(&member.host).is_none()
    }

    /// Whether what ails a host in a layer is repaired in this run, and only after this layer, which that one needs.
    fn is_repaired_after(&self, own: usize, health: &str, host: &HostName) -> bool {
        let tells = |index: &usize| {
            let told = self.progress[*index].health.as_ref();
            told.is_some_and(|told| told.layer == health)
        };
        let mut telling = (0..self.works.len()).filter(tells).peekable();
        telling.peek().is_some()
            && !self.stopped_hosts.contains_key(host)
            && telling.all(|index| {
                let layer = self.works[index].layer;
                self.comes_after(layer, own)
                    && self.stopper(layer).is_none()
                    && self.repairs(index, layer, host)
            })
    }

    /// Whether a task has steps that may run, or its layer has some for this host.
    fn repairs(&self, task: usize, layer: usize, host: &HostName) -> bool {
        let works = self.works.iter().enumerate();
        let mut of_layer = works.filter(|(_, work)| work.layer == layer);
        of_layer.any(|(index, _)| match &self.progress[index].stage {
            Stage::Decided(verdict) => {
                let mut steps = verdict.decision.steps.iter();
                verdict.decision.refusals.is_empty()
                    && steps.any(|step| {
                        self.may_run(index, step) && (index == task || step.subject == *host)
                    })
            }
            _ => false,
        })
    }

    /// Whether a layer needs another one, be it by way of others.
    fn comes_after(&self, layer: usize, other: usize) -> bool {
        let needs = &self.layers[layer].needs;
        needs
            .iter()
            .any(|needed| *needed == other || self.comes_after(*needed, other))
    }
}
