//! How the program ends when it does not end well: a message, what to do next, and an exit code.

use crate::yaml::Diagnostics;
use std::fmt;

/// Bad input: nothing was connected to, nothing was changed.
pub const USAGE: u8 = 64;

/// An end with a message.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What was attempted, and what is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// Bad input.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            message: message.into(),
            hint: None,
        }
    }

    /// Something went wrong here, not on a host.
    pub fn internal(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        let count = diagnostics.0.len();
        let problems = if count == 1 {
            "1 problem".to_owned()
        } else {
            format!("{count} problems")
        };
        Self::usage(format!(
            "{diagnostics}\n\n{problems}; nothing was connected to, nothing was changed"
        ))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::internal(format!("{error:#}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error: {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nHint: {hint}")?;
        }
        Ok(())
    }
}
