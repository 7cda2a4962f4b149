//! YAML as a tree whose every value knows its file, line and column.
//!
//! The inventory and the playbooks are read into [`Node`]s, so that an error found much later (an
//! argument of the wrong type, say) can still point at the place where the value was written.

mod complaint;
mod diagnostic;
mod json;
mod load;
mod map;
mod read;
mod scalar;
mod tag;

pub use diagnostic::{Diagnostic, Diagnostics, names_a_secret, suggest};
pub use load::{MAX_DEPTH, MAX_NODES, RESET, load, load_on, load_overlay};
pub use read::{MAX_BYTES, read};

use std::fmt;
use std::sync::Arc;

/// One text that was read: a file, or a value of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What to call it in messages: the path as the user gave it.
    pub name: String,
    /// The whole text, for showing the line of an error.
    pub text: String,
}

/// Where a value was written. Lines and columns count from 1, columns in characters.
#[derive(Clone)]
pub struct Span {
    /// The text it is in.
    pub source: Arc<Source>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Span {
    /// A span for a value that no file contains, such as a built-in default.
    pub fn builtin(name: &str) -> Self {
        let source = Source {
            name: name.to_owned(),
            text: String::new(),
        };
        Self {
            source: Arc::new(source),
            line: 1,
            column: 1,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line, self.column)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it was written.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// A YAML value, with YAML 1.1's booleans (`yes`, `on` …) and octal numbers resolved as Ansible's users expect.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// A boolean; only plain scalars can be one.
    Bool(bool),
    /// An integer, and how it was written (`0644` keeps its text, for file modes).
    Int(i64, String),
    /// A float, and how it was written.
    Float(f64, String),
    /// A string.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file; merge keys (`<<`) are resolved; keys are unique.
    Map(Vec<Entry>),
}

/// One key of a mapping and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The value of `key`, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.node)
    }

    /// The entries of a mapping; none for any other value.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Whether a template may be in it, at any depth; keys are never templates.
    pub fn has_template(&self) -> bool {
        match &self.value {
            Value::Text(text) => is_template(text),
            Value::List(items) => items.iter().any(Node::has_template),
            Value::Map(entries) => entries.iter().any(|entry| entry.node.has_template()),
            Value::Null | Value::Bool(_) | Value::Int(..) | Value::Float(..) => false,
        }
    }

    /// The text of a scalar as it was written; `None` for lists, mappings and null.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(_, text) | Value::Float(_, text) | Value::Text(text) => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// What kind of value this is, in words for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(..) => "an integer",
            Value::Float(..) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Whether a string is a template rather than a text that means itself.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}
