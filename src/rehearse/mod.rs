//! The loss of hosts, rehearsed: the planner is shown what it would see, and nothing is done.
//!
//! A [`Rehearsed`] fleet stands between the engine and the true hosts. It asks them (a [`Recorder`] keeps what they say, so that
//! nothing is asked twice), and hands on what they would answer if some hosts were lost: the lost ones nothing at all
//! ([`Scene::Down`]) or what a blank machine of the same name and address says ([`Scene::Replaced`], `blank`); the others what
//! they say now, with the lost ones taken away ([`fate`], one file a product). It cannot act.
//!
//! What a product does by itself after a loss is foretold only as far as it follows from what is seen: [`Aftermath`] says
//! what does, and what does not.

mod aftermath;
mod blank;
mod database;
mod fate;
mod fleet;
mod gluster;
mod record;
mod stack;
mod swarm;

pub use aftermath::Aftermath;
pub use fate::Fate;
pub use fleet::{Rehearsed, Scene};
pub use record::Recorder;

use crate::apply::{Engine, Fleet, LayerSpec, Mode, Options, Registers, Stage, Work};
use crate::inventory::HostName;
use crate::module::Health;
use crate::plan::{Plan, Refusal};
use crate::report::Reporter;
use crate::yaml::Diagnostics;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What is rehearsed.
#[derive(Clone, Debug)]
pub struct Premise {
    /// All hosts of the inventory.
    pub hosts: Vec<HostName>,
    /// Those that are taken for lost.
    pub lost: BTreeSet<HostName>,
    /// The virtual address of the database, when there is one.
    pub vip: Option<Ipv4Addr>,
}

/// What an engine is made of, but for its hosts.
pub struct Parts {
    /// The layers.
    pub layers: Vec<LayerSpec>,
    /// The tasks.
    pub works: Vec<Work<'static>>,
    /// What tasks register.
    pub registers: Arc<Registers>,
    /// How to run.
    pub options: Options,
}

/// The looks of a rehearsal; each needs tasks of its own.
pub struct Cast {
    /// All tasks: what the hosts say now. Facts of one layer decide what another one sees.
    pub facts: Parts,
    /// The tasks that tell how well the layers are.
    pub health: Parts,
    /// The tasks of a run while the hosts are down.
    pub down: Parts,
    /// The tasks that are to be planned.
    pub plan: Parts,
}

/// What would be seen, and what would be done about it.
#[derive(Clone, Debug, Default)]
pub struct Foretold {
    /// How well the layers are while the hosts are down.
    pub down: Vec<Health>,
    /// What would be refused then, with the layer.
    pub refusals: Vec<(String, Refusal)>,
    /// What happens by itself then, and what cannot be told.
    pub aftermath: Vec<Aftermath>,
    /// What the plan takes for granted, one sentence each.
    pub assumptions: Vec<String>,
    /// The plan of the run after the hosts were replaced by blank machines.
    pub plan: Plan,
}

/// Why nothing could be rehearsed.
#[derive(Debug)]
pub enum Refused {
    /// A host that does not answer now, and why.
    Silent(HostName, String),
    /// Arguments of tasks that turned out to be wrong.
    Wrong(Diagnostics),
}

/// Looks at the hosts as they are, and tells what a loss would leave and call for.
///
/// # Errors
/// See [`Refused`].
pub async fn rehearse<F: Fleet>(
    truth: &F,
    premise: &Premise,
    cast: Cast,
    report: &Reporter,
) -> Result<Foretold, Refused> {
    let recorder = Recorder::new(truth);
    let mut now = engine(&recorder, cast.facts);
    look(&mut now, report).await?;
    for host in &premise.lost {
        if let Some(why) = truth.unreachable(host) {
            return Err(Refused::Silent(host.clone(), why));
        }
    }
    let pending = now.plan().open().count();
    let fate = recorder.read(|memory| Fate::new(premise, memory));
    let gone = Rehearsed::new(&recorder, &fate, Scene::Down);
    let mut down = engine(&gone, cast.health);
    look(&mut down, report).await?;
    let mut run = engine(&gone, cast.down);
    look(&mut run, report).await?;
    let replaced = Rehearsed::new(&recorder, &fate, Scene::Replaced);
    let mut after = engine(&replaced, cast.plan);
    look(&mut after, report).await?;
    let mut plan = after.plan();
    plan.assumes_lost = premise.lost.iter().cloned().collect();
    let mut assumptions = replaced.assumptions();
    if pending > 0 {
        assumptions.push(format!(
            "the hosts are not as they should be now ({pending} to do, see `provision plan` without --assume-lost): what is not done until then is part of this plan"
        ));
    }
    Ok(Foretold {
        down: down.health(),
        refusals: refusals(&run),
        aftermath: recorder.read(|memory| fate.aftermath(memory)),
        assumptions,
        plan,
    })
}

fn engine<F: Fleet>(fleet: &F, parts: Parts) -> Engine<'_, F> {
    Engine::new(
        fleet,
        parts.layers,
        parts.works,
        parts.registers,
        parts.options,
    )
}

/// All that is refused as the hosts are seen, also what a run would come to only after other steps.
pub fn refusals<F: Fleet>(engine: &Engine<'_, F>) -> Vec<(String, Refusal)> {
    let mut all: Vec<(String, Refusal)> = Vec::new();
    for (work, stage) in engine.stages() {
        let Stage::Decided(verdict) = stage else {
            continue;
        };
        for refusal in &verdict.decision.refusals {
            let one = (engine.layers()[work.layer].name.clone(), refusal.clone());
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all
}

async fn look<F: Fleet>(engine: &mut Engine<'_, F>, report: &Reporter) -> Result<(), Refused> {
    engine.drive(Mode::Look, report, &Cell::new(false)).await;
    let wrong = engine.diagnostics();
    if wrong.0.is_empty() {
        Ok(())
    } else {
        Err(Refused::Wrong(wrong))
    }
}

#[cfg(test)]
mod tests;
