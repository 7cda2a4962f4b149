//! `provision INVENTORY`, `--dry-run` and `provision plan`.

use super::console::{Console, open_log, watch_signals};
use super::lock::{Denied, Locks, lock};
use super::outcome;
use super::rehearse::rehearsed;
use super::setup::{self, Setup};
use crate::apply::{Drove, Engine, Mode, Remote};
use crate::cli::{ApplyArgs, OutputFormat, PlanArgs, PlanFormat};
use crate::failure::Failure;
use crate::inventory::HostName;
use crate::plan::Plan;
use crate::report::{Event, Outcome, Reporter, Sink, json, text};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often locks and Ctrl-C are looked at while steps run.
const WATCH: Duration = Duration::from_millis(100);

/// Exit code for pending changes under `--detailed-exitcode`.
pub(super) const PENDING: u8 = 2;

/// `provision plan`
pub async fn plan(args: PlanArgs) -> Result<u8, Failure> {
    if !args.assume_lost.is_empty() {
        return rehearsed(&args).await;
    }
    let console = Console::new(&args.output);
    let setup = setup::load(&args.input)?;
    let remote = setup.remote(&args.connection)?;
    let hosts = setup.inventory.hosts().len();
    let redactor = setup.redactor();
    let report = Reporter::new(Vec::new(), redactor.clone());
    let plan = {
        let mut engine = setup.engine(&remote, false);
        engine.drive(Mode::Look, &report, &Cell::new(false)).await;
        refuse_wrong(&engine)?;
        engine.plan()
    };
    remote.close().await;
    let document = json::plan(&plan);
    if let Some(path) = &args.out {
        let text = redactor.text(&format!("{document:#}\n"));
        std::fs::write(path, text).map_err(|error| {
            Failure::internal(format!(
                "the plan cannot be written to {}: {error}",
                path.display()
            ))
        })?;
    }
    let shown = match args.format {
        PlanFormat::Text => text::plan(&plan, hosts, console.styled),
        PlanFormat::Json => format!("{document:#}\n"),
    };
    let _ = write!(std::io::stdout(), "{}", redactor.text(&shown));
    Ok(planned_code(&plan, args.detailed_exitcode))
}

/// Arguments that turned out to be wrong when their values were known: bad input, before anything was changed.
fn refuse_wrong(engine: &Engine<'_, Remote>) -> Result<(), Failure> {
    let wrong = engine.diagnostics();
    if wrong.0.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

pub(super) fn planned_code(plan: &Plan, detailed: bool) -> u8 {
    if !plan.refusals.is_empty() {
        Outcome::Refused.exit_code()
    } else if !plan.unreachable.is_empty() {
        Outcome::Unreachable.exit_code()
    } else if detailed && plan.open().next().is_some() {
        PENDING
    } else {
        0
    }
}

/// `provision INVENTORY` and `provision apply INVENTORY`
pub async fn apply(args: ApplyArgs) -> Result<u8, Failure> {
    let began = Instant::now();
    let console = Console::new(&args.output);
    let setup = setup::load(&args.input)?;
    let remote = setup.remote(&args.connection)?;
    let run = Run {
        began,
        console,
        hosts: setup
            .inventory
            .hosts()
            .iter()
            .map(|host| host.name.clone())
            .collect(),
        lock_paths: setup.lock_paths(),
        args: &args,
    };
    let code = run.whole(setup, &remote).await;
    remote.close().await;
    code
}

pub(super) struct Run<'a> {
    pub(super) began: Instant,
    pub(super) console: Console,
    pub(super) hosts: Vec<HostName>,
    pub(super) lock_paths: BTreeMap<HostName, String>,
    pub(super) args: &'a ApplyArgs,
}

impl Run<'_> {
    async fn whole(&self, setup: Setup, remote: &Remote) -> Result<u8, Failure> {
        let redactor = setup.redactor();
        let quiet = Reporter::new(Vec::new(), redactor.clone());
        let mut engine = setup.engine(remote, self.args.paranoid);
        let interrupt = Rc::new(Cell::new(false));
        let signals = tokio::task::LocalSet::new();
        signals.spawn_local(watch_signals(interrupt.clone()));
        signals
            .run_until(async {
                engine.drive(Mode::Look, &quiet, &interrupt).await;
                refuse_wrong(&engine)?;
                let plan = engine.plan();
                let shown = text::plan(&plan, self.hosts.len(), self.console.styled);
                let mut log = open_log(&self.args.output);
                if let Some(log) = &mut log {
                    log.text(&redactor.text(&text::plan(&plan, self.hosts.len(), false)));
                }
                let log_path = log.as_ref().map(|log| log.path().display().to_string());
                let nothing_to_do = plan.is_empty() && plan.unreachable.is_empty();
                if !self.console.quiet || !nothing_to_do {
                    self.console.say(&redactor.text(&shown));
                }
                if self.console.format == OutputFormat::Json {
                    let event = serde_json::json!({"event": "plan", "time": json::now(), "plan": json::plan(&plan)});
                    let _ = writeln!(std::io::stdout(), "{event}");
                }
                let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
                if let Some(log) = log {
                    sinks.push(Box::new(log));
                }
                if self.args.dry_run || (plan.open().next().is_none() && plan.waits.is_empty()) {
                    let report = Reporter::new(sinks, redactor);
                    return Ok(self.end_without_acting(&engine, &plan, &report, interrupt.get()));
                }
                sinks.extend(self.console.sink(plan.open().count()));
                let report = Reporter::new(sinks, redactor);
                let locks = match self.lock(remote, &report).await {
                    Ok(locks) => locks,
                    Err(denied) => {
                        if self.console.format == OutputFormat::Json {
                            let took = self.began.elapsed();
                            let line = json::summary(Outcome::Refused, &report.tallies(), &plan.refusals, took);
                            let _ = writeln!(std::io::stdout(), "{line}");
                        }
                        return Err(denied);
                    }
                };
                let ended = self.act(remote, &mut engine, &report, &interrupt, &locks).await;
                locks.release().await;
                let (drove, last) = ended;
                let outcome = outcome::after_acting(&drove, &last);
                self.summary(&engine, &last, &report, outcome, log_path.as_deref());
                Ok(outcome.exit_code())
            })
            .await
    }

    async fn lock(&self, remote: &Remote, report: &Reporter) -> Result<Locks, Failure> {
        let patience = Duration::from_secs(self.args.lock_timeout);
        match lock(remote, &self.lock_paths, patience, report).await {
            Ok(locks) => Ok(locks),
            Err(Denied::Held(holder)) => Err(Failure {
                code: Outcome::Refused.exit_code(),
                message: format!("another run is under way: {holder}; nothing was changed"),
                hint: Some("wait for it with `--lock-timeout SECONDS`; a run that died lets go within 30 s".to_owned()),
            }),
            Err(Denied::TooFew(text)) => Err(Failure {
                code: Outcome::Refused.exit_code(),
                message: format!("{text}; nothing was changed"),
                hint: Some("bring the other hosts back, then run again".to_owned()),
            }),
        }
    }

    /// Looks again under the locks, acts, and verifies by looking at everything once more.
    async fn act(
        &self,
        remote: &Remote,
        engine: &mut Engine<'_, Remote>,
        report: &Reporter,
        interrupt: &Rc<Cell<bool>>,
        locks: &Locks,
    ) -> (Drove, Plan) {
        report.emit(&Event::Looking {
            hosts: self.hosts.len(),
        });
        engine.forget_all();
        let mut fell = false;
        let (mut drove, last) = {
            let converging = outcome::converge(engine, report, interrupt);
            tokio::pin!(converging);
            let mut told = false;
            loop {
                tokio::select! {
                    ended = &mut converging => break ended,
                    () = tokio::time::sleep(WATCH) => {
                        // Hosts that went down took their locks with them; a majority must hold all the same.
                        if locks.held() * 2 <= self.lock_paths.len() && !interrupt.replace(true) {
                            fell = true;
                            let text = "the locks have fallen on a majority of the hosts: stopping after the running steps".to_owned();
                            report.emit(&Event::Note { text });
                        }
                        if interrupt.get() && !std::mem::replace(&mut told, true) {
                            remote.stop().await;
                        }
                    }
                }
            }
        };
        if fell && drove.interrupted {
            // Nobody asked for this end.
            (drove.interrupted, drove.failed) = (false, true);
        }
        (drove, last)
    }
}
