//! What is known, what each task makes of it, and what that leaves to do.

use super::registers::Registers;
use super::ties::{Pending, Ties};
use super::turn::Last;
use crate::inventory::HostName;
use crate::module::{AnyModule, Verdict};
use crate::plan::{Class, Step, StepId};
use crate::playbook::Val;
use crate::probe::answers::{Expected, Key};
use crate::probe::{Memory, Need, Query};
use crate::yaml::Diagnostics;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What became of a task's arguments.
pub enum Built {
    /// `when` says no.
    Skipped,
    /// They depend on a value that cannot be known yet, and why; what the host will be asked whatever it is.
    Unknown(String, Vec<Query>),
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
    /// Whether `provision status` shows what it says about a layer's health.
    pub tells_health: bool,
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

#[derive(Debug)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    /// What it decided when it could decide last.
    pub(super) last: Last,
    pub(super) module: Option<Box<AnyModule>>,
    /// What the verdict depends on.
    pub(super) asked: BTreeSet<Key>,
    /// What it expects the steps before it to write.
    pub(super) expected: Expected,
    /// An earlier step that may change what the verdict depends on: `package/install/docker-ce on ke2-server1`.
    pub(super) hazard: Option<String>,
    /// What will be asked when the arguments are known.
    pub(super) foreseen: Vec<Query>,
    /// What the verdict says about the layer's health, also when nothing can be decided.
    pub(super) health: Option<crate::module::Health>,
    /// The steps of the verdict.
    pub(super) pending: Vec<Pending>,
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
    pub(super) registers: Arc<Registers>,
    pub(super) ties: Ties,
    /// All hosts of the playbook, in the order of their first task.
    pub(super) hosts: Arc<[HostName]>,
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
                last: Last::Never,
                module: None,
                asked: BTreeSet::new(),
                expected: Expected::new(),
                hazard: None,
                foreseen: Vec::new(),
                health: None,
                pending: Vec::new(),
            })
            .collect();
        let mut seen = BTreeSet::new();
        let hosts = works
            .iter()
            .flat_map(|work| &work.hosts)
            .filter(|host| seen.insert((*host).clone()))
            .cloned()
            .collect();
        Self {
            fleet,
            layers,
            ties: Ties::new(&works),
            hosts,
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

    /// Whether `--limit` lets a host be changed.
    pub(super) fn is_included(&self, host: &HostName) -> bool {
        self.options
            .limit
            .as_ref()
            .is_none_or(|limit| limit.contains(host))
    }

    /// Whether `--limit` lets a step of a task be done. What reaches the whole cluster changes all hosts of the task.
    pub(super) fn is_step_included(&self, index: usize, step: &Step) -> bool {
        let mut all = self.works[index].hosts.iter();
        self.is_included(&step.subject)
            && (!step.act.reaches_all() || all.all(|host| self.is_included(host)))
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
