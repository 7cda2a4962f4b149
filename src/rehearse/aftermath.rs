//! What happens by itself after a loss, in words.

use serde::Serialize;

/// What becomes of something, without provision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aftermath {
    /// What it is about: `swarm`, `postgresql`, `virtual address` …
    pub about: String,
    /// One sentence without a final period.
    pub says: String,
    /// Whether it follows from what is seen now; otherwise `says` tells between what it lies.
    pub decided: bool,
}

impl Aftermath {
    pub(super) fn decided(about: &str, says: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            says: says.into(),
            decided: true,
        }
    }

    pub(super) fn open(about: &str, says: impl Into<String>) -> Self {
        Self {
            decided: false,
            ..Self::decided(about, says)
        }
    }
}
