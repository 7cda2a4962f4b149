//! What happened, as data. Sinks draw it: terminal, plain lines, JSON lines, log file. Nothing else prints.

mod event;

pub use event::{Event, Outcome, Reporter, Sink, Tally};
