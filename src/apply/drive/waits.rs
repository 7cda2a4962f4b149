//! What is under way by itself is looked at now and then, with a deadline.

use super::Drive;
use super::{Finished, WAIT_POLL, Waiting};
use crate::apply::Fleet;
use crate::apply::engine::Stage;
use crate::apply::perform::ask;
use crate::inventory::HostName;
use crate::plan::{Claim, Reach, Refusal, Step, Wait};
use crate::report::Event;
use std::time::Duration;
use tokio::time::Instant;

/// How often a wait is told of.
const TELL: Duration = Duration::from_secs(5);

/// How many times its deadline something may be waited for in one run, when it comes true and goes again.
const RENEWALS: u32 = 3;

/// How long a restart waits for the other hosts to become well.
const GATE: Duration = Duration::from_secs(180);

impl<'e, 'a: 'e, F: Fleet> Drive<'e, 'a, F> {
    pub(super) fn waits(&self, index: usize) -> &[Wait] {
        match &self.engine.progress[index].stage {
            Stage::Decided(verdict) => &verdict.decision.waits,
            _ => &[],
        }
    }

    /// A task that waits for nothing any more begins anew when it has to wait again, but not for ever.
    /// The words of a wait may change while it lasts: that does not start the clock again.
    pub(super) fn forget_waits(&mut self) {
        let progress = &self.engine.progress;
        let settled: Vec<bool> = progress
            .iter()
            .map(|task| match &task.stage {
                Stage::Decided(verdict) => verdict.decision.waits.is_empty(),
                _ => false,
            })
            .collect();
        self.end_waits(|index| settled[index]);
    }

    /// Ends the waits of some tasks, and keeps how long they have taken.
    pub(super) fn end_waits(&mut self, of: impl Fn(usize) -> bool) {
        for ended in self.waiting.extract_if(.., |waiting| of(waiting.index)) {
            let same = |(index, claim, _): &&mut (usize, _, Duration)| {
                *index == ended.index && *claim == ended.until
            };
            let took = ended.since.elapsed();
            match self.waited.iter_mut().find(same) {
                Some((_, _, total)) => *total += took,
                None => self.waited.push((ended.index, ended.until, took)),
            }
        }
    }

    /// Waits for one of the things that the task waits for, in turn, so that each is looked at. Says whether it is given up
    /// instead, when there is one.
    pub(super) fn next_wait(&mut self, index: usize) -> Option<bool> {
        let waits = self.waits(index).iter();
        let next = waits
            .filter(|wait| self.engine.may_come_true(wait))
            .min_by_key(|wait| self.polls(index, wait))
            .cloned()?;
        Some(self.wait(index, next))
    }

    /// Says whether it is given up, because its time is over: others can go on then.
    pub(super) fn wait(&mut self, index: usize, wait: Wait) -> bool {
        let (elapsed, earlier) = self.waited_for(index, &wait.until);
        let deadline = Duration::from_secs(wait.deadline_s);
        if elapsed > deadline {
            let why = format!(
                "{} did not come true within {} s",
                wait.what, wait.deadline_s
            );
            self.give_up(index, why);
            true
        } else if earlier + elapsed > deadline * RENEWALS {
            let why = format!(
                "{} came true and went again for {} s in all",
                wait.what,
                (earlier + elapsed).as_secs()
            );
            self.give_up(index, why);
            true
        } else {
            self.look_again(index, wait, elapsed);
            false
        }
    }

    /// Whether a step is put off for what may come true by itself; that is then looked at. Its time being over is no
    /// failure: the step is due.
    pub(super) fn yields(&mut self, index: usize, step: &Step) -> bool {
        let lasts = |wait: &&Wait| {
            let (elapsed, earlier) = self.waited_for(index, &wait.until);
            let deadline = Duration::from_secs(wait.deadline_s);
            step.yields_to.contains(&wait.until)
                && elapsed <= deadline
                && earlier + elapsed <= deadline * RENEWALS
        };
        let waits = self.waits(index).iter().filter(lasts);
        let Some(wait) = waits.min_by_key(|wait| self.polls(index, wait)).cloned() else {
            return false;
        };
        let (elapsed, _) = self.waited_for(index, &wait.until);
        self.look_again(index, wait, elapsed);
        true
    }

    /// How often a wait was looked at.
    pub(super) fn polls(&self, index: usize, wait: &Wait) -> usize {
        let same = |waiting: &&Waiting| waiting.index == index && waiting.until == wait.until;
        self.waiting.iter().find(same).map_or(0, |it| it.polls)
    }

    /// For how long a task has waited for something, and how long before it began to wait for it again.
    fn waited_for(&self, index: usize, until: &Claim) -> (Duration, Duration) {
        let same = |waiting: &&Waiting| waiting.index == index && waiting.until == *until;
        let now = self.waiting.iter().find(same);
        let earlier = self
            .waited
            .iter()
            .find(|(task, claim, _)| *task == index && claim == until);
        (
            now.map_or(Duration::ZERO, |waiting| waiting.since.elapsed()),
            earlier.map_or(Duration::ZERO, |(_, _, total)| *total),
        )
    }

    /// Looks at what is waited for once more, after a moment. A host is asked by one at a time: while it is busy, the end of
    /// what keeps it busy leads here again. Otherwise each look at a host that is none of the task's own, which it does not
    /// keep busy, would begin the next one before it ends.
    fn look_again(&mut self, index: usize, wait: Wait, elapsed: Duration) {
        if self.busy.contains(&wait.until.host) {
            return;
        }
        let now = Instant::now();
        let same = |waiting: &Waiting| waiting.index == index && waiting.until == wait.until;
        let at = self.waiting.iter().position(same).unwrap_or_else(|| {
            self.waiting.push(Waiting {
                index,
                until: wait.until.clone(),
                since: now,
                polls: 0,
                told: None,
            });
            self.waiting.len() - 1
        });
        let waiting = &mut self.waiting[at];
        waiting.polls += 1;
        if waiting.told.is_none_or(|told| told.elapsed() >= TELL) {
            waiting.told = Some(now);
            self.report.emit(&Event::Waiting {
                what: wait.what.clone(),
                since: elapsed,
            });
        }
        let fleet = self.engine.fleet;
        self.busy.insert(wait.until.host.clone());
        self.in_flight.push(Box::pin(async move {
            tokio::time::sleep(WAIT_POLL).await;
            let answer = ask(fleet, &wait.until.host, &wait.until.query).await;
            Finished::Polled(index, Box::new((wait, answer)))
        }));
    }

    /// What was waited for did not come. A task may have said what that then means.
    fn give_up(&mut self, index: usize, why: String) {
        let layer = self.engine.works[index].layer;
        match self.held_back(index) {
            Some(refusal) => {
                let why = format!("{}: {} ({why})", refusal.code, refusal.because);
                self.drove.refused = true;
                self.stop_layer(layer, why);
            }
            None => {
                self.drove.failed = true;
                self.stop_layer(layer, why);
            }
        }
    }

    fn held_back(&self, index: usize) -> Option<&Refusal> {
        let Stage::Decided(verdict) = &self.engine.progress[index].stage else {
            return None;
        };
        let mut refusals = verdict.decision.refusals.iter();
        refusals.find(|refusal| refusal.reach == Reach::LayerAfterWaits)
    }

    /// Holds a restart up while another host is not well, for a while; says whether it is given up.
    pub(super) fn hold_up(&mut self, subject: &HostName, step: &str, why: &str) -> bool {
        let now = Instant::now();
        let fresh = !self.gated.contains_key(subject);
        let (since, told) = self.gated.entry(subject.clone()).or_insert((now, now));
        let elapsed = since.elapsed();
        if elapsed > GATE {
            self.drove.failed = true;
            let why = format!(
                "{step} is not done, because for {} s {why}",
                elapsed.as_secs()
            );
            self.stop_host(subject, why);
            return true;
        }
        if fresh || told.elapsed() >= TELL {
            *told = now;
            self.report.emit(&Event::Waiting {
                what: format!("{subject}: {step} is held up, because {why}"),
                since: elapsed,
            });
        }
        self.busy.insert(subject.clone());
        let subject = subject.clone();
        self.in_flight.push(Box::pin(async move {
            tokio::time::sleep(WAIT_POLL).await;
            Finished::Gated(subject)
        }));
        false
    }
}
