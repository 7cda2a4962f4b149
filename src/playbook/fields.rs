//! Single fields of plays and tasks, and the templates in them.

use super::compile;
use super::load::Loader;
use super::scope::Failure;
use crate::inventory::Vars;
use crate::yaml::{Diagnostic, Node, Value, is_template};
use std::sync::Arc;

impl Loader<'_> {
    pub(super) fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let inner = node.get(key)?;
        let text = inner.scalar();
        if text.is_none() {
            let message = format!("`{key}` is a string, not {}", inner.kind());
            self.found.push(Diagnostic::new(&inner.span, message));
        }
        text
    }

    pub(super) fn boolean(&mut self, node: &Node, key: &str) -> Option<bool> {
        let inner = node.get(key)?;
        if let Value::Bool(value) = inner.value {
            return Some(value);
        }
        let message = format!("`{key}` is true or false, not {}", inner.kind());
        self.found.push(Diagnostic::new(&inner.span, message));
        None
    }

    /// A list of strings, or one string with commas.
    pub(super) fn words(&mut self, node: &Node, key: &str) -> Vec<String> {
        let Some(inner) = node.get(key) else {
            return Vec::new();
        };
        let items = match &inner.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(inner),
        };
        let mut words = Vec::new();
        for item in items {
            let Some(text) = item.scalar() else {
                let message = format!("`{key}` is a string or a list of strings");
                self.found.push(Diagnostic::new(&item.span, message));
                continue;
            };
            let parts = text.split(',').map(str::trim);
            words.extend(parts.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        words
    }

    pub(super) fn name_of_variable(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = self.text(node, key)?;
        let good = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !good {
            let span = node.get(key).map_or(&node.span, |node| &node.span);
            let message = format!("`{text}` is no name for a variable");
            let hint = "use letters, digits and _, a letter first";
            self.found.push(Diagnostic::new(span, message).hint(hint));
        }
        Some(text)
    }

    pub(super) fn vars(&mut self, node: &Node) -> Vars {
        let mut vars = Vars::new();
        let Some(inner) = node.get("vars") else {
            return vars;
        };
        if !matches!(inner.value, Value::Map(_) | Value::Null) {
            let message = format!("`vars` is a mapping, not {}", inner.kind());
            self.found.push(Diagnostic::new(&inner.span, message));
        }
        self.check_templates(inner, &[]);
        for entry in inner.entries() {
            match crate::inventory::checked(&entry.key, &entry.key_span, &entry.node) {
                Ok((key, variable)) => {
                    vars.insert(key, Arc::new(variable));
                }
                Err(diagnostic) => self.found.push(diagnostic),
            }
        }
        vars
    }

    /// Every template in a value can be read; those below the keys in `except` are checked elsewhere.
    pub(super) fn check_templates(&mut self, node: &Node, except: &[&str]) {
        match &node.value {
            Value::Text(text) if is_template(text) => {
                let result = match compile::sole_expression(text) {
                    Some((expression, offset)) => compile::expression(expression)
                        .map(|_| ())
                        .map_err(|error| (offset, error)),
                    None => compile::template(text)
                        .map(|_| ())
                        .map_err(|error| (0, error)),
                };
                if let Err((offset, error)) = result {
                    self.unreadable(node, offset, error);
                }
            }
            Value::List(items) => {
                for item in items {
                    self.check_templates(item, &[]);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    if !except.contains(&entry.key.as_str()) && entry.key != "vars" {
                        self.check_templates(&entry.node, &[]);
                    }
                }
            }
            Value::Text(_) | Value::Null | Value::Bool(_) | Value::Int(..) | Value::Float(..) => {}
        }
    }

    pub(super) fn check_expression(&mut self, node: &Node, expression: &str) {
        if let Err(error) = compile::expression(expression) {
            self.unreadable(node, 0, error);
        }
    }

    fn unreadable(&mut self, node: &Node, offset: usize, error: minijinja::Error) {
        let detail = error.detail().unwrap_or_default().to_owned();
        let failure = Failure::of(node, offset, error);
        let message = format!("the template cannot be read: {detail}");
        self.found.push(Diagnostic::new(&failure.span, message));
    }
}
