//! Arguments against a module's table: before rendering what can be told, after it everything.

use super::{ArgKind, ModuleSpec};
use crate::inventory::kind::{boolean, choice, integer};
use crate::yaml::{self, Diagnostic, Diagnostics, Entry, Node, Source, Span, Value, is_template};
use std::sync::Arc;

impl ModuleSpec {
    /// Rendered arguments in the form of their kinds, with defaults filled in: `Text` is a string
    /// however it was written, `Bool` a boolean, `Mode` four octal digits, `List` a list.
    pub fn complete(&self, args: &Node) -> Result<Node, Diagnostics> {
        let mut found = Diagnostics::default();
        let mut entries = self.checked(args, &mut found);
        for arg in self.args {
            let given = entries.iter().any(|entry| entry.key == arg.name);
            if let (false, Some(default)) = (given, arg.default) {
                let source = Arc::new(Source {
                    name: format!("default of {} in {}", arg.name, self.name),
                    text: default.to_owned(),
                });
                let node = yaml::load(&source)?;
                let node = arg.kind.accept(arg.name, &node)?;
                entries.push(Entry {
                    key: arg.name.to_owned(),
                    key_span: args.span.clone(),
                    node,
                });
            }
        }
        found.into_result(Node {
            span: args.span.clone(),
            value: Value::Map(entries),
        })
    }

    /// The arguments in the form of their kinds; strings with templates are left for later.
    pub(super) fn checked(&self, args: &Node, found: &mut Diagnostics) -> Vec<Entry> {
        let mut entries = Vec::new();
        for entry in args.entries() {
            let Some(arg) = self.arg(&entry.key) else {
                found.push(self.unknown(&entry.key, &entry.key_span));
                continue;
            };
            // Nothing written is the same as left out.
            if matches!(entry.node.value, Value::Null) && arg.kind != ArgKind::Any {
                continue;
            }
            match arg.kind.accept(arg.name, &entry.node) {
                Ok(node) => entries.push(Entry {
                    node,
                    ..entry.clone()
                }),
                Err(diagnostic) => {
                    found.push(diagnostic);
                    // It is there, so it is not missing, too.
                    entries.push(entry.clone());
                }
            }
        }
        for arg in self.args.iter().filter(|arg| arg.required) {
            if !entries.iter().any(|entry| entry.key == arg.name) {
                let message = format!("`{}` needs the argument `{}`", self.name, arg.name);
                found.push(Diagnostic::new(&args.span, message).hint(arg.doc));
            }
        }
        entries
    }

    fn unknown(&self, key: &str, at: &Span) -> Diagnostic {
        let names = self.args.iter().map(|arg| arg.name);
        let message = format!("`{}` has no argument `{key}`", self.name);
        let hint = match yaml::suggest(key, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<_> = names.collect();
                format!("it takes {}", names.join(", "))
            }
        };
        Diagnostic::new(at, message).hint(hint)
    }
}

impl ArgKind {
    /// In words, for messages and documents.
    pub fn words(self) -> String {
        match self {
            Self::Text => "a string".into(),
            Self::Path => "an absolute path".into(),
            Self::Mode => "a file mode such as \"0644\"".into(),
            Self::Bool => "a boolean".into(),
            Self::Int => "an integer".into(),
            Self::Port => "a port from 1 to 65535".into(),
            Self::Any => "anything".into(),
            Self::Map => "a mapping".into(),
            Self::List(inner) => format!("a list, each item {}", inner.words()),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// The value in the form of this kind, or what is wrong; templates pass as they are.
    fn accept(self, name: &str, node: &Node) -> Result<Node, Diagnostic> {
        let value = match (self, &node.value) {
            (_, Value::Text(text)) if is_template(text) => return Ok(node.clone()),
            (Self::Any, value) => Some(value.clone()),
            (Self::Text, Value::Bool(_)) => None,
            (Self::Text, _) => node.scalar().map(Value::Text),
            (Self::Path, Value::Text(text)) if text.starts_with('/') => {
                Some(Value::Text(text.clone()))
            }
            (Self::Mode, _) => return mode(name, node),
            (Self::Bool, _) => boolean(node).map(Value::Bool),
            (Self::Int, _) => integer(node, i64::MIN, i64::MAX),
            (Self::Port, _) => integer(node, 1, 65_535),
            (Self::Map, value @ Value::Map(_)) => Some(value.clone()),
            (Self::List(inner), Value::List(items)) => {
                let items = items.iter().enumerate();
                let items: Result<_, _> = items
                    .map(|(at, item)| inner.accept(&format!("{name}[{at}]"), item))
                    .collect();
                Some(Value::List(items?))
            }
            (Self::List(inner), value) if !matches!(value, Value::Map(_)) => {
                Some(Value::List(vec![inner.accept(name, node)?]))
            }
            (Self::Choice(words), _) => choice(node, words).map(Value::Text),
            _ => None,
        };
        match value {
            Some(value) => Ok(Node {
                span: node.span.clone(),
                value,
            }),
            None => Err(self.refuse(name, node)),
        }
    }

    fn refuse(self, name: &str, node: &Node) -> Diagnostic {
        let secret = yaml::names_a_secret(name);
        let seen = match (&node.value, node.scalar()) {
            (Value::Text(text), _) if !secret && text.len() <= 60 => format!("\"{text}\""),
            (Value::Bool(_) | Value::Int(..) | Value::Float(..), Some(text)) => text,
            _ => node.kind().to_owned(),
        };
        let message = format!("`{name}` must be {}, not {seen}", self.words());
        let diagnostic = Diagnostic::new(&node.span, message);
        match (self, node.scalar()) {
            (Self::Choice(words), Some(text)) => {
                match yaml::suggest(&text, words.iter().copied()) {
                    Some(word) => diagnostic.hint(format!("did you mean {word}?")),
                    None => diagnostic,
                }
            }
            (Self::Text, Some(_)) => diagnostic.hint("put it in quotes"),
            _ => diagnostic,
        }
    }
}

/// `0644`, `0o644` and "644" in quotes mean the same; a bare 644 is a decimal number and most likely a slip.
fn mode(name: &str, node: &Node) -> Result<Node, Diagnostic> {
    let (digits, decimal) = match &node.value {
        Value::Int(_, text) => (text.as_str(), !text.starts_with('0')),
        Value::Text(text) => (text.as_str(), false),
        _ => ("", false),
    };
    let digits = digits.trim_start_matches("0o");
    let octal = u32::from_str_radix(digits, 8)
        .ok()
        .filter(|bits| *bits <= 0o7777);
    match octal {
        Some(bits) if !decimal => Ok(Node {
            span: node.span.clone(),
            value: Value::Text(format!("{bits:04o}")),
        }),
        Some(bits) => {
            let message = format!("`{name}` is the decimal number {digits}, not a file mode");
            Err(Diagnostic::new(&node.span, message).hint(format!("write \"{bits:04o}\"")))
        }
        None => Err(ArgKind::Mode.refuse(name, node)),
    }
}
