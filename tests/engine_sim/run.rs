//! Whole runs of provision over the simulated cluster, as `src/run` does them: look, show, act, verify.

use super::fleet::Sim;
use provision::apply::{Drove, Engine, Mode, Options, Registers};
use provision::inventory::{HostName, Inventory};
use provision::module::SPECS;
use provision::plan::{Class, Plan};
use provision::playbook::Playbook;
use provision::rehearse::Parts;
use provision::report::{Event, Outcome, Redactor, Reporter, Sink};
use provision::run::compile::{Selection, compile};
use provision::run::outcome;
use provision::run::project::Project;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fmt::{self, Display, Write};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What a reviewer approves of a step.
pub type Approval = (String, HostName, Class);

/// No run of any simulated cluster takes as long, in simulated time.
const FOR_EVER: Duration = Duration::from_secs(4 * 3600);

/// The built-in playbook over an inventory of so many managers and workers.
pub struct Site {
    pub managers: usize,
    pub hosts: usize,
    playbook: Playbook,
    project: Project,
    inventory: Arc<Inventory>,
    paranoid: bool,
    /// The folder of the inventory, with what provision keeps on its own machine.
    #[allow(dead_code, reason = "it is there as long as the site")]
    folder: tempfile::TempDir,
}

/// What a run did.
#[derive(Debug)]
pub struct Ended {
    /// What was shown before.
    pub planned: BTreeSet<Approval>,
    pub shown: Plan,
    /// `None` when provision was killed.
    pub drove: Option<Drove>,
    pub last: Plan,
    pub outcome: Option<Outcome>,
    pub stopped: BTreeSet<HostName>,
    /// In simulated time.
    pub took: Duration,
    /// All events of the run, for a person who reads why a test fails.
    pub story: Story,
}

impl Ended {
    pub fn done(&self) -> BTreeSet<Approval> {
        let drove = self.drove.as_ref().expect("a run that was not killed");
        let done: BTreeSet<Approval> = drove.changed.iter().cloned().collect();
        assert_eq!(
            done.len(),
            drove.changed.len(),
            "a step was done twice\n{}",
            self.story
        );
        done
    }

    pub fn codes(&self) -> BTreeSet<String> {
        let refusals = self.last.refusals.iter();
        refusals.map(|(_, refusal)| refusal.code.clone()).collect()
    }
}

/// What was reported, written down only when somebody reads it: that would cost more than many a run.
#[derive(Debug, Default)]
pub struct Story {
    events: Vec<Event>,
    text: OnceCell<String>,
}

impl Deref for Story {
    type Target = str;

    fn deref(&self) -> &str {
        let line = |event: &Event| format!("{event:?}\n");
        self.text
            .get_or_init(|| self.events.iter().map(line).collect())
    }
}

impl Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

struct Listener(Rc<RefCell<Story>>);

impl Sink for Listener {
    fn event(&mut self, event: &Event) {
        self.0.borrow_mut().events.push(event.clone());
    }
}

impl Site {
    /// Without `--paranoid`, whose own questions a test may not want.
    pub fn trusting(mut self) -> Self {
        self.paranoid = false;
        self
    }

    pub fn new(managers: usize, workers: usize) -> Self {
        let mut text = String::from("all:\n  hosts:\n");
        let hosts = managers + workers;
        for n in 1..=hosts {
            let _ = writeln!(
                text,
                "    ke2-server{n}: {{ ansible_host: 10.20.0.{n}, ansible_become: true }}"
            );
        }
        let mut group = |name: &str, range: std::ops::RangeInclusive<usize>| {
            let _ = writeln!(text, "{name}:\n  hosts:");
            for n in range {
                let _ = writeln!(text, "    ke2-server{n}:");
            }
        };
        group("managers", 1..=managers);
        if workers > 0 {
            group("workers", managers + 1..=hosts);
        }
        Self::of(&text, managers, hosts)
    }

    /// The built-in playbook over an inventory of so many hosts, the first of which are managers.
    pub fn of(inventory: &str, managers: usize, hosts: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("site.yml");
        std::fs::write(&file, inventory).unwrap();
        let (project, source) = Project::open(None).unwrap();
        let import = |name: &str| project.import(name);
        let playbook = Playbook::load(&source, SPECS, &import).unwrap();
        let inventory = Inventory::load_for(&file, &[], &playbook.variables()).unwrap();
        Self {
            managers,
            hosts,
            playbook,
            project,
            inventory: Arc::new(inventory),
            paranoid: true,
            folder,
        }
    }

    /// A machine of the admin's that has never run provision: without the authority of its certificates.
    #[allow(dead_code, reason = "the simulation of the site uses it")]
    pub fn forget_all(&self) {
        let _ = std::fs::remove_dir_all(self.folder.path().join("kompira-ca"));
    }

    pub fn name(&self, h: usize) -> HostName {
        self.inventory.hosts()[h].name.clone()
    }

    /// What an engine is made of, but for its hosts.
    pub fn parts(&self, limit: Option<usize>) -> Parts {
        let registers = Arc::new(Registers::default());
        let selection = Selection::default();
        let compiled = compile(
            &self.playbook,
            &self.inventory,
            &self.project,
            &selection,
            &registers,
        )
        .unwrap();
        let options = Options {
            limit: limit.map(|h| BTreeSet::from([self.name(h)])),
            paranoid: self.paranoid,
            ..Options::default()
        };
        Parts {
            layers: compiled.layers,
            works: compiled.works,
            registers,
            options,
        }
    }

    fn engine<'s>(&self, sim: &'s Sim, limit: Option<usize>) -> Engine<'s, Sim> {
        let parts = self.parts(limit);
        Engine::new(
            sim,
            parts.layers,
            parts.works,
            parts.registers,
            parts.options,
        )
    }

    /// `--dry-run`
    pub fn look(&self, sim: &Sim, limit: Option<usize>) -> (Plan, Outcome) {
        sim.begin();
        self.block(async {
            let mut engine = self.engine(sim, limit);
            let report = Reporter::new(Vec::new(), Redactor::default());
            engine.drive(Mode::Look, &report, &sim.interrupt).await;
            let plan = engine.plan();
            let outcome = outcome::without_acting(&plan, false, true);
            (plan, outcome)
        })
    }

    /// `apply`
    pub fn apply(&self, sim: &Sim) -> Ended {
        self.apply_to(sim, None)
    }

    /// `apply --limit`
    pub fn apply_to(&self, sim: &Sim, limit: Option<usize>) -> Ended {
        sim.begin();
        let story = Rc::new(RefCell::new(Story::default()));
        let listener = Listener(story.clone());
        let report = Reporter::new(vec![Box::new(listener)], Redactor::default());
        self.block(async {
            let mut engine = self.engine(sim, limit);
            engine.drive(Mode::Look, &report, &sim.interrupt).await;
            assert!(engine.diagnostics().0.is_empty());
            let shown = engine.plan();
            let planned = approvals(&shown);
            engine.forget_all();
            let ended = tokio::select! {
                ended = outcome::converge(&mut engine, &report, &sim.interrupt) => Some(ended),
                () = sim.killed.notified() => None,
                () = tokio::time::sleep(FOR_EVER) => panic!("the run never ends:\n{}", tail(&story.borrow())),
            };
            let (drove, last) = ended.map_or((None, Plan::default()), |(drove, last)| (Some(drove), last));
            let outcome = drove.as_ref().map(|drove| outcome::after_acting(drove, &last));
            Ended {
                planned,
                shown,
                stopped: engine.stopped_hosts().keys().cloned().collect(),
                took: sim.took(),
                drove,
                last,
                outcome,
                story: story.take(),
            }
        })
    }

    pub fn block<T>(&self, future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(future)
    }
}

fn tail(story: &str) -> String {
    let lines: Vec<&str> = story.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// The steps that would be done.
pub fn approvals(plan: &Plan) -> BTreeSet<Approval> {
    plan.open()
        .map(|planned| {
            let step = &planned.step;
            (
                step.id.to_string(),
                step.subject.clone(),
                step.class.clone(),
            )
        })
        .collect()
}
