//! Doing steps: evidence first, then the act, then the postcondition.

use super::Fleet;
use super::fleet::Done;
use crate::inventory::HostName;
use crate::plan::{Claim, Step, Via};
use crate::probe::{Answer, Query, Seen};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long a postcondition is left alone between two questions, at first: what takes longer is asked less often.
const POLL: Duration = Duration::from_millis(100);

/// The longest such pause.
const LONGEST_POLL: Duration = Duration::from_millis(800);

/// How a step ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Done, and the postcondition holds.
    Done,
    /// The host said no.
    Failed(String),
    /// It did not begin: an earlier one of its batch failed.
    Skipped,
    /// The evidence no longer holds, so it did not begin.
    Stale(Claim),
    /// The connection to this host broke in the middle.
    Lost(HostName, String),
}

/// A step that was tried.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) index: usize,
    pub(super) step: Step,
    /// The host that the act ran on.
    pub(super) on: HostName,
    pub(super) ended: Ended,
}

/// Does the steps of one batch. Only a batch of one has evidence; only the last has a postcondition.
/// `done` is told of each step that was done, as soon as it was.
pub(super) async fn perform<F: Fleet>(
    fleet: &F,
    steps: Vec<(usize, Step)>,
    deadline: Duration,
    done: impl Fn(&Step, Duration),
) -> Vec<Tried> {
    let Some(on) = steps.first().and_then(|(_, step)| bind(fleet, &step.via)) else {
        return steps
            .into_iter()
            .map(|(index, step)| Tried {
                index,
                on: step.subject.clone(),
                ended: Ended::Failed("no host that could do it answers".to_owned()),
                step,
            })
            .collect();
    };
    if let Some(claim) = stale(fleet, &steps).await {
        return steps
            .into_iter()
            .map(|(index, step)| Tried {
                index,
                step,
                on: on.clone(),
                ended: Ended::Stale(claim.clone()),
            })
            .collect();
    }
    let acts = steps.iter().map(|(_, step)| step.act.clone()).collect();
    let mut results: Vec<(Done, Duration)> = Vec::new();
    // A host does its acts one after the other: each began when the one before it had ended.
    let mut since = Instant::now();
    fleet
        .act(&on, acts, |result| {
            let took = std::mem::replace(&mut since, Instant::now()).elapsed();
            if let (Done::Ok, Some((_, step))) = (&result, steps.get(results.len()))
                && step.done.is_none()
            {
                done(step, took);
            }
            results.push((result, took));
        })
        .await;
    let mut tried = Vec::new();
    for ((index, step), (result, mut took)) in steps.into_iter().zip(results) {
        let ended = match result {
            Done::Ok => match &step.done {
                Some(claim) => {
                    let ended = settled(fleet, claim, deadline).await;
                    took += since.elapsed();
                    if matches!(ended, Ended::Done) {
                        done(&step, took);
                    }
                    ended
                }
                None => Ended::Done,
            },
            Done::Failed { status, said } => Ended::Failed(format!("exited {status}\n{said}")),
            Done::Skipped => Ended::Skipped,
            Done::Lost(why) => Ended::Lost(on.clone(), why),
        };
        tried.push(Tried {
            index,
            step,
            on: on.clone(),
            ended,
        });
    }
    tried
}

fn bind<F: Fleet>(fleet: &F, via: &Via) -> Option<HostName> {
    match via {
        Via::Host(host) => Some(host.clone()),
        Via::AnyManager(hosts) => hosts
            .iter()
            .find(|host| fleet.unreachable(host).is_none())
            .cloned(),
    }
}

/// The first claim of evidence that no longer holds.
async fn stale<F: Fleet>(fleet: &F, steps: &[(usize, Step)]) -> Option<Claim> {
    for claim in steps.iter().flat_map(|(_, step)| &step.needs) {
        if !claim.holds(&ask_one(fleet, claim).await) {
            return Some(claim.clone());
        }
    }
    None
}

/// Asks until the postcondition holds.
async fn settled<F: Fleet>(fleet: &F, claim: &Claim, deadline: Duration) -> Ended {
    let began = Instant::now();
    let mut pause = POLL;
    loop {
        if claim.holds(&ask_one(fleet, claim).await) {
            return Ended::Done;
        }
        if let Some(why) = fleet.unreachable(&claim.host) {
            return Ended::Lost(claim.host.clone(), why);
        }
        if began.elapsed() > deadline {
            let waited = deadline.as_secs();
            return Ended::Failed(format!(
                "it was done, but {waited} s later this does not hold:\n{claim}"
            ));
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_POLL.min(pause * 3 / 2);
    }
}

pub(super) async fn ask_one<F: Fleet>(fleet: &F, claim: &Claim) -> Seen<Answer> {
    ask(fleet, &claim.host, &claim.query).await
}

pub(super) async fn ask<F: Fleet>(fleet: &F, host: &HostName, query: &Query) -> Seen<Answer> {
    let answers = fleet.ask(host, BTreeSet::from([query.clone()])).await;
    answers
        .into_iter()
        .find(|(about, _)| about == query)
        .map_or_else(|| Seen::Unknown("no answer".to_owned()), |(_, seen)| seen)
}
