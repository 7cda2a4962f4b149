//! How a run ended: the verification, and what of all that happened the exit code tells.

use crate::apply::{Drove, Engine, Fleet, Mode};
use crate::plan::Plan;
use crate::report::{Event, Outcome, Reporter};
use std::cell::Cell;

/// Looks at everything once more after acting. What this finds is what is left.
/// Nothing more is asked after an interrupt; the plan is then what is known.
pub async fn verify<F: Fleet>(
    engine: &mut Engine<'_, F>,
    drove: &Drove,
    report: &Reporter,
) -> Plan {
    if drove.interrupted {
        return engine.plan();
    }
    engine.forget_all();
    engine.drive(Mode::Look, report, &Cell::new(false)).await;
    let last = engine.plan();
    if !drove.failed {
        report.emit(&Event::Verified {
            left: last.open().count(),
        });
    }
    last
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
