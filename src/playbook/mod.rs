//! Playbooks: which hosts, which module, with what arguments, in order; and the templates in them.
//!
//! Ansible's keywords with Ansible's meaning, where the project has them. Everything else is an
//! error with its place that names the project's own way.

mod args;
mod check;
mod compile;
mod context;
mod convert;
mod credential;
mod explain;
mod fields;
mod filter;
mod keyword;
mod load;
mod locate;
mod members;
mod scope;
mod spec;
mod task;

pub use compile::{variables_in, variables_of};
pub use load::Import;
pub use scope::{Nothing, Registered, Scope};
pub use spec::{ArgKind, ArgSpec, ModuleSpec};

use crate::inventory::Vars;
use crate::yaml::{Node, Span};
use std::sync::Arc;

/// A value that is known, or why it cannot be yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Val<T> {
    /// It is known.
    Known(T),
    /// It is not: "cannot be known until …".
    Unknown(String),
}

/// A whole playbook, imports included.
#[derive(Debug, Default)]
pub struct Playbook {
    /// The plays in order.
    pub plays: Vec<Play>,
}

/// Tasks for some hosts.
#[derive(Debug)]
pub struct Play {
    /// What it is called in plans and reports.
    pub name: String,
    /// Where it was written.
    pub span: Span,
    /// The pattern of hosts.
    pub hosts: String,
    /// Where the pattern was written.
    pub hosts_span: Span,
    /// The layer of the cluster that it is, such as `docker`.
    pub layer: Option<String>,
    /// The layers that must be whole before this one starts.
    pub needs: Vec<String>,
    /// Variables of its tasks, stronger than those of the inventory.
    pub vars: Arc<Vars>,
    /// Whether to use sudo; `None` leaves it to the inventory.
    pub use_sudo: Option<bool>,
    /// Words that `--tags` chooses by; its tasks have them too.
    pub tags: Vec<String>,
    /// What to do.
    pub tasks: Vec<Task>,
}

/// One task.
#[derive(Debug)]
pub struct Task {
    /// What it is called in plans and reports; without a name the module's.
    pub name: String,
    /// Where it was written.
    pub span: Span,
    /// The module.
    pub module: &'static ModuleSpec,
    /// Where the module was written.
    pub module_span: Span,
    /// Its arguments, a mapping; templates are not rendered yet (see [`ModuleSpec::complete`]).
    pub args: Node,
    /// Conditions that must all hold.
    pub when: Vec<Node>,
    /// The list to repeat it for, or an expression for one.
    pub looped: Option<Node>,
    /// The variable that has the item of the list.
    pub loop_var: String,
    /// Whether to use sudo; `None` leaves it to the play.
    pub use_sudo: Option<bool>,
    /// Words that `--tags` chooses by, those of the play included.
    pub tags: Vec<String>,
    /// The variable that keeps what was read.
    pub register: Option<String>,
    /// Variables of this task only, stronger than those of the play.
    pub vars: Arc<Vars>,
}
