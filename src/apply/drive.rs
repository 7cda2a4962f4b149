//! The loop: ask what is open, do what may run, forget what that may have changed, until nothing is left.

mod account;
mod begin;
mod paranoid;
mod stops;
mod waits;

use super::Fleet;
use super::engine::Engine;
use super::perform::{Ended, Tried};
use super::schedule::Frontier;
use crate::inventory::HostName;
use crate::plan::{Claim, Class, Scope, Wait};
use crate::probe::{Answer, Query, Seen};
use crate::report::{Event, Reporter};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;

/// How often something that is under way by itself is looked at.
const WAIT_POLL: Duration = Duration::from_secs(1);

/// How often a step may be done in one run before it counts as not converging.
const REPEATS: usize = 2;

/// How often a step may be held up by evidence that no longer holds when it is about to begin.
const STALE: usize = 10;

/// Whether steps are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only look.
    Look,
    /// Look and act.
    Apply,
}

/// What a drive did.
#[derive(Clone, Debug, Default)]
pub struct Drove {
    /// Steps done.
    pub changed: Vec<(String, HostName, Class)>,
    /// Whether a step failed or a task could not go on.
    pub failed: bool,
    /// Whether a refusal stopped a host or a layer: what comes after it is not done, also when its reason has passed since.
    pub refused: bool,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Steps that were not part of the saved plan, so nothing more was done.
    pub drifted: Vec<String>,
}

impl Drove {
    /// What went on after it.
    pub(crate) fn add(&mut self, next: Self) {
        self.changed.extend(next.changed);
        self.failed |= next.failed;
        self.refused |= next.refused;
        self.interrupted |= next.interrupted;
        self.drifted.extend(next.drifted);
    }
}

enum Finished {
    /// Time has passed for a host whose restart is held up because another one is not well.
    Gated(HostName),
    Asked(HostName, Vec<(Query, Seen<Answer>)>),
    Polled(usize, Box<(Wait, Seen<Answer>)>),
    Acted(Vec<HostName>, Vec<Tried>),
}

type InFlight<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = Finished> + 'a>>>;

/// A wait under way.
struct Waiting {
    index: usize,
    until: Claim,
    since: Instant,
    /// How often it was looked at: of several, the one that was looked at least is the next.
    polls: usize,
    told: Option<Instant>,
}

struct Drive<'e, 'a, F> {
    engine: &'e mut Engine<'a, F>,
    report: &'e Reporter,
    busy: BTreeSet<HostName>,
    in_flight: InFlight<'e>,
    /// What the tasks wait for.
    waiting: Vec<Waiting>,
    /// How long tasks have waited for what, before they began to wait for it again.
    waited: Vec<(usize, Claim, Duration)>,
    /// Since when a restart of a host is held up, and when that was told last.
    gated: BTreeMap<HostName, (Instant, Instant)>,
    stale: BTreeMap<(String, HostName), usize>,
    /// What the acts under way may change.
    acting: Vec<(HostName, Scope)>,
    performed: BTreeMap<(String, HostName), usize>,
    restarting: bool,
    /// A restart is due, and how well the layers are is not known.
    asks_health: bool,
    drove: Drove,
}

/// After how many looks at what it waits for a task looks at everything again: something else may have come, or gone, by
/// which it would wait for something else. Ever more rarely, since a question may take long.
const fn is_due(polls: usize) -> bool {
    polls >= 8 && polls.is_power_of_two()
}

impl<'a, F: Fleet> Engine<'a, F> {
    /// Looks at everything, and in [`Mode::Apply`] does what follows until nothing is left that may run.
    /// `interrupt` ends it after the steps that run.
    pub async fn drive(&mut self, mode: Mode, report: &Reporter, interrupt: &Cell<bool>) -> Drove {
        let mut drive = Drive {
            engine: self,
            report,
            busy: BTreeSet::new(),
            in_flight: FuturesUnordered::new(),
            waiting: Vec::new(),
            waited: Vec::new(),
            gated: BTreeMap::new(),
            stale: BTreeMap::new(),
            acting: Vec::new(),
            performed: BTreeMap::new(),
            restarting: false,
            asks_health: false,
            drove: Drove::default(),
        };
        loop {
            let goes_on = |drive: &Drive<'_, '_, F>| {
                mode == Mode::Apply && !interrupt.get() && drive.drove.drifted.is_empty()
            };
            drive.engine.evaluate();
            drive.ask(!goes_on(&drive));
            drive.forget_waits();
            if goes_on(&drive) {
                drive.act();
            }
            if drive.asks_health {
                drive.ask(false);
            }
            match drive.in_flight.next().await {
                Some(finished) => {
                    drive.absorb(finished).await;
                    // What came in meanwhile is taken along: one evaluation for all of it.
                    while let Some(Some(more)) = drive.in_flight.next().now_or_never() {
                        drive.absorb(more).await;
                    }
                }
                // Nothing is left that waits for anything else.
                None if goes_on(&drive) && (drive.ask(true) || drive.is_stuck()) => {}
                None => break,
            }
        }
        drive.drove.interrupted = interrupt.get() && mode == Mode::Apply;
        drive.drove
    }
}

impl<'e, 'a: 'e, F: Fleet> Drive<'e, 'a, F> {
    /// Asks what is open: of the tasks whose turn it is, or of all. Says whether there was anything to ask.
    fn ask(&mut self, all: bool) -> bool {
        let only = (!all).then(|| {
            let mut tasks = self.engine.come_to(&self.busy);
            if self.asks_health {
                tasks.extend(self.engine.tell_health());
            }
            tasks
        });
        let mut asked = false;
        for host in self.engine.hosts.iter() {
            if self.busy.contains(host) {
                continue;
            }
            let queries = self.engine.open_questions(host, only.as_ref());
            if queries.is_empty() {
                continue;
            }
            let fleet = self.engine.fleet;
            self.report.emit(&Event::Asked {
                host: host.clone(),
                questions: queries.len(),
                kinds: queries.iter().map(Query::kind).collect(),
            });
            let host = host.clone();
            self.busy.insert(host.clone());
            self.in_flight.push(Box::pin(async move {
                let answers = fleet.ask(&host, queries).await;
                Finished::Asked(host, answers)
            }));
            asked = true;
        }
        asked
    }

    fn act(&mut self) {
        self.asks_health = false;
        let hosts = self.engine.hosts.clone();
        let mut again = true;
        while std::mem::take(&mut again) {
            for host in hosts.iter() {
                if self.busy.contains(host) || self.engine.stopped_hosts.contains_key(host) {
                    continue;
                }
                match self.engine.frontier(host) {
                    Frontier::Batch(steps) => again |= self.start(vec![host.clone()], steps),
                    Frontier::Cluster(index) => again |= self.cluster(index),
                    Frontier::Wait(index) => again |= self.next_wait(index).unwrap_or_default(),
                    Frontier::Refused(index) => again |= self.refuse(index),
                    Frontier::Stuck(why) => {
                        self.drove.failed = true;
                        self.stop_host(host, why);
                        again = true;
                    }
                    Frontier::Unknown(_) | Frontier::Asking(_) | Frontier::Done => {}
                }
            }
        }
    }

    async fn absorb(&mut self, finished: Finished) {
        match finished {
            Finished::Gated(host) => {
                self.busy.remove(&host);
                self.engine.forget_health();
            }
            Finished::Asked(host, answers) => {
                self.busy.remove(&host);
                self.engine.learn(&host, answers);
                self.note_unreachable(&host);
            }
            Finished::Polled(index, polled) => {
                let (wait, answer) = *polled;
                self.busy.remove(&wait.until.host);
                let mut gone =
                    BTreeSet::from([(wait.until.host.clone(), wait.until.query.clone())]);
                if wait.until.holds(&answer) {
                    gone.extend(self.engine.forget_awaited(index));
                } else if is_due(self.polls(index, &wait)) {
                    gone.extend(self.engine.forget_asked(index));
                }
                self.engine
                    .learn(&wait.until.host, [(wait.until.query, answer)]);
                self.engine.refresh(&gone);
                self.note_unreachable(&wait.until.host);
            }
            Finished::Acted(busy, tried) => {
                for host in &busy {
                    self.busy.remove(host);
                }
                for one in &tried {
                    let scope = (one.step.subject.clone(), one.step.act.writes());
                    if let Some(at) = self.acting.iter().position(|acting| *acting == scope) {
                        self.acting.swap_remove(at);
                    }
                    if matches!(one.ended, Ended::Done) {
                        self.end_waits(|index| index == one.index);
                    }
                }
                self.restarting &= !tried.iter().any(|tried| tried.step.class == Class::Restart);
                for one in tried {
                    self.account(one);
                }
                if self.engine.options.paranoid {
                    self.check_kept().await;
                }
            }
        }
    }
}
