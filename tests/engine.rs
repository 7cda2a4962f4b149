//! The engine over hosts that exist in memory only: what runs, in what order, and what stops what.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use provision::apply::{
    Built, Done, Drove, Engine, Fleet, LayerSpec, Mode, Options, Registers, Work,
};
use provision::inventory::HostName;
use provision::module::{AnyModule, Args, Context, SPECS, Unfit};
use provision::plan::Act;
use provision::playbook::{Registered, Val};
use provision::probe::path::Attributes;
use provision::probe::shell::Outcome;
use provision::probe::{Answer, PathState, Query, Seen};
use provision::report::{Event, Redactor, Reporter, Sink};
use provision::yaml::{Node, Source, load};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Hosts with directories and commands, and a record of what was sent to them.
#[derive(Default)]
struct Memory {
    directories: RefCell<BTreeSet<(String, String)>>,
    /// Batches of paths, in the order they were sent: host, paths.
    batches: RefCell<Vec<(String, Vec<String>)>>,
    asked: RefCell<usize>,
    /// How long each act takes.
    takes: Duration,
    down: BTreeSet<String>,
    /// Making this path fails.
    fails: Option<(String, String)>,
    /// The connection to this host breaks with its first act, which is done all the same.
    breaks: Option<String>,
    broken: RefCell<BTreeSet<String>>,
    /// Set when this path was made.
    interrupt_after: Option<String>,
    interrupt: Cell<bool>,
}

impl Memory {
    fn has(&self, host: &str, path: &str) -> bool {
        self.directories
            .borrow()
            .contains(&(host.to_owned(), path.to_owned()))
    }

    fn answer(&self, host: &HostName, query: &Query) -> Answer {
        let attributes = Attributes {
            mode: 0o755,
            owner: "root".into(),
            group: "root".into(),
        };
        match query {
            Query::Path(path) if self.has(host.as_str(), path) => {
                Answer::Path(PathState::Directory { attributes })
            }
            Query::Path(_) => Answer::Path(PathState::Absent),
            // A reading of how many directories there are.
            Query::Command(_) => {
                let count = self
                    .directories
                    .borrow()
                    .iter()
                    .filter(|(owner, _)| owner == host.as_str())
                    .count();
                Answer::Command(Outcome {
                    status: 0,
                    stdout: count.to_string(),
                    stderr: String::new(),
                })
            }
            other => panic!("nobody asks {other:?} here"),
        }
    }
}

impl Fleet for Memory {
    async fn ask(&self, host: &HostName, queries: BTreeSet<Query>) -> Vec<(Query, Seen<Answer>)> {
        tokio::task::yield_now().await;
        *self.asked.borrow_mut() += 1;
        let answer = |query: &Query| match self.unreachable(host) {
            Some(why) => Seen::Unknown(why),
            None => Seen::Is(self.answer(host, query)),
        };
        queries
            .into_iter()
            .map(|query| (query.clone(), answer(&query)))
            .collect()
    }

    async fn act(&self, host: &HostName, acts: Vec<Act>, mut each: impl FnMut(Done)) {
        tokio::task::yield_now().await;
        let paths: Vec<String> = acts
            .iter()
            .map(|act| match act {
                Act::MakeDirectory { path, .. } => path.clone(),
                other => panic!("nobody does {other:?} here"),
            })
            .collect();
        self.batches
            .borrow_mut()
            .push((host.to_string(), paths.clone()));
        let mut failed = false;
        for path in paths {
            tokio::time::sleep(self.takes).await;
            if failed {
                each(Done::Skipped);
            } else if self.fails == Some((host.to_string(), path.clone())) {
                failed = true;
                each(Done::Failed {
                    status: 1,
                    said: "no space left on device".into(),
                });
            } else {
                self.directories
                    .borrow_mut()
                    .insert((host.to_string(), path.clone()));
                if self.interrupt_after.as_ref() == Some(&path) {
                    self.interrupt.set(true);
                }
                if self.breaks.as_deref() == Some(host.as_str()) {
                    self.broken.borrow_mut().insert(host.to_string());
                    each(Done::Lost("the connection was lost".into()));
                    failed = true;
                } else {
                    each(Done::Ok);
                }
            }
        }
    }

    fn unreachable(&self, host: &HostName) -> Option<String> {
        let down =
            self.down.contains(host.as_str()) || self.broken.borrow().contains(host.as_str());
        down.then(|| format!("{host} does not answer"))
    }
}

fn module(host: &HostName, name: &str, yaml: &str) -> Result<AnyModule, Unfit> {
    let spec = SPECS.iter().find(|spec| spec.name == name).unwrap();
    let source = Arc::new(Source {
        name: "test".into(),
        text: yaml.into(),
    });
    let node: Node = spec.complete(&load(&source).unwrap()).unwrap();
    let group = [host.clone()];
    let context = Context {
        host,
        group: &group,
        user: "root",
        variable: &|_, _| Ok(None),
        file: &|_| Ok(Vec::new()),
        template: &|_| Ok(String::new()),
        local: &|path| provision::module::Local {
            path: path.to_owned(),
            bytes: Ok(None),
        },
        allowed: &[],
    };
    AnyModule::build(&Args { spec, node: &node }, &context)
}

fn work(layer: usize, host: &str, name: &'static str, yaml: &str) -> Work<'static> {
    let host = HostName::from(host);
    let yaml = yaml.to_owned();
    Work {
        layer,
        task: yaml.clone(),
        hosts: vec![host.clone()],
        cluster: false,
        tells_health: false,
        register: None,
        build: Box::new(move || {
            Built::Module(Box::new(module(&host, name, &yaml).expect("a module")))
        }),
    }
}

fn directory(host: &str, path: &str) -> Work<'static> {
    work(0, host, "directory", &format!("{{path: {path}}}"))
}

/// A directory whose path is what another task registered.
fn directory_from(registers: &Arc<Registers>, host: &str, of: &str) -> Work<'static> {
    let (host, of, registers) = (HostName::from(host), HostName::from(of), registers.clone());
    Work {
        layer: 0,
        task: "from a reading".into(),
        hosts: vec![host.clone()],
        cluster: false,
        tells_health: false,
        register: None,
        build: Box::new(move || match registers.get(&of, "count") {
            Some(Val::Known(value)) => {
                let count = value["stdout"].as_str().unwrap_or_default().to_owned();
                let yaml = format!("{{path: /count/{count}}}");
                Built::Module(Box::new(
                    module(&host, "directory", &yaml).expect("a module"),
                ))
            }
            Some(Val::Unknown(why)) => Built::Unknown(why, Vec::new()),
            None => panic!("nothing registers `count`"),
        }),
    }
}

fn reading(host: &str) -> Work<'static> {
    let mut work = work(0, host, "command", "{cmd: count, reads: true}");
    work.register = Some("count".into());
    work
}

fn layers() -> Vec<LayerSpec> {
    vec![
        LayerSpec {
            name: "one".into(),
            needs: vec![],
        },
        LayerSpec {
            name: "two".into(),
            needs: vec![0],
        },
        LayerSpec {
            name: "free".into(),
            needs: vec![],
        },
    ]
}

struct Run {
    drove: Drove,
    plan: Vec<String>,
    unknown: Vec<String>,
    stopped: BTreeMap<HostName, String>,
}

fn drive(
    fleet: &Memory,
    works: Vec<Work<'static>>,
    registers: Arc<Registers>,
    mode: Mode,
    limit: Option<&str>,
) -> Run {
    let options = Options {
        limit: limit.map(|host| BTreeSet::from([HostName::from(host)])),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut engine = Engine::new(fleet, layers(), works, registers, options);
        let report = Reporter::new(Vec::new(), Redactor::default());
        let drove = engine.drive(mode, &report, &fleet.interrupt).await;
        let plan = engine.plan();
        Run {
            drove,
            plan: plan
                .open()
                .map(|planned| format!("{} {}", planned.step.subject, planned.step.id))
                .collect(),
            unknown: plan
                .unknown
                .iter()
                .map(|unknown| unknown.why.clone())
                .collect(),
            stopped: engine.stopped_hosts().clone(),
        }
    })
}

fn simple(fleet: &Memory, works: Vec<Work<'static>>, mode: Mode) -> Run {
    drive(fleet, works, Arc::default(), mode, None)
}

#[test]
fn looking_plans_everything_and_changes_nothing() {
    let fleet = Memory::default();
    let run = simple(
        &fleet,
        vec![directory("a", "/x"), directory("b", "/x")],
        Mode::Look,
    );
    assert_eq!(run.plan, ["a directory/x", "b directory/x"]);
    assert!(fleet.batches.borrow().is_empty() && fleet.directories.borrow().is_empty());
    assert_eq!(*fleet.asked.borrow(), 2, "one batch of questions a host");
}

#[test]
fn applying_does_the_plan_and_a_second_run_nothing() {
    let fleet = Memory::default();
    let works = || {
        vec![
            directory("a", "/x"),
            directory("a", "/y"),
            directory("b", "/x"),
        ]
    };
    let run = simple(&fleet, works(), Mode::Apply);
    assert_eq!(run.drove.changed.len(), 3);
    assert!(run.plan.is_empty() && !run.drove.failed);
    let again = simple(&fleet, works(), Mode::Apply);
    assert!(again.drove.changed.is_empty());
}

#[test]
fn steps_without_a_hazard_are_sent_together_and_others_wait() {
    let fleet = Memory::default();
    // Missing parents are made as well: what is seen of `/x` may change with the first step. What is seen
    // of `/z/y`, which does not exist, cannot change with `/z`.
    simple(
        &fleet,
        vec![
            directory("a", "/x/y"),
            directory("a", "/z"),
            directory("a", "/z/y"),
            directory("a", "/x"),
        ],
        Mode::Apply,
    );
    let sent = fleet.batches.borrow();
    let paths: Vec<Vec<&str>> = sent
        .iter()
        .map(|(_, paths)| paths.iter().map(String::as_str).collect())
        .collect();
    assert_eq!(paths, [vec!["/x/y", "/z", "/z/y"], vec!["/x"]]);
}

/// What an answer costs does not grow with the number of hosts: only the tasks that it concerns are built again.
#[test]
fn a_registered_value_concerns_only_those_who_read_it() {
    let fleet = Memory::default();
    let registers = Arc::new(Registers::default());
    let built = Rc::new(Cell::new(0));
    let counted = |mut work: Work<'static>| {
        let (build, built) = (work.build, built.clone());
        work.build = Box::new(move || {
            built.set(built.get() + 1);
            build()
        });
        work
    };
    let hosts: Vec<String> = (0..30).map(|n| format!("h{n}")).collect();
    let readings = hosts.iter().map(|host| counted(reading(host)));
    let readers = hosts
        .iter()
        .map(|host| counted(directory_from(&registers, host, host)));
    let works = readings.chain(readers).collect();
    let run = drive(&fleet, works, registers.clone(), Mode::Look, None);
    assert_eq!(run.plan.len(), hosts.len());
    // Readings once; what reads them once without and once with the value.
    assert_eq!(built.get(), hosts.len() * 3);
}

/// What a task will ask of its host anyhow goes along with the first questions.
#[test]
fn questions_that_are_foreseen_are_asked_along_with_others() {
    let fleet = Memory::default();
    let registers = Arc::new(Registers::default());
    let mut later = directory_from(&registers, "a", "a");
    let build = later.build;
    later.build = Box::new(move || match build() {
        Built::Unknown(why, _) => Built::Unknown(why, vec![Query::Path("/count/0".into())]),
        other => other,
    });
    let run = drive(
        &fleet,
        vec![reading("a"), later],
        registers.clone(),
        Mode::Look,
        None,
    );
    assert_eq!(run.plan, ["a directory/count/0"]);
    assert_eq!(*fleet.asked.borrow(), 1, "one round trip");
}

#[test]
fn a_step_behind_a_task_that_may_still_find_work_waits_for_it() {
    // `/x` is there, but what is seen of it may change with `/x/y`; so `/z` is not sent along with that.
    let fleet = Memory::default();
    fleet
        .directories
        .borrow_mut()
        .insert(("a".into(), "/x".into()));
    let works = ["/x/y", "/x", "/z"].map(|path| directory("a", path));
    let run = simple(&fleet, works.into(), Mode::Apply);
    assert!(!run.drove.failed && fleet.has("a", "/z"));
    let sent = fleet.batches.borrow();
    let paths: Vec<&[String]> = sent.iter().map(|(_, paths)| &paths[..]).collect();
    assert_eq!(paths, [["/x/y"], ["/z"]]);
}

#[test]
fn a_step_that_the_saved_plan_does_not_have_is_drift_and_no_failure() {
    let registers = Arc::default();
    let fleet = Memory::default();
    let works = vec![
        directory("a", "/x"),
        reading("a"),
        directory_from(&registers, "b", "a"),
    ];
    let options = Options {
        approved: Some(BTreeSet::new()),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let drove = runtime.block_on(async {
        let mut engine = Engine::new(&fleet, layers(), works, registers, options);
        let report = Reporter::new(Vec::new(), Redactor::default());
        engine.drive(Mode::Apply, &report, &fleet.interrupt).await
    });
    assert_eq!(drove.drifted, ["a: directory/x"]);
    assert!(
        !drove.failed,
        "b waits for a value, which is nobody's fault"
    );
    assert!(fleet.batches.borrow().is_empty());
}

#[test]
fn a_host_that_fails_stops_only_itself() {
    let fleet = Memory {
        fails: Some(("a".into(), "/x".into())),
        ..Memory::default()
    };
    let works = vec![
        directory("a", "/x"),
        directory("a", "/y"),
        directory("b", "/x"),
        directory("b", "/y"),
    ];
    let run = simple(&fleet, works, Mode::Apply);
    assert!(run.drove.failed);
    assert!(run.stopped.contains_key("a") && !run.stopped.contains_key("b"));
    assert!(!fleet.has("a", "/y"), "what follows a failure is not done");
    assert!(fleet.has("b", "/x") && fleet.has("b", "/y"));
}

#[test]
fn a_cluster_task_waits_for_the_layers_it_needs_on_other_hosts_too() {
    let cluster = |layer, path: &str| Work {
        cluster: true,
        ..work(layer, "b", "directory", &format!("{{path: {path}}}"))
    };
    let works = |after| {
        vec![
            directory("a", "/x"),
            directory("a", "/x/y"),
            cluster(after, "/after"),
        ]
    };
    let order = |fleet: &Memory| -> Vec<String> {
        let batches = fleet.batches.borrow();
        batches
            .iter()
            .flat_map(|(_, paths)| paths.clone())
            .collect()
    };
    let fleet = Memory::default();
    simple(&fleet, works(1), Mode::Apply);
    assert_eq!(order(&fleet), ["/x", "/x/y", "/after"]);
    // A layer that needs nothing of it goes ahead.
    let fleet = Memory::default();
    simple(&fleet, works(2), Mode::Apply);
    assert_eq!(order(&fleet).last().map(|path| &**path), Some("/x/y"));
    // A host that has failed is not waited for.
    let fleet = Memory {
        fails: Some(("a".into(), "/x".into())),
        ..Memory::default()
    };
    simple(&fleet, works(1), Mode::Apply);
    assert!(fleet.has("b", "/after") && !fleet.has("a", "/x/y"));
}

#[test]
fn a_host_that_does_not_answer_is_unknown_and_the_others_go_on() {
    let fleet = Memory {
        down: BTreeSet::from(["a".into()]),
        ..Memory::default()
    };
    let run = simple(
        &fleet,
        vec![directory("a", "/x"), directory("b", "/x")],
        Mode::Apply,
    );
    assert!(run.stopped.contains_key("a") && !run.drove.failed);
    assert!(fleet.has("b", "/x"));
    assert!(
        run.plan.is_empty(),
        "nothing is planned for a host that nothing is known of: {:?}",
        run.plan
    );
}

#[test]
fn a_connection_that_breaks_in_an_act_is_not_blindly_repeated() {
    let fleet = Memory {
        breaks: Some("a".into()),
        ..Memory::default()
    };
    let run = simple(
        &fleet,
        vec![directory("a", "/x"), directory("b", "/x")],
        Mode::Apply,
    );
    assert_eq!(
        fleet
            .batches
            .borrow()
            .iter()
            .filter(|(host, _)| host == "a")
            .count(),
        1
    );
    assert!(run.stopped.contains_key("a") && fleet.has("b", "/x"));
}

#[test]
fn the_limit_limits_changes_and_not_looking() {
    let fleet = Memory::default();
    let works = vec![directory("a", "/x"), directory("b", "/x")];
    let run = drive(&fleet, works, Arc::default(), Mode::Apply, Some("b"));
    assert_eq!(
        *fleet.asked.borrow(),
        3,
        "both are looked at, and b once more after its step"
    );
    assert!(!fleet.has("a", "/x") && fleet.has("b", "/x") && !run.drove.failed);
}

#[test]
fn a_reading_behind_a_step_is_unknown_until_the_step_has_run() {
    let works = |registers: &Arc<Registers>| {
        vec![
            directory("a", "/x"),
            reading("a"),
            directory_from(registers, "b", "a"),
        ]
    };
    let registers = Arc::default();
    let fleet = Memory::default();
    let run = drive(&fleet, works(&registers), registers, Mode::Look, None);
    assert_eq!(run.plan, ["a directory/x"]);
    assert_eq!(
        run.unknown,
        ["`count` cannot be known until directory/x on a has run"]
    );

    let registers = Arc::default();
    let run = drive(&fleet, works(&registers), registers, Mode::Apply, None);
    assert!(!run.drove.failed, "{:?}", run.stopped);
    assert!(
        fleet.has("b", "/count/1"),
        "b uses what was read on a after a's step"
    );
}

#[test]
fn a_value_that_never_comes_stops_those_who_wait_for_it() {
    let registers = Arc::default();
    let fleet = Memory {
        down: BTreeSet::from(["a".into()]),
        ..Memory::default()
    };
    let works = vec![
        reading("a"),
        directory_from(&registers, "b", "a"),
        directory("c", "/x"),
    ];
    let run = drive(&fleet, works, registers, Mode::Apply, None);
    assert!(run.stopped.contains_key("b") && run.drove.failed);
    assert!(fleet.has("c", "/x"));
}

/// When each step was told to be done, and how long it is said to have taken, in seconds.
struct Told(Instant, Rc<RefCell<Vec<(u64, u64)>>>);

impl Sink for Told {
    fn event(&mut self, event: &Event) {
        if let Event::StepDone { took, .. } = event {
            let when = self.0.elapsed().as_secs();
            self.1.borrow_mut().push((when, took.as_secs()));
        }
    }
}

#[test]
fn each_step_of_a_batch_is_told_when_it_is_done_with_its_own_time() {
    let fleet = Memory {
        takes: Duration::from_secs(2),
        ..Memory::default()
    };
    let works = ["/x", "/y", "/z"].map(|path| directory("a", path)).into();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let told = Rc::default();
    runtime.block_on(async {
        let options = Options::default();
        let mut engine = Engine::new(&fleet, layers(), works, Arc::default(), options);
        let sink = Told(Instant::now(), Rc::clone(&told));
        let report = Reporter::new(vec![Box::new(sink)], Redactor::default());
        engine.drive(Mode::Apply, &report, &fleet.interrupt).await;
    });
    assert_eq!(fleet.batches.borrow().len(), 1, "one batch");
    assert_eq!(*told.borrow(), [(2, 2), (4, 2), (6, 2)]);
}

#[test]
fn an_interrupt_ends_the_run_after_what_runs() {
    let fleet = Memory {
        interrupt_after: Some("/x/y".into()),
        ..Memory::default()
    };
    let run = simple(
        &fleet,
        vec![directory("a", "/x/y"), directory("a", "/x")],
        Mode::Apply,
    );
    assert!(run.drove.interrupted);
    assert!(fleet.has("a", "/x/y") && !fleet.has("a", "/x"));
    assert_eq!(run.plan, ["a directory/x"], "the report says what is left");
}
