//! The hosts as the engine sees them: they answer questions and do acts.
//!
//! One trait with a real implementation (over SSH) and a simulated one (in the tests): both take typed
//! questions and acts, so the simulator needs no shell.

use crate::inventory::HostName;
use crate::plan::Act;
use crate::probe::{Answer, Query, Seen};
use std::collections::BTreeSet;

/// How an act ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was done.
    Ok,
    /// The host said no.
    Failed {
        /// Exit status.
        status: i32,
        /// The last lines of what it printed.
        said: String,
    },
    /// An earlier act of the same batch failed, so this one did not begin.
    Skipped,
    /// The connection broke: it may have been done or not. Look again; never repeat blindly.
    Lost(String),
}

/// The hosts.
pub trait Fleet {
    /// Asks a host. A host that cannot be reached answers [`Seen::Unknown`] to everything.
    fn ask(
        &self,
        host: &HostName,
        queries: BTreeSet<Query>,
    ) -> impl Future<Output = Vec<(Query, Seen<Answer>)>>;

    /// Does acts on a host, in order, the next without waiting for the answer to the one before.
    /// After the first that fails the others are [`Done::Skipped`]. `each` is told how each act ended, in
    /// order, as soon as that is known.
    fn act(
        &self,
        host: &HostName,
        acts: Vec<Act>,
        each: impl FnMut(Done),
    ) -> impl Future<Output = ()>;

    /// Why a host cannot be reached, once that is known.
    fn unreachable(&self, host: &HostName) -> Option<String>;
}
