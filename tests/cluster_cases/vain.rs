//! What the engine would try again and again.

use provision::plan::{Decision, Reach, Refusal};
use provision::probe::Memory;

/// The first step, when what speaks for it is known not to hold, and nothing waits until it does: it would be begun again
/// and again, each time in vain.
pub fn begins_in_vain(decision: &Decision, memory: &Memory) -> Option<String> {
    let stopped = |refusal: &Refusal| matches!(refusal.reach, Reach::Layer);
    if decision.refusals.iter().any(stopped) {
        return None;
    }
    // What a step assumes, an earlier task sees to.
    let step = decision.steps.first().filter(|it| it.assumes.is_empty())?;
    let vain = step.needs.iter().find(|need| {
        let seen = memory.get(&need.host, &need.query);
        let waits = decision.waits.iter().any(|wait| wait.until == **need);
        seen.is_some_and(|seen| !need.holds(seen)) && !waits
    })?;
    Some(format!(
        "{} would begin, and this does not hold: {vain}",
        step.id
    ))
}
