//! What is deployed as declared has still to come up: tasks, and the cluster of RabbitMQ.

use super::file::Wanted;
use super::table::Table;
use super::{Stack, State};
use crate::plan::{Claim, Decision, Expect, StackExpect, Wait};
use crate::probe::Seen;
use std::collections::BTreeMap;

/// How long tasks may take to run, in seconds: an image may have to come, and a database to be filled.
pub(super) const START_S: u64 = 900;

impl Table<'_> {
    /// Deployed as declared: what is left is to wait.
    pub(super) fn watch(&self, wanted: &[Wanted], decision: &mut Decision) {
        let Some(expected) = self.expected(wanted) else {
            return;
        };
        let until = Claim::new(
            self.speaker,
            self.query(),
            Expect::Stack(StackExpect::Runs(expected)),
        );
        if until.holds(&Seen::Is(crate::probe::Answer::Stack(self.running.clone()))) {
            self.watch_rabbitmq(decision);
            return;
        }
        decision.waits.push(Wait {
            what: format!(
                "the tasks of {} run{}",
                self.stack.file.name(),
                self.troubles()
            ),
            until,
            deadline_s: START_S,
        });
    }

    /// How many tasks can run of each service: no more than there are nodes for them.
    pub(super) fn expected(&self, wanted: &[Wanted]) -> Option<BTreeMap<String, usize>> {
        expected(self.stack, self.state, wanted)
    }

    /// The tasks that do not run, and what they say.
    pub(super) fn troubles(&self) -> String {
        let mut told: Vec<String> = Vec::new();
        for task in &self.running.tasks {
            if task.runs() || (task.desired == "shutdown" && task.error.is_empty()) {
                continue;
            }
            let mut words = format!("{} {}", task.name, task.state);
            if !task.node.is_empty() {
                words.push_str(&format!(" on {}", task.node));
            }
            if !task.error.is_empty() {
                words.push_str(&format!(": {}", task.error));
            }
            told.push(words);
        }
        if told.is_empty() {
            String::new()
        } else {
            format!(" ({})", told.join("; "))
        }
    }
}

/// How many tasks each service can have; `None` when no roster tells.
pub(super) fn expected(
    stack: &Stack,
    state: &State,
    wanted: &[Wanted],
) -> Option<BTreeMap<String, usize>> {
    let eligible = state.eligible(stack)?.len() as u64;
    let count = |want: &Wanted| {
        let room = match want.most_per_node {
            Some(most) => eligible.saturating_mul(most),
            None if eligible == 0 => 0,
            None => u64::MAX,
        };
        let count = want.replicas.unwrap_or(eligible).min(room);
        (
            want.name.clone(),
            usize::try_from(count).unwrap_or(usize::MAX),
        )
    };
    Some(wanted.iter().map(count).collect())
}
