//! What a module is called and takes: the table that the loader, the documentation and the JSON Schema read.

/// One module of the language.
#[derive(Debug, PartialEq, Eq)]
pub struct ModuleSpec {
    /// The key in a task.
    pub name: &'static str,
    /// Looks at a whole group of hosts and decides for it, instead of one host at a time.
    pub cluster: bool,
    /// Whether `register` may keep what it read.
    pub registers: bool,
    /// The argument that a plain string means, as in `command: uptime`.
    pub free_form: Option<&'static str>,
    /// The arguments in the order of the documentation.
    pub args: &'static [ArgSpec],
}

/// One argument of a module.
#[derive(Debug, PartialEq, Eq)]
pub struct ArgSpec {
    /// The key.
    pub name: &'static str,
    /// What it may be.
    pub kind: ArgKind,
    /// Whether a task without it is wrong.
    pub required: bool,
    /// What is meant when it is left out, as it would be written in YAML.
    pub default: Option<&'static str>,
    /// One line of documentation.
    pub doc: &'static str,
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// A string; numbers are taken as they are written.
    Text,
    /// An absolute path on the host.
    Path,
    /// A file mode in octal (`0644`, `"0644"`).
    Mode,
    /// A boolean.
    Bool,
    /// An integer.
    Int,
    /// A port, 1 to 65535.
    Port,
    /// Anything; the module looks at it itself.
    Any,
    /// A mapping.
    Map,
    /// A list; a single value means a list of one.
    List(&'static ArgKind),
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl ModuleSpec {
    /// The argument called `name`.
    pub fn arg(&self, name: &str) -> Option<&'static ArgSpec> {
        self.args.iter().find(|arg| arg.name == name)
    }
}
