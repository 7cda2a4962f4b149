//! The arguments of a task, checked against the module's table, and what else a module may know when it is built.

use crate::inventory::HostName;
use crate::plan::Allow;
use crate::playbook::ModuleSpec;
use crate::yaml::{Diagnostic, Diagnostics, Node, Value};

/// Why a module cannot be built.
#[derive(Clone, Debug)]
pub enum Unfit {
    /// The arguments are wrong.
    Wrong(Diagnostics),
    /// They depend on a value that cannot be known yet, and why not.
    Unknown(String),
}

impl From<Diagnostic> for Unfit {
    fn from(one: Diagnostic) -> Self {
        Self::Wrong(one.into())
    }
}

/// The rendered value of a variable of a host; `None` when it is not defined.
pub type Variable<'a> = &'a dyn Fn(&HostName, &str) -> Result<Option<Node>, Unfit>;

/// What a module may know besides its arguments.
pub struct Context<'a> {
    /// The host that it is for; of a cluster module, the first member.
    pub host: &'a HostName,
    /// All hosts of the play, in the order of the inventory.
    pub group: &'a [HostName],
    /// The account that commands run as.
    pub user: &'a str,
    /// Looks up a variable of any host.
    pub variable: Variable<'a>,
    /// The bytes of a file of the project, by the path that the task names (`files/…`).
    pub file: &'a dyn Fn(&Node) -> Result<Vec<u8>, Unfit>,
    /// A rendered template of the project, by the path that the task names (`templates/…`).
    pub template: &'a dyn Fn(&Node) -> Result<String, Unfit>,
    /// A file of this machine; a relative path starts at the inventory's folder.
    pub local: &'a dyn Fn(&str) -> Local,
    /// What the command line allows beyond convergence.
    pub allowed: &'a [Allow],
}

/// A file of the machine that the program runs on.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its absolute path.
    pub path: String,
    /// What it holds; `None` when it does not exist.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub bytes: Result<Option<Vec<u8>>, String>,
}

/// The arguments of a task. Their kinds have been checked, so a getter only fails for what is missing.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    /// The module's table.
    pub spec: &'static ModuleSpec,
    /// The mapping of arguments, rendered.
    pub node: &'a Node,
}

impl<'a> Args<'a> {
    /// The argument as it was written, `None` when it was left out or is null.
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        debug_assert!(
            self.spec.arg(name).is_some(),
            "{}: {name} is not in the table",
            self.spec.name
        );
        self.node
            .get(name)
            .filter(|node| !matches!(node.value, Value::Null))
    }

    /// A scalar as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.node(name)
            .and_then(Node::scalar)
            .or_else(|| self.spec.arg(name)?.default.map(str::to_owned))
    }

    /// A scalar that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn required(&self, name: &str) -> Result<String, Unfit> {
        self.text(name)
            .ok_or_else(|| self.wrong(format!("`{}` needs `{name}`", self.spec.name)))
    }

    /// A boolean; its default from the table, else false.
    pub fn flag(&self, name: &str) -> bool {
        match self.node(name).map(|node| &node.value) {
            Some(Value::Bool(value)) => *value,
            Some(_) => false,
            None => self.spec.arg(name).and_then(|arg| arg.default) == Some("true"),
        }
    }

    /// An integer.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.node(name).map(|node| &node.value) {
            Some(Value::Int(value, _)) => Some(*value),
            Some(Value::Text(text)) => text.parse().ok(),
            Some(_) => None,
            None => self.spec.arg(name)?.default?.parse().ok(),
        }
    }

    /// A file mode: octal digits, however they were written.
    ///
    /// # Errors
    /// When it is no mode.
    pub fn mode(&self, name: &str) -> Result<Option<u32>, Unfit> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let digits = text.trim_start_matches("0o");
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
            _ => {
                let span = self.node(name).map_or(&self.node.span, |node| &node.span);
                let problem =
                    format!("`{name}` is a file mode in octal, such as 0644, not `{text}`");
                Err(Diagnostic::new(span, problem).into())
            }
        }
    }

    /// A list of scalars; a single scalar means a list of one.
    pub fn list(&self, name: &str) -> Vec<String> {
        let Some(node) = self.node(name) else {
            return Vec::new();
        };
        match &node.value {
            Value::List(items) => items.iter().filter_map(Node::scalar).collect(),
            _ => node.scalar().into_iter().collect(),
        }
    }

    /// A message at the place of the task's arguments.
    pub fn wrong(&self, message: impl Into<String>) -> Unfit {
        Diagnostic::new(&self.node.span, message).into()
    }

    /// A message at the place of one argument.
    pub fn wrong_at(&self, name: &str, message: impl Into<String>) -> Unfit {
        let span = self
            .node
            .get(name)
            .map_or(&self.node.span, |node| &node.span);
        Diagnostic::new(span, message).into()
    }
}
