//! Plays and tasks: which hosts, which module, with what arguments, in order.

mod spec;

pub use spec::{ArgKind, ArgSpec, ModuleSpec};
