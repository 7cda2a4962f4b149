//! Why not: one function a row of the table. Each says what was seen, and what a person can do.

mod host;
mod whole;

pub(super) use host::*;
pub(super) use whole::*;

use super::{Member, State, Swarm};
use crate::plan::{Reach, Refusal};

fn refusal(
    code: &str,
    reach: Reach,
    because: String,
    evidence: Vec<String>,
    hint: &str,
) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because,
        evidence,
        hint: hint.to_owned(),
        reach,
    }
}

fn only(member: &Member) -> Reach {
    Reach::Hosts(vec![member.host.clone()])
}

/// What every member said, one line each.
fn all_say(swarm: &Swarm, state: &State) -> Vec<String> {
    swarm
        .members
        .iter()
        .map(|member| {
            format!(
                "{}: {}",
                member.host,
                swarm.observed(state, member).here.says()
            )
        })
        .collect()
}
