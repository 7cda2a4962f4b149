//! What is known, what each task makes of it, and what that leaves to do.

use crate::inventory::HostName;
use crate::module::{AnyModule, Verdict};
use crate::plan::{Class, Scope, Step, StepId};
use crate::playbook::{Registered, Val};
use crate::probe::answers::Key;
use crate::probe::{Answers, Memory, Need};
use crate::yaml::Diagnostics;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// What tasks registered, by host and name. Shared with the scopes that templates are rendered in.
#[derive(Debug, Default)]
pub struct Registers {
    values: RwLock<BTreeMap<(HostName, String), Val<serde_json::Value>>>,
    read: AtomicBool,
}

impl Registers {
    fn set(&self, host: &HostName, name: &str, value: Val<serde_json::Value>) -> bool {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        let key = (host.clone(), name.to_owned());
        if values.get(&key) == Some(&value) {
            return false;
        }
        values.insert(key, value);
        true
    }

    /// Whether a value was read since the last call.
    fn was_read(&self) -> bool {
        self.read.swap(false, Ordering::Relaxed)
    }
}

impl Registered for Registers {
    fn get(&self, host: &HostName, name: &str) -> Option<Val<serde_json::Value>> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let value = values.get(&(host.clone(), name.to_owned())).cloned();
        if value.is_some() {
            self.read.store(true, Ordering::Relaxed);
        }
        value
    }
}

/// What became of a task's arguments.
pub enum Built {
    /// `when` says no.
    Skipped,
    /// They depend on a value that cannot be known yet, and why.
    Unknown(String),
    /// They are wrong.
    Wrong(Diagnostics),
    /// The module with its arguments.
    Module(Box<AnyModule>),
}

/// A layer of the system: the unit of stopping.
#[derive(Clone, Debug)]
pub struct LayerSpec {
    /// Its name, such as `swarm`.
    pub name: String,
    /// Indices of the layers that must be well first.
    pub needs: Vec<usize>,
}

/// Builds a task's module from the variables as they are now.
pub type Build<'a> = Box<dyn Fn() -> Built + 'a>;

/// One task for one host, or for one group.
pub struct Work<'a> {
    /// Index of its layer.
    pub layer: usize,
    /// The task's name.
    pub task: String,
    /// The host, or all members of the group.
    pub hosts: Vec<HostName>,
    /// Whether it is a cluster module.
    pub cluster: bool,
    /// The name that its reading is kept under.
    pub register: Option<String>,
    /// Builds the module.
    pub build: Build<'a>,
}

/// How far a task is.
#[derive(Debug)]
pub enum Stage {
    /// Not looked at since something changed.
    Fresh,
    /// `when` says no.
    Skipped,
    /// A value that it depends on cannot be known yet.
    Unknown(String),
    /// Its arguments are wrong.
    Wrong(Diagnostics),
    /// Questions are open.
    Asking(Need),
    /// The host is there, but could not answer a question.
    Blind(String),
    /// It has decided.
    Decided(Box<Verdict>),
}

pub(super) struct Progress {
    pub(super) stage: Stage,
    module: Option<Box<AnyModule>>,
    /// Whether the arguments depend on what is registered.
    reads_registers: bool,
    /// What the verdict depends on.
    pub(super) asked: BTreeSet<Key>,
    /// An earlier step that may change what the verdict depends on: `package/install/docker-ce on ke2-server1`.
    pub(super) hazard: Option<String>,
}

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Subjects of change: steps for others are left out. `None` means all.
    pub limit: Option<BTreeSet<HostName>>,
    /// Ask everything again after each act, and fail when an answer that was kept has moved.
    pub paranoid: bool,
    /// How long a postcondition may take.
    pub settle_deadline: Duration,
    /// The steps of a saved plan (id, subject, class): nothing else is done. `None` means all.
    pub approved: Option<BTreeSet<(String, HostName, Class)>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit: None,
            paranoid: false,
            settle_deadline: Duration::from_secs(180),
            approved: None,
        }
    }
}

/// The state of a run.
pub struct Engine<'a, F> {
    pub(super) fleet: &'a F,
    pub(super) layers: Vec<LayerSpec>,
    pub(super) works: Vec<Work<'a>>,
    pub(super) progress: Vec<Progress>,
    pub(super) memory: Memory,
    pub(super) options: Options,
    /// Hosts that do not answer, or that failed or were refused: their steps are not done.
    pub(super) stopped_hosts: BTreeMap<HostName, String>,
    /// Layers that failed or were refused.
    pub(super) stopped_layers: BTreeMap<usize, String>,
    /// Steps that nothing tells the end of, done in this run.
    pub(super) done_once: BTreeSet<(StepId, HostName)>,
    registers: Arc<Registers>,
}

impl<'a, F: super::Fleet> Engine<'a, F> {
    /// A run over these tasks, in this order.
    /// The tasks' arguments are rendered with `registers`.
    pub fn new(
        fleet: &'a F,
        layers: Vec<LayerSpec>,
        works: Vec<Work<'a>>,
        registers: Arc<Registers>,
        options: Options,
    ) -> Self {
        for work in &works {
            if let (Some(name), Some(host)) = (&work.register, work.hosts.first()) {
                let why = format!("`{name}` has not been read yet");
                registers.set(host, name, Val::Unknown(why));
            }
        }
        let progress = works
            .iter()
            .map(|_| Progress {
                stage: Stage::Fresh,
                module: None,
                reads_registers: false,
                asked: BTreeSet::new(),
                hazard: None,
            })
            .collect();
        Self {
            fleet,
            layers,
            works,
            progress,
            memory: Memory::default(),
            options,
            stopped_hosts: BTreeMap::new(),
            stopped_layers: BTreeMap::new(),
            done_once: BTreeSet::new(),
            registers,
        }
    }

    /// The tasks with how far each is, in the order of the playbook.
    pub fn stages(&self) -> impl Iterator<Item = (&Work<'a>, &Stage)> {
        self.works
            .iter()
            .zip(self.progress.iter().map(|progress| &progress.stage))
    }

    /// The layers.
    pub fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    /// Why a host's steps are not done, by host.
    pub fn stopped_hosts(&self) -> &BTreeMap<HostName, String> {
        &self.stopped_hosts
    }

    /// Why a layer's steps are not done, by layer.
    pub fn stopped_layers(&self) -> &BTreeMap<usize, String> {
        &self.stopped_layers
    }

    /// All hosts of the playbook, in the order of their first task.
    pub fn hosts(&self) -> Vec<HostName> {
        let mut seen = BTreeSet::new();
        self.works
            .iter()
            .flat_map(|work| &work.hosts)
            .filter(|host| seen.insert((*host).clone()))
            .cloned()
            .collect()
    }

    /// Lets every task make of the answers what it can. Pure but for its own notes: nothing is asked here.
    pub(super) fn evaluate(&mut self) {
        let mut pending: Vec<(HostName, Scope, String)> = Vec::new();
        for index in 0..self.works.len() {
            self.build(index);
            self.decide(index);
            self.progress[index].hazard = hazard(&self.progress[index].asked, &pending);
            self.register(index);
            let progress = &self.progress[index];
            if let Stage::Decided(verdict) = &progress.stage {
                for step in &verdict.decision.steps {
                    if self.is_included(&step.subject) && !self.is_done_once(step) {
                        pending.push((
                            step.subject.clone(),
                            step.act.writes(),
                            step.id.to_string(),
                        ));
                    }
                }
            }
        }
    }

    fn build(&mut self, index: usize) {
        let progress = &mut self.progress[index];
        if !matches!(progress.stage, Stage::Fresh) || progress.module.is_some() {
            return;
        }
        self.registers.was_read();
        let built = (self.works[index].build)();
        progress.reads_registers = self.registers.was_read();
        progress.module = None;
        progress.stage = match built {
            Built::Skipped => Stage::Skipped,
            Built::Unknown(why) => Stage::Unknown(why),
            Built::Wrong(diagnostics) => Stage::Wrong(diagnostics),
            Built::Module(module) => {
                progress.module = Some(module);
                Stage::Fresh
            }
        };
    }

    fn decide(&mut self, index: usize) {
        let progress = &mut self.progress[index];
        let again = match &progress.stage {
            Stage::Fresh => true,
            Stage::Asking(need) => need
                .0
                .iter()
                .all(|(host, query)| self.memory.get(host, query).is_some()),
            _ => false,
        };
        let Some(module) = progress.module.as_ref().filter(|_| again) else {
            return;
        };
        let seen = Answers::new(&self.memory);
        let found = module.verdict(&seen);
        progress.asked = seen.into_asked();
        progress.stage = match found {
            Err(need) => Stage::Asking(need),
            Ok(verdict) => {
                let blind = (!self.works[index].cluster).then(|| {
                    // What a task asks of other hosts it can do without: it says itself what it then takes for granted.
                    let own = |(host, _): &&Key| self.works[index].hosts.contains(host);
                    progress.asked.iter().filter(own).find_map(|(host, query)| {
                        self.memory.get(host, query)?.unknown().map(str::to_owned)
                    })
                });
                match blind.flatten() {
                    Some(why) => Stage::Blind(why),
                    None => Stage::Decided(Box::new(verdict)),
                }
            }
        };
    }

    /// Keeps what a reading found, unless an earlier step may still change it.
    fn register(&mut self, index: usize) {
        let work = &self.works[index];
        let (Some(name), Some(host)) = (&work.register, work.hosts.first()) else {
            return;
        };
        let progress = &self.progress[index];
        let value = match (&progress.stage, &progress.hazard) {
            (Stage::Decided(_), Some(step)) => {
                Val::Unknown(format!("`{name}` cannot be known until {step} has run"))
            }
            (Stage::Decided(verdict), None) => match &verdict.registered {
                Some(value) => Val::Known(value.clone()),
                None => Val::Unknown(format!("task `{}` reads nothing", work.task)),
            },
            (Stage::Skipped, _) => Val::Known(serde_json::json!({"skipped": true})),
            (Stage::Blind(why) | Stage::Unknown(why), _) => Val::Unknown(why.clone()),
            (Stage::Asking(_) | Stage::Fresh | Stage::Wrong(_), _) => {
                Val::Unknown(format!("`{name}` has not been read yet"))
            }
        };
        if !self.registers.set(host, name, value) {
            return;
        }
        for later in &mut self.progress[index + 1..] {
            if later.reads_registers {
                later.module = None;
                later.stage = Stage::Fresh;
            }
        }
    }

    /// Whether `--limit` lets a host be changed.
    pub(super) fn is_included(&self, host: &HostName) -> bool {
        self.options
            .limit
            .as_ref()
            .is_none_or(|limit| limit.contains(host))
    }

    /// Whether it is a step that nothing tells the end of, and was done in this run.
    pub(super) fn is_done_once(&self, step: &Step) -> bool {
        step.every_time
            && self
                .done_once
                .contains(&(step.id.clone(), step.subject.clone()))
    }

    /// Whether the saved plan, if there is one, has this step.
    pub(super) fn is_approved(&self, step: &Step) -> bool {
        let key = (
            step.id.to_string(),
            step.subject.clone(),
            step.class.clone(),
        );
        self.options
            .approved
            .as_ref()
            .is_none_or(|approved| approved.contains(&key))
    }

    /// The questions that are open for a host.
    pub(super) fn open_questions(&self, host: &HostName) -> BTreeSet<crate::probe::Query> {
        self.progress
            .iter()
            .filter_map(|progress| match &progress.stage {
                Stage::Asking(need) => Some(&need.0),
                _ => None,
            })
            .flatten()
            .filter(|(asked, query)| asked == host && self.memory.get(asked, query).is_none())
            .map(|(_, query)| query.clone())
            .collect()
    }

    /// Forgets what an act of `host` may have changed.
    pub(super) fn forget(&mut self, host: &HostName, scope: &Scope) {
        let mut gone = BTreeSet::new();
        for other in self.hosts() {
            let same = other == *host;
            gone.extend(
                self.memory
                    .forget(&other, |query| scope.touches(query, same)),
            );
        }
        self.refresh(&gone);
    }

    /// Forgets everything, so that all is asked anew.
    pub fn forget_all(&mut self) {
        let mut gone = BTreeSet::new();
        for host in self.hosts() {
            gone.extend(self.memory.forget(&host, |_| true));
        }
        self.refresh(&gone);
    }

    /// Lets the tasks that depend on these answers decide again.
    pub(super) fn refresh(&mut self, gone: &BTreeSet<Key>) {
        for progress in &mut self.progress {
            let decided = matches!(
                progress.stage,
                Stage::Decided(_) | Stage::Blind(_) | Stage::Asking(_)
            );
            if decided && progress.asked.iter().any(|key| gone.contains(key)) {
                progress.stage = Stage::Fresh;
            }
        }
    }

    /// The layer that stops this one: itself, or one that it needs.
    pub(super) fn stopper(&self, layer: usize) -> Option<&str> {
        if let Some(why) = self.stopped_layers.get(&layer) {
            return Some(why);
        }
        self.layers[layer]
            .needs
            .iter()
            .find_map(|needed| self.stopper(*needed))
    }
}

/// The first pending step that may change one of these answers.
fn hazard(asked: &BTreeSet<Key>, pending: &[(HostName, Scope, String)]) -> Option<String> {
    pending
        .iter()
        .find(|(subject, scope, _)| {
            asked
                .iter()
                .any(|(host, query)| scope.touches(query, host == subject))
        })
        .map(|(subject, _, id)| format!("{id} on {subject}"))
}
