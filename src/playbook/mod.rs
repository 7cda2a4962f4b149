//! Plays and tasks: which hosts, which module, with what arguments, in order.

mod spec;

pub use spec::{ArgKind, ArgSpec, ModuleSpec};

/// A value that may not be known before something has run.
#[derive(Clone, Debug, PartialEq)]
pub enum Val<T> {
    /// It is this.
    Known(T),
    /// Why it cannot be known.
    Unknown(String),
}
