//! How a run ended: the verification, and what of all that happened the exit code tells.

use crate::apply::{Drove, Engine, Fleet, Mode};
use crate::plan::{Plan, Reach};
use crate::report::{Event, Outcome, Reporter};
use std::cell::Cell;

/// How often a run goes on to wait for what was there and has gone again when it looked once more.
const ROUNDS: usize = 3;

/// Does what is planned, and looks at everything once more. While all that is left then comes by itself, it goes on: a task
/// that ran when the last step was done may have ended since, and Swarm starts it again.
pub async fn converge<F: Fleet>(
    engine: &mut Engine<'_, F>,
    report: &Reporter,
    interrupt: &Cell<bool>,
) -> (Drove, Plan) {
    let mut whole = Drove::default();
    let mut round = 1;
    loop {
        whole.add(engine.drive(Mode::Apply, report, interrupt).await);
        let last = verify(engine, &whole, report).await;
        if round == ROUNDS || !only_waits(&whole, &last) {
            if !whole.failed && !whole.interrupted {
                report.emit(&Event::Verified { left: left(&last) });
            }
            return (whole, last);
        }
        round += 1;
    }
}

/// Looks at everything once more after acting. What this finds is what is left.
/// Nothing more is asked after an interrupt; the plan is then what is known.
async fn verify<F: Fleet>(engine: &mut Engine<'_, F>, drove: &Drove, report: &Reporter) -> Plan {
    if !drove.interrupted {
        engine.forget_all();
        engine.drive(Mode::Look, report, &Cell::new(false)).await;
    }
    engine.plan()
}

/// Steps to do, and things to wait for.
fn left(last: &Plan) -> usize {
    last.open().count() + last.waits.len()
}

fn only_waits(drove: &Drove, last: &Plan) -> bool {
    let goes_on = !drove.interrupted && !drove.failed && !drove.refused;
    let mut refusals = last.refusals.iter();
    goes_on
        && drove.drifted.is_empty()
        && last.unknown.is_empty()
        && last.open().next().is_none()
        && !last.waits.is_empty()
        && refusals.all(|(_, refusal)| refusal.reach == Reach::LayerAfterWaits)
}

/// How a run ended that acted. Precedence: 130 > 1 > 5 > 3 > 6 > 4 > 0.
pub fn after_acting(drove: &Drove, last: &Plan) -> Outcome {
    if drove.interrupted {
        Outcome::Interrupted
    } else if drove.failed {
        Outcome::Failed
    } else if !drove.drifted.is_empty() {
        Outcome::Drifted
    } else if !last.refusals.is_empty() || drove.refused {
        Outcome::Refused
    } else if last.open().next().is_some() || !last.waits.is_empty() || !last.unknown.is_empty() {
        Outcome::NotConverged
    } else if !last.unreachable.is_empty() {
        Outcome::Unreachable
    } else if drove.changed.is_empty() {
        Outcome::Converged
    } else {
        Outcome::Changed
    }
}

/// How a run ended that only looked: a dry run, or one that found nothing that it may do.
pub fn without_acting(plan: &Plan, interrupted: bool, dry_run: bool) -> Outcome {
    if interrupted {
        Outcome::Interrupted
    } else if !plan.unknown.is_empty() && !dry_run && plan.open().next().is_none() {
        Outcome::Failed
    } else if !plan.refusals.is_empty() {
        Outcome::Refused
    } else if !plan.unreachable.is_empty() {
        Outcome::Unreachable
    } else if plan.open().next().is_some() {
        Outcome::Pending
    } else {
        Outcome::Converged
    }
}

/// The end in words.
pub fn sentence(outcome: Outcome, dry_run: bool) -> &'static str {
    match outcome {
        Outcome::Unreachable if dry_run => "some host was unreachable",
        Outcome::Converged => "nothing to do",
        Outcome::Changed => "done and verified",
        Outcome::Pending => "changes are pending",
        Outcome::Failed => "failed; running the same command again continues safely",
        Outcome::Refused => "refused",
        Outcome::Unreachable => "some host was unreachable, what is safe without it is done",
        Outcome::Drifted => "the hosts are not what they were when the plan was saved",
        Outcome::NotConverged => "not converged: after all steps there would still be some",
        Outcome::Interrupted => "interrupted; running the same command again continues safely",
    }
}
