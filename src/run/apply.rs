//! `provision INVENTORY`, `--dry-run` and `provision plan`.

use super::lock::{Denied, Locks, lock};
use super::outcome;
use super::setup::{self, Setup};
use crate::apply::{Drove, Engine, Mode, Remote};
use crate::cli::{ApplyArgs, Color, OutputArgs, OutputFormat, PlanArgs, PlanFormat};
use crate::failure::Failure;
use crate::inventory::HostName;
use crate::plan::{Plan, Refusal};
use crate::report::json::JsonLines;
use crate::report::plain::Plain;
use crate::report::{Event, Human, Log, Outcome, Reporter, Sink, json, text};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often locks and Ctrl-C are looked at while steps run.
const WATCH: Duration = Duration::from_millis(100);

/// Exit code for pending changes under `--detailed-exitcode`.
const PENDING: u8 = 2;

/// What is printed where.
struct Console {
    format: OutputFormat,
    styled: bool,
    quiet: bool,
    verbose: bool,
}

impl Console {
    fn new(args: &OutputArgs) -> Self {
        let format = args.output.unwrap_or(if std::io::stderr().is_terminal() {
            OutputFormat::Human
        } else {
            OutputFormat::Plain
        });
        let styled = match args.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
            }
        };
        Self {
            format,
            styled: styled && format == OutputFormat::Human,
            quiet: args.quiet,
            verbose: args.verbose,
        }
    }

    fn sink(&self, steps: usize) -> Option<Box<dyn Sink>> {
        match self.format {
            OutputFormat::Json => Some(Box::new(JsonLines(std::io::stdout()))),
            _ if self.quiet => None,
            OutputFormat::Human => Some(Box::new(Human::new(steps, self.verbose))),
            OutputFormat::Plain => Some(Box::new(Plain::new(std::io::stdout(), self.verbose))),
        }
    }

    fn say(&self, text: &str) {
        if self.format != OutputFormat::Json {
            let _ = write!(std::io::stdout(), "{text}");
        }
    }
}

/// `provision plan`
pub async fn plan(args: PlanArgs) -> Result<u8, Failure> {
    let began = Instant::now();
    let console = Console::new(&args.output);
    let setup = setup::load(&args.input)?;
    let remote = setup.remote(&args.connection)?;
    let hosts = setup.inventory.hosts().len();
    let report = Reporter::new(Vec::new(), setup.redactor());
    let plan = {
        let mut engine = setup.engine(&remote, false);
        engine.drive(Mode::Look, &report, &Cell::new(false)).await;
        refuse_wrong(&engine)?;
        engine.plan()
    };
    remote.close().await;
    let document = json::plan(&plan);
    if let Some(path) = &args.out {
        let text = format!("{document:#}\n");
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
    let _ = write!(std::io::stdout(), "{shown}");
    let _ = began;
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

fn planned_code(plan: &Plan, detailed: bool) -> u8 {
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

struct Run<'a> {
    began: Instant,
    console: Console,
    hosts: Vec<HostName>,
    lock_paths: BTreeMap<HostName, String>,
    args: &'a ApplyArgs,
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
                if self.args.dry_run || (plan.open().next().is_none() && plan.waits.is_empty() && !engine.has_hidden_work()) {
                    let report = Reporter::new(sinks, redactor);
                    return Ok(self.end_without_acting(&engine, &plan, &report, interrupt.get()));
                }
                sinks.extend(self.console.sink(plan.open().count()));
                let report = Reporter::new(sinks, redactor);
                let locks = match self.lock(remote, &report).await {
                    Ok(locks) => locks,
                    Err(denied) => return Err(denied),
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
        let mut drove = {
            let driving = engine.drive(Mode::Apply, report, interrupt);
            tokio::pin!(driving);
            let mut told = false;
            loop {
                tokio::select! {
                    drove = &mut driving => break drove,
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
        if fell {
            // Nobody asked for this end.
            (drove.interrupted, drove.failed) = (false, true);
        }
        let last = outcome::verify(engine, &drove, report).await;
        (drove, last)
    }

    fn end_without_acting(
        &self,
        engine: &Engine<'_, Remote>,
        plan: &Plan,
        report: &Reporter,
        interrupted: bool,
    ) -> u8 {
        for (host, why) in &plan.unreachable {
            report.emit(&Event::Unreachable {
                host: host.clone(),
                why: why.clone(),
            });
        }
        let outcome = outcome::without_acting(plan, interrupted, self.args.dry_run);
        // As text a dry run is the plan and nothing else: asked twice, it is the same byte for byte.
        if !self.args.dry_run || interrupted || self.console.format == OutputFormat::Json {
            self.summary(engine, plan, report, outcome, None);
        }
        if outcome == Outcome::Pending && self.args.detailed_exitcode {
            PENDING
        } else {
            outcome.exit_code()
        }
    }

    fn summary(
        &self,
        engine: &Engine<'_, Remote>,
        plan: &Plan,
        report: &Reporter,
        outcome: Outcome,
        log: Option<&str>,
    ) {
        engine.count_tasks(report);
        let tallies = report.tallies();
        report.close();
        if self.console.format == OutputFormat::Json {
            let line = json::summary(outcome, &tallies, &plan.refusals, self.began.elapsed());
            let _ = writeln!(std::io::stdout(), "{line}");
            return;
        }
        let changes: usize = tallies.values().map(|tally| tally.changed).sum();
        let mut out = String::new();
        if outcome != Outcome::Pending && !(self.console.quiet && outcome == Outcome::Converged) {
            out.push('\n');
            for (host, tally) in &tallies {
                let state = if tally.unreachable {
                    "  unreachable"
                } else {
                    ""
                };
                out.push_str(&format!(
                    "{host:<20} ok {:<4} changed {:<4} failed {:<4} skipped {:<4}{state}\n",
                    tally.ok, tally.changed, tally.failed, tally.skipped
                ));
            }
        }
        for (host, why) in engine.stopped_hosts() {
            if !plan.unreachable.contains_key(host) {
                out.push_str(&format!("{host}: stopped: {why}\n"));
            }
        }
        for (layer, why) in engine.stopped_layers() {
            out.push_str(&format!(
                "{}: stopped: {why}\n",
                engine.layers()[*layer].name
            ));
        }
        if outcome == Outcome::NotConverged || outcome == Outcome::Interrupted {
            out.push_str(&text::plan(plan, self.hosts.len(), self.console.styled));
        }
        for (layer, refusal) in plan.refusals.iter().filter(|_| changes > 0) {
            out.push_str(&refusal_line(layer, refusal));
        }
        out.push_str(&format!(
            "{}: {changes} changes in {:.1} s\n",
            outcome::sentence(outcome, self.args.dry_run),
            self.began.elapsed().as_secs_f64()
        ));
        if let Some(log) = log {
            out.push_str(&format!("log: {log}\n"));
        }
        self.console.say(&out);
    }
}

fn refusal_line(layer: &str, refusal: &Refusal) -> String {
    format!(
        "refused {} ({layer}): {}\n  {}\n",
        refusal.code, refusal.because, refusal.hint
    )
}

fn open_log(args: &OutputArgs) -> Option<Log> {
    match Log::open(args.log_file.as_deref()) {
        Ok(log) => Some(log),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "provision: no log is written: {error}");
            None
        }
    }
}

/// The first Ctrl-C ends the run after the running steps, the second at once.
async fn watch_signals(interrupt: Rc<Cell<bool>>) {
    let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        if interrupt.replace(true) {
            std::process::exit(i32::from(Outcome::Interrupted.exit_code()));
        }
        let _ = writeln!(
            std::io::stderr(),
            "provision: stopping after the running steps; once more to stop at once"
        );
    }
}
