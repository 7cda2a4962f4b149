//! What can go wrong on a host that is connected.

use std::fmt;
use std::time::Duration;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The request did not end in time. Its shell was given up and its processes were killed as
    /// far as that is possible; the session is still good.
    Deadline(Duration),
    /// The shell ended under the request, for example because the script killed it. Whether the
    /// request ran is unknown; the session is still good.
    Shell(String),
    /// The connection is gone. Whether the request ran is unknown.
    Gone(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(after) => write!(f, "no answer within {} s", after.as_secs_f64()),
            Self::Shell(said) => {
                write!(
                    f,
                    "the shell ended ({said}); whether the command ran is unknown"
                )
            }
            Self::Gone(said) => {
                write!(
                    f,
                    "the connection was lost ({said}); whether the command ran is unknown"
                )
            }
        }
    }
}

impl std::error::Error for Lost {}

/// Why the lock of a host could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockError {
    /// Somebody else holds it.
    Held {
        /// What the holder wrote about itself.
        holder_text: String,
    },
    /// The host has no way to take it.
    Failed {
        /// What the host said.
        said: String,
    },
    /// The connection did not carry the answer.
    Lost(Lost),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { holder_text } => {
                write!(
                    f,
                    "the lock is held by {holder_text}. Wait for that run to end."
                )
            }
            Self::Failed { said } => write!(f, "the lock could not be taken: {said}"),
            Self::Lost(lost) => write!(f, "the lock could not be taken: {lost}"),
        }
    }
}

impl std::error::Error for LockError {}
