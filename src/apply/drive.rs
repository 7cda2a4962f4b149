//! The loop: ask what is open, do what may run, forget what that may have changed, until nothing is left.

use super::Fleet;
use super::engine::{Engine, Stage};
use super::perform::{Ended, Tried, ask, perform};
use super::schedule::Frontier;
use crate::inventory::HostName;
use crate::plan::{Claim, Class, Reach, Scope, Step, Wait};
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
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Steps that were not part of the saved plan, so nothing more was done.
    pub drifted: Vec<String>,
}

enum Finished {
    Asked(HostName, Vec<(Query, Seen<Answer>)>),
    Polled(usize, Box<(Wait, Seen<Answer>)>),
    Acted(Vec<HostName>, Vec<Tried>),
}

type InFlight<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = Finished> + 'a>>>;

struct Drive<'e, 'a, F> {
    engine: &'e mut Engine<'a, F>,
    report: &'e Reporter,
    busy: BTreeSet<HostName>,
    in_flight: InFlight<'a>,
    /// Since when a task waits for what.
    waiting: Vec<(usize, Claim, Instant)>,
    /// What the acts under way may change.
    acting: Vec<(HostName, Scope)>,
    performed: BTreeMap<(String, HostName), usize>,
    restarting: bool,
    drove: Drove,
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
            acting: Vec::new(),
            performed: BTreeMap::new(),
            restarting: false,
            drove: Drove::default(),
        };
        loop {
            drive.engine.evaluate();
            drive.ask();
            drive.forget_waits();
            let goes_on = |drive: &Drive<'_, 'a, F>| {
                mode == Mode::Apply && !interrupt.get() && drive.drove.drifted.is_empty()
            };
            if goes_on(&drive) {
                drive.act();
            }
            match drive.in_flight.next().await {
                Some(finished) => {
                    drive.absorb(finished).await;
                    // What came in meanwhile is taken along: one evaluation for all of it.
                    while let Some(Some(more)) = drive.in_flight.next().now_or_never() {
                        drive.absorb(more).await;
                    }
                }
                None if goes_on(&drive) && drive.is_stuck() => {}
                None => break,
            }
        }
        drive.drove.interrupted = interrupt.get() && mode == Mode::Apply;
        drive.drove
    }
}

impl<'a, F: Fleet> Drive<'_, 'a, F> {
    fn ask(&mut self) {
        for host in self.engine.hosts.iter() {
            if self.busy.contains(host) {
                continue;
            }
            let queries = self.engine.open_questions(host);
            if queries.is_empty() {
                continue;
            }
            let fleet = self.engine.fleet;
            self.report.emit(&Event::Asked {
                host: host.clone(),
                questions: queries.len(),
            });
            let host = host.clone();
            self.busy.insert(host.clone());
            self.in_flight.push(Box::pin(async move {
                let answers = fleet.ask(&host, queries).await;
                Finished::Asked(host, answers)
            }));
        }
    }

    fn act(&mut self) {
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
                    Frontier::Wait(index) => self.first_wait(index),
                    Frontier::Refused(index) => {
                        self.refuse(index);
                        again = true;
                    }
                    Frontier::Stuck(why) => {
                        self.drove.failed = true;
                        self.stop_host(host, why);
                        again = true;
                    }
                    Frontier::Unknown(_) | Frontier::Asking | Frontier::Done => {}
                }
            }
        }
    }

    /// Nothing is in flight. Hosts that wait for a value that nobody will give are stopped, once, so that the rest can go on.
    fn is_stuck(&mut self) -> bool {
        let hosts = self.engine.hosts.iter();
        let stuck: Vec<(HostName, String)> = hosts
            .filter(|host| !self.engine.stopped_hosts.contains_key(*host))
            .filter_map(|host| match self.engine.frontier(host) {
                Frontier::Unknown(why) => Some((host.clone(), why)),
                _ => None,
            })
            .collect();
        for (host, why) in &stuck {
            self.drove.failed = true;
            self.stop_host(host, why.clone());
        }
        !stuck.is_empty()
    }

    /// Starts a batch; says whether another host could be affected at once (never: it only takes its hosts).
    fn start(&mut self, busy: Vec<HostName>, steps: Vec<(usize, Step)>) -> bool {
        if let Some((_, step)) = steps
            .first()
            .filter(|(_, step)| step.class == Class::Restart)
        {
            if self.restarting || !self.engine.health_is_known() {
                return false;
            }
            if let Some(why) = self.engine.gate(&step.subject) {
                let subject = step.subject.clone();
                self.drove.failed = true;
                self.stop_host(
                    &subject,
                    format!("{} is not done now, because {why}", step.id),
                );
                return true;
            }
            self.restarting = true;
        }
        for (_, step) in &steps {
            let times = self
                .performed
                .entry((step.id.to_string(), step.subject.clone()))
                .or_default();
            *times += 1;
            if *times > REPEATS {
                let why = format!("{} was done {REPEATS} times and is still planned", step.id);
                let subject = step.subject.clone();
                self.drove.failed = true;
                self.stop_host(&subject, why);
                return true;
            }
            if !self.engine.is_approved(step) {
                self.drove
                    .drifted
                    .push(format!("{}: {}", step.subject, step.id));
                return false;
            }
        }
        for (_, step) in &steps {
            self.report.emit(&Event::StepStarted {
                host: step.subject.clone(),
                id: step.id.clone(),
                shows: step.act.show(),
            });
        }
        let (fleet, deadline) = (self.engine.fleet, self.engine.options.settle_deadline);
        self.busy.extend(busy.iter().cloned());
        let scopes = steps
            .iter()
            .map(|(_, step)| (step.subject.clone(), step.act.writes()));
        self.acting.extend(scopes);
        self.in_flight.push(Box::pin(async move {
            let tried = perform(fleet, steps, deadline).await;
            Finished::Acted(busy, tried)
        }));
        false
    }

    /// A cluster task goes on when all its members have arrived and none of them is busy.
    fn cluster(&mut self, index: usize) -> bool {
        let members: Vec<HostName> = self.engine.works[index]
            .hosts
            .iter()
            .filter(|host| !self.engine.stopped_hosts.contains_key::<HostName>(host))
            .cloned()
            .collect();
        let here = |host: &HostName| {
            !self.busy.contains(host)
                && matches!(self.engine.frontier(host), Frontier::Cluster(at) if at == index)
        };
        if !members.iter().all(here) {
            return false;
        }
        if self.refuse(index) {
            return true;
        }
        match self.engine.next_of_cluster(index) {
            Some(step) => match self.engine.awaited(index, &step) {
                Some(wait) => {
                    self.wait(index, wait);
                    false
                }
                None => self.start(members, vec![(index, step)]),
            },
            None if !self.waits(index).is_empty() => {
                self.first_wait(index);
                false
            }
            None => {
                let why = "a cluster is created for all its hosts or not at all, and some of them failed, were refused, or are left out by --limit";
                self.stop_layer(self.engine.works[index].layer, why.to_owned());
                true
            }
        }
    }

    fn waits(&self, index: usize) -> &[Wait] {
        match &self.engine.progress[index].stage {
            Stage::Decided(verdict) => &verdict.decision.waits,
            _ => &[],
        }
    }

    /// Stops what the task's refusals reach; says whether that is anything new.
    fn refuse(&mut self, index: usize) -> bool {
        let Stage::Decided(verdict) = &self.engine.progress[index].stage else {
            return false;
        };
        let layer = self.engine.works[index].layer;
        let own = self.engine.works[index].hosts.clone();
        let cluster = self.engine.works[index].cluster;
        let mut stopped = false;
        for refusal in verdict.decision.refusals.clone() {
            let why = format!("{}: {}", refusal.code, refusal.because);
            match refusal.reach {
                Reach::Hosts(hosts) => {
                    for host in hosts {
                        stopped |= self.stop_host(&host, why.clone());
                    }
                }
                Reach::Layer => stopped |= self.stop_layer(layer, why),
                Reach::Here if !cluster => {
                    for host in &own {
                        stopped |= self.stop_host(host, why.clone());
                    }
                }
                Reach::Here => {}
            }
        }
        stopped
    }

    /// A task that waits for nothing any more begins anew when it has to wait again. The words of a wait
    /// may change while it lasts, and what is waited for may come and go: neither starts the clock again.
    fn forget_waits(&mut self) {
        let progress = &self.engine.progress;
        self.waiting
            .retain(|(index, _, _)| match &progress[*index].stage {
                Stage::Decided(verdict) => !verdict.decision.waits.is_empty(),
                _ => true,
            });
    }

    fn first_wait(&mut self, index: usize) {
        if let Some(wait) = self.waits(index).first().cloned() {
            self.wait(index, wait);
        }
    }

    fn wait(&mut self, index: usize, wait: Wait) {
        let same =
            |(task, claim, _): &&(usize, Claim, Instant)| *task == index && *claim == wait.until;
        let since = match self.waiting.iter().find(same) {
            Some((_, _, since)) => *since,
            None => {
                let now = Instant::now();
                self.waiting.push((index, wait.until.clone(), now));
                now
            }
        };
        let elapsed = since.elapsed();
        // Told at once, and then once in a while.
        if elapsed.as_secs().is_multiple_of(5) {
            self.report.emit(&Event::Waiting {
                what: wait.what.clone(),
                since: elapsed,
            });
        }
        if since.elapsed().as_secs() > wait.deadline_s {
            self.drove.failed = true;
            let why = format!(
                "{} did not come true within {} s",
                wait.what, wait.deadline_s
            );
            self.stop_layer(self.engine.works[index].layer, why);
            return;
        }
        let fleet = self.engine.fleet;
        self.busy.insert(wait.until.host.clone());
        self.in_flight.push(Box::pin(async move {
            tokio::time::sleep(WAIT_POLL).await;
            let answer = ask(fleet, &wait.until.host, &wait.until.query).await;
            Finished::Polled(index, Box::new((wait, answer)))
        }));
    }

    async fn absorb(&mut self, finished: Finished) {
        match finished {
            Finished::Asked(host, answers) => {
                self.busy.remove(&host);
                for (query, answer) in answers {
                    self.engine.learn(&host, query, answer);
                }
                self.note_unreachable(&host);
            }
            Finished::Polled(index, polled) => {
                let (wait, answer) = *polled;
                self.busy.remove(&wait.until.host);
                let mut gone =
                    BTreeSet::from([(wait.until.host.clone(), wait.until.query.clone())]);
                if wait.until.holds(&answer) {
                    // What has come true may have changed all that the task looked at.
                    let asked = self.engine.progress[index].asked.clone();
                    for (host, query) in &asked {
                        gone.extend(self.engine.memory.forget(host, |held, _| held == query));
                    }
                }
                self.engine
                    .learn(&wait.until.host, wait.until.query, answer);
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
                        self.waiting.retain(|(index, _, _)| *index != one.index);
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

    fn account(&mut self, tried: Tried) {
        let Tried {
            index,
            step,
            on,
            ended,
            took,
        } = tried;
        let (host, id) = (step.subject.clone(), step.id.clone());
        if !matches!(ended, Ended::Skipped) {
            self.engine.forget(&on, &step.act.writes());
        }
        match ended {
            Ended::Done => {
                if step.every_time {
                    self.engine.finish_once(index, &step);
                }
                self.drove
                    .changed
                    .push((id.to_string(), host.clone(), step.class.clone()));
                self.report.emit(&Event::StepDone {
                    host,
                    id,
                    class: step.class,
                    took,
                });
            }
            Ended::Skipped => {
                // It will be planned again, if it is still needed and the host goes on.
                if let Some(times) = self.performed.get_mut(&(id.to_string(), host)) {
                    *times = times.saturating_sub(1);
                }
            }
            Ended::Stale(claim) => {
                let gone = self
                    .engine
                    .memory
                    .forget(&claim.host, |query, _| *query == claim.query);
                self.engine.refresh(&gone);
                let text = format!(
                    "{host}: {id} did not begin, because this no longer holds: {claim}; looking again"
                );
                self.report.emit(&Event::Note { text });
            }
            Ended::Failed(said) => {
                self.drove.failed = true;
                let shows = step.act.show();
                self.report.emit(&Event::StepFailed {
                    host: host.clone(),
                    id: id.clone(),
                    shows,
                    said,
                });
                if self.engine.works[index].cluster {
                    self.stop_layer(
                        self.engine.works[index].layer,
                        format!("{id} failed for {host}"),
                    );
                } else {
                    self.stop_host(&host, format!("{id} failed"));
                }
            }
            Ended::Lost(lost, why) => {
                self.note_unreachable(&lost);
                if self.engine.fleet.unreachable(&lost).is_none() {
                    self.drove.failed = true;
                    let shows = step.act.show();
                    let said = format!(
                        "{why}\nit may have been done or not; the next run looks and goes on from there"
                    );
                    self.report.emit(&Event::StepFailed {
                        host: host.clone(),
                        id,
                        shows,
                        said,
                    });
                    self.stop_host(&lost, why);
                }
            }
        }
    }

    /// `--paranoid`: every answer that was kept is asked for again, and must not have moved.
    async fn check_kept(&mut self) {
        let hosts = self.engine.hosts.clone();
        for host in hosts.iter() {
            if self.busy.contains(host) || self.engine.fleet.unreachable(host).is_some() {
                continue;
            }
            let kept: BTreeMap<Query, Answer> = self
                .engine
                .memory
                .of(host)
                // What is being changed now is forgotten when that has ended.
                .filter(|(query, _)| {
                    let touched =
                        |(on, scope): &(HostName, Scope)| scope.touches(query, on == host);
                    !self.acting.iter().any(touched)
                })
                .filter_map(|(query, seen)| Some((query.clone(), seen.known()?.steady()?)))
                .collect();
            let fresh = self
                .engine
                .fleet
                .ask(host, kept.keys().cloned().collect())
                .await;
            for (query, now) in fresh {
                let now = now.known().and_then(Answer::steady);
                if now.is_some_and(|now| kept.get(&query).is_some_and(|before| *before != now)) {
                    self.drove.failed = true;
                    self.stop_host(host, format!("paranoid: the kept answer to {query:?} has moved: an act changes more than it says"));
                }
            }
        }
    }

    fn note_unreachable(&mut self, host: &HostName) {
        let Some(why) = self.engine.fleet.unreachable(host) else {
            return;
        };
        if !self.engine.stopped_hosts.contains_key(host) {
            self.engine.stopped_hosts.insert(host.clone(), why.clone());
            self.report.emit(&Event::Unreachable {
                host: host.clone(),
                why,
            });
        }
    }

    fn stop_host(&mut self, host: &HostName, why: String) -> bool {
        if self.engine.stopped_hosts.contains_key(host) {
            return false;
        }
        self.engine.stopped_hosts.insert(host.clone(), why.clone());
        self.report.emit(&Event::HostStopped {
            host: host.clone(),
            why,
        });
        true
    }

    fn stop_layer(&mut self, layer: usize, why: String) -> bool {
        if self.engine.stopped_layers.contains_key(&layer) {
            return false;
        }
        self.engine.stopped_layers.insert(layer, why.clone());
        let layer = self.engine.layers[layer].name.clone();
        self.report.emit(&Event::LayerStopped { layer, why });
        true
    }
}
