//! The inventory: hosts, groups, variables and connection settings, merged and checked.
//!
//! Ansible's YAML format is read with Ansible's meaning. Nothing here talks to a host, and after
//! loading nothing reads a file. Every value keeps the place where it was written.

mod folders;
mod host;
pub mod kind;
mod load;
mod name;
pub mod range;
mod resolve;
mod roles;
mod secret;
mod select;
mod settings;
mod show;
mod tree;
mod unknown;
pub mod variables;

pub(crate) use host::checked;
pub use name::HostName;
pub use secret::Secret;
pub use settings::{Settings, Transport};

use crate::yaml::{Diagnostic, Node, Span};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// One definition of a variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Where its name was written.
    pub key_span: Span,
    /// Its value; may hold templates, which are rendered where it is used.
    pub node: Node,
}

/// Variables by name, in the order of their definition.
pub type Vars = IndexMap<String, Arc<Variable>>;

/// Everything that is known before any host is asked.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The folder of the inventory file; relative paths in it start here.
    pub folder: PathBuf,
    /// What is worth saying, but is no error; `validate` prints it.
    pub advice: Vec<Diagnostic>,
    hosts: Vec<Host>,
    index: HashMap<HostName, usize>,
    groups: IndexMap<String, Group>,
    extra: Vars,
}

/// One host.
#[derive(Clone, Debug)]
pub struct Host {
    /// The name; unique.
    pub name: HostName,
    /// Where it was first named.
    pub span: Span,
    /// Address or name to connect to (`ansible_host`).
    pub address: String,
    /// How to connect and to become root.
    pub connection: Settings,
    /// The groups that it is in, without `all`: those nearest to `all` first.
    pub groups: Vec<String>,
    /// Its variables, all levels merged; built-in defaults are not among them (see [`Host::var`]).
    pub vars: Vars,
}

/// One group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The name; unique.
    pub name: String,
    /// Where it was first named.
    pub span: Span,
    /// Whether the file names it; the project's own groups exist without that.
    pub mentioned: bool,
    /// Every host in it or in a group below, in the order of the file.
    pub hosts: Vec<HostName>,
    /// The hosts that stand directly in it.
    pub direct: Vec<HostName>,
    /// The groups directly below.
    pub children: Vec<String>,
}

impl Host {
    /// The value of a variable: the inventory's, else the built-in default.
    pub fn var(&self, name: &str) -> Option<Arc<Variable>> {
        match self.vars.get(name) {
            Some(variable) => Some(variable.clone()),
            None => resolve::default(name),
        }
    }
}

impl Inventory {
    /// The hosts in the order of the file.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The host called `name`.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.get(*self.index.get(name)?)
    }

    /// The variables of a host; none for a name that is no host.
    pub fn vars(&self, name: &str) -> Option<&Vars> {
        self.host(name).map(|host| &host.vars)
    }

    /// The hosts of a group and of those below it, in the order of the file; none for an unknown one.
    pub fn group(&self, name: &str) -> Vec<HostName> {
        self.groups
            .get(name)
            .map(|group| group.hosts.clone())
            .unwrap_or_default()
    }

    /// Like [`Inventory::group`], told apart from a group that does not exist.
    pub fn hosts_of(&self, group: &str) -> Option<&[HostName]> {
        self.groups.get(group).map(|group| group.hosts.as_slice())
    }

    /// All groups, in the order of the file, `all` first.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The variables of the command line.
    pub fn extra(&self) -> &Vars {
        &self.extra
    }
}
