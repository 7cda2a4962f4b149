//! What happened, as data. Sinks draw it: terminal, plain lines, JSON lines, log file. Nothing else prints.

mod event;
mod human;
pub mod json;
pub mod plain;
pub mod text;

pub use event::{Event, Outcome, Reporter, Sink, Tally};
pub use human::Human;
