//! Why not: one function a row of the table. Each says what was seen, and what a person can do.

mod brick;
mod whole;

pub(super) use brick::*;
pub(super) use whole::*;

use crate::plan::{Reach, Refusal};

fn refusal(
    code: &str,
    reach: Reach,
    because: String,
    evidence: Vec<String>,
    hint: impl Into<String>,
) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because,
        evidence,
        hint: hint.into(),
        reach,
    }
}
