//! The plan that follows from what is known now.

use super::engine::{Engine, Stage, Work};
use crate::inventory::HostName;
use crate::module::Health;
use crate::plan::{Class, Plan, Planned, Reach, Refusal, Unknown, Wait};
use crate::yaml::Diagnostics;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Code of the refusal to create a cluster under `--limit`.
const LIMITED: &str = "L1";

/// What the refusals met so far stop.
#[derive(Default)]
struct Stops {
    hosts: BTreeMap<HostName, String>,
    layers: BTreeMap<usize, String>,
}

impl<F: super::Fleet> Engine<'_, F> {
    /// The plan, in the order of the playbook.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan {
            unreachable: self.unreachable(),
            ..Plan::default()
        };
        let mut stops = Stops {
            hosts: self.stopped_hosts.clone(),
            layers: self.stopped_layers.clone(),
        };
        for (index, work) in self.works.iter().enumerate() {
            let layer = self.layers[work.layer].name.clone();
            match &self.progress[index].stage {
                Stage::Skipped | Stage::Wrong(_) => {}
                Stage::Fresh | Stage::Asking(_) => {
                    plan.note_unknown(&layer, work, "it was not looked at");
                }
                Stage::Unknown(why) => plan.note_unknown(&layer, work, why),
                Stage::Blind(why) => {
                    let dead = work
                        .hosts
                        .iter()
                        .all(|host| plan.unreachable.contains_key(host));
                    if !dead {
                        plan.note_unknown(&layer, work, why);
                    }
                }
                Stage::Decided(_) => self.outline(index, &layer, &mut plan, &mut stops),
            }
        }
        plan
    }

    fn outline(&self, index: usize, layer: &str, plan: &mut Plan, stops: &mut Stops) {
        let (work, progress) = (&self.works[index], &self.progress[index]);
        let Stage::Decided(verdict) = &progress.stage else {
            return;
        };
        let decision = &verdict.decision;
        for refusal in &decision.refusals {
            // What an earlier step may still change is not refused yet.
            if let Some(step) = &progress.hazard {
                // No step comes first in a layer that is stopped.
                if self.stop_of(stops, work.layer).is_some() {
                    continue;
                }
                let why = format!(
                    "as seen now it would be refused ({}: {}), but {step} comes first",
                    refusal.code, refusal.because
                );
                plan.note_unknown(layer, work, &why);
                continue;
            }
            // What may pass by itself is a wait, until it was waited for.
            if refusal.reach == Reach::LayerAfterWaits
                && !self.stopped_layers.contains_key(&work.layer)
            {
                continue;
            }
            plan.refusals.push((layer.to_owned(), refusal.clone()));
            let why = format!("refused by {}", refusal.code);
            let hosts = match &refusal.reach {
                Reach::Hosts(hosts) => hosts.clone(),
                Reach::Here if !work.cluster => work.hosts.clone(),
                Reach::Here => Vec::new(),
                Reach::Layer | Reach::LayerAfterWaits => {
                    stops
                        .layers
                        .entry(work.layer)
                        .or_insert_with(|| why.clone());
                    Vec::new()
                }
            };
            for host in hosts {
                stops.hosts.entry(host).or_insert_with(|| why.clone());
            }
        }
        // What is waited for begins with a step; what it then calls for cannot be told before.
        if let (Some(step), true, false) = (
            &progress.hazard,
            decision.steps.is_empty(),
            decision.waits.is_empty(),
        ) {
            let why = format!("what follows can be told when {step} has run");
            plan.note_unknown(layer, work, &why);
        }
        let founds = decision.steps.iter().any(|step| step.class == Class::Found);
        if founds {
            plan.refusals.extend(self.limited(layer, work));
        }
        let founding_is_off = work.hosts.iter().find_map(|host| {
            let limited = (!self.is_included(host)).then(|| "left out by --limit".to_owned());
            let why = stops.hosts.get(host).cloned().or(limited)?;
            Some(format!(
                "a cluster is created for all its hosts or not at all; {host}: {why}"
            ))
        });
        let mut founding_blocked = None;
        for step in &decision.steps {
            if self.is_done_once(step) {
                continue;
            }
            // What follows builds on what is founded.
            if step.class == Class::Found {
                founding_blocked.clone_from(&founding_is_off);
            }
            if !self.is_step_included(index, step) {
                plan.left_out += 1;
                continue;
            }
            let blocked = stops.hosts.get(&step.subject).cloned();
            let blocked = blocked
                .or_else(|| self.stop_of(stops, work.layer))
                .or_else(|| founding_blocked.clone());
            plan.steps.push(Planned {
                layer: layer.to_owned(),
                task: work.task.clone(),
                step: step.clone(),
                blocked,
            });
        }
        let held_back = decision
            .refusals
            .iter()
            .find(|refusal| refusal.reach == Reach::LayerAfterWaits);
        let layered = |wait: &Wait| {
            let mut wait = wait.clone();
            if let Some(Refusal { code, because, .. }) = held_back {
                let _ = write!(wait.what, "; if not, it is refused ({code}: {because})");
            }
            (layer.to_owned(), wait)
        };
        // What depends on a host that is left out is not waited for.
        let waits = decision
            .waits
            .iter()
            .filter(|wait| self.is_included(&wait.until.host));
        plan.waits.extend(waits.map(layered));
        plan.advice.extend(decision.advice.iter().cloned());
    }

    /// A cluster is never created under `--limit`: those that are left out belong to it too.
    fn limited(&self, layer: &str, work: &Work<'_>) -> Option<(String, Refusal)> {
        let out: Vec<&str> = work
            .hosts
            .iter()
            .filter(|host| !self.is_included(host))
            .map(HostName::as_str)
            .collect();
        let refusal = Refusal {
            code: LIMITED.to_owned(),
            because: format!(
                "{} is created for all its hosts or not at all, and --limit leaves out {}",
                work.task,
                out.join(", ")
            ),
            evidence: Vec::new(),
            hint: "run once without --limit".to_owned(),
            reach: Reach::Here,
        };
        (!out.is_empty()).then(|| (layer.to_owned(), refusal))
    }

    fn stop_of(&self, stops: &Stops, layer: usize) -> Option<String> {
        let own = stops.layers.get(&layer).cloned();
        own.or_else(|| {
            self.layers[layer]
                .needs
                .iter()
                .find_map(|needed| self.stop_of(stops, *needed))
        })
    }

    /// Arguments that turned out to be wrong once their values were known.
    pub fn diagnostics(&self) -> Diagnostics {
        let mut all = Diagnostics::default();
        for progress in &self.progress {
            if let Stage::Wrong(diagnostics) = &progress.stage {
                for diagnostic in &diagnostics.0 {
                    let text = diagnostic.to_string();
                    if all.0.iter().all(|known| known.to_string() != text) {
                        all.push(diagnostic.clone());
                    }
                }
            }
        }
        all
    }

    /// How well the layers are, as far as they were looked at.
    pub fn health(&self) -> Vec<Health> {
        let mut layers: Vec<Health> = Vec::new();
        for progress in &self.progress {
            let health = match &progress.stage {
                Stage::Decided(_) | Stage::Blind(_) => progress.health.clone(),
                _ => None,
            };
            let Some(health) = health else {
                continue;
            };
            // What each host tells of itself is one layer.
            match layers.iter_mut().find(|known| known.layer == health.layer) {
                Some(known) => known.members.extend(health.members),
                None => layers.push(health),
            }
        }
        layers
    }

    /// Counts the tasks that are as they should be, and those that were left out.
    pub fn count_tasks(&self, report: &crate::report::Reporter) {
        for (work, stage) in self.stages() {
            for host in &work.hosts {
                let silent = self.fleet.unreachable(host).is_some();
                report.tally(host, |tally| match stage {
                    _ if silent => tally.skipped += 1,
                    Stage::Decided(verdict) if verdict.decision.is_settled() => tally.ok += 1,
                    Stage::Decided(_) => {}
                    _ => tally.skipped += 1,
                });
            }
        }
    }

    /// The hosts that do not answer, and why.
    pub fn unreachable(&self) -> BTreeMap<HostName, String> {
        self.hosts
            .iter()
            .filter_map(|host| Some((host.clone(), self.fleet.unreachable(host)?)))
            .collect()
    }
}

impl Plan {
    fn note_unknown(&mut self, layer: &str, work: &Work<'_>, why: &str) {
        let same = |known: &&mut Unknown| {
            known.layer == layer && known.task == work.task && known.why == why
        };
        match self.unknown.iter_mut().find(same) {
            Some(known) => known.hosts.extend(work.hosts.iter().cloned()),
            None => self.unknown.push(Unknown {
                layer: layer.to_owned(),
                task: work.task.clone(),
                hosts: work.hosts.clone(),
                why: why.to_owned(),
            }),
        }
    }
}
