//! What happened, as data. Sinks draw it: terminal, plain lines, JSON lines, log file. Nothing else prints.

mod event;
pub mod health;
mod human;
pub mod json;
mod log;
pub mod plain;
mod redact;
pub mod rehearsal;
pub mod text;

pub use event::{Event, Outcome, Reporter, Sink, Tally};
pub use human::Human;
pub use log::Log;
pub use redact::Redactor;
