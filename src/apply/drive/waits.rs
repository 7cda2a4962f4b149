//! What is under way by itself is looked at now and then, with a deadline.

use super::Drive;
use super::{Finished, WAIT_POLL};
use crate::apply::Fleet;
use crate::apply::engine::Stage;
use crate::apply::perform::ask;
use crate::plan::{Claim, Wait};
use crate::report::Event;
use tokio::time::Instant;

impl<'a, F: Fleet> Drive<'_, 'a, F> {
    pub(super) fn waits(&self, index: usize) -> &[Wait] {
        match &self.engine.progress[index].stage {
            Stage::Decided(verdict) => &verdict.decision.waits,
            _ => &[],
        }
    }

    /// A task that waits for nothing any more begins anew when it has to wait again. The words of a wait
    /// may change while it lasts, and what is waited for may come and go: neither starts the clock again.
    pub(super) fn forget_waits(&mut self) {
        let progress = &self.engine.progress;
        self.waiting
            .retain(|(index, _, _)| match &progress[*index].stage {
                Stage::Decided(verdict) => !verdict.decision.waits.is_empty(),
                _ => true,
            });
    }

    pub(super) fn first_wait(&mut self, index: usize) {
        if let Some(wait) = self.waits(index).first().cloned() {
            self.wait(index, wait);
        }
    }

    pub(super) fn wait(&mut self, index: usize, wait: Wait) {
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
}
