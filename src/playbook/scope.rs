//! What the names in a template mean for one host, and rendering with them.

use super::context::{Frame, Rendering};
use super::convert::{to_jinja, to_node};
use super::locate::locate;
use super::{Val, compile};
use crate::inventory::{HostName, Inventory, Vars};
use crate::yaml::{Diagnostic, Entry, Node, Source, Span, Value, is_template};
use minijinja::value::ValueKind;
use minijinja::{ErrorKind, Value as Jinja};
use serde_json::Value as Json;
use std::sync::Arc;

/// Where the values of `register` come from.
pub trait Registered: Send + Sync {
    /// What `name` holds on `host`; `None` when no task registers it there.
    fn get(&self, host: &HostName, name: &str) -> Option<Val<Json>>;
}

impl<F> Registered for F
where
    F: Fn(&HostName, &str) -> Option<Val<Json>> + Send + Sync,
{
    fn get(&self, host: &HostName, name: &str) -> Option<Val<Json>> {
        self(host, name)
    }
}

/// No task has registered anything.
#[derive(Debug)]
pub struct Nothing;

impl Registered for Nothing {
    fn get(&self, _: &HostName, _: &str) -> Option<Val<Json>> {
        None
    }
}

/// The names of one host in one task. Cheap to make and to clone: values are looked up when a
/// template asks for them.
///
/// From weak to strong: built-in defaults, the inventory, the play's `vars`, the task's `vars`,
/// registered values, the command line, the item of a loop.
#[derive(Clone)]
pub struct Scope {
    pub(super) inventory: Arc<Inventory>,
    pub(super) host: HostName,
    /// Of the play, then of the task.
    pub(super) layers: Vec<Arc<Vars>>,
    pub(super) item: Option<(String, Jinja)>,
    pub(super) play_hosts: Arc<[HostName]>,
    pub(super) registered: Arc<dyn Registered>,
}

/// What an `omit` leaves behind until the key that has it is dropped.
pub(super) const OMIT: &str = "\u{1}omit\u{1}";

impl Scope {
    /// The scope of a host with its inventory variables only.
    pub fn new(inventory: &Arc<Inventory>, host: &HostName) -> Self {
        Self {
            inventory: inventory.clone(),
            host: host.clone(),
            layers: Vec::new(),
            item: None,
            play_hosts: Arc::default(),
            registered: Arc::new(Nothing),
        }
    }

    /// With values that tasks have registered.
    #[must_use]
    pub fn registered(mut self, registered: &Arc<dyn Registered>) -> Self {
        self.registered = registered.clone();
        self
    }

    /// With the hosts of the play, for `play_hosts`.
    #[must_use]
    pub fn play_hosts(mut self, hosts: &Arc<[HostName]>) -> Self {
        self.play_hosts = hosts.clone();
        self
    }

    /// With stronger variables: first those of the play, then those of the task.
    #[must_use]
    pub fn vars(mut self, vars: &Arc<Vars>) -> Self {
        if !vars.is_empty() {
            self.layers.push(vars.clone());
        }
        self
    }

    /// With one item of a loop under the name of the loop's variable.
    #[must_use]
    pub fn item(mut self, name: &str, item: &Node) -> Self {
        self.item = Some((name.to_owned(), to_jinja(item)));
        self
    }

    /// Renders every string in a value. A string that is exactly one `{{ expression }}` becomes
    /// what the expression is (a list, a number …); keys of a mapping whose value is `omit` go.
    pub fn render(&self, node: &Node) -> Result<Val<Node>, Diagnostic> {
        if !node.has_template() {
            return Ok(Val::Known(node.clone()));
        }
        let frame = Rendering::start(self);
        match render_node(&frame, node) {
            Ok(node) => Ok(frame.rendering.judge(node)),
            Err(failure) => frame.rendering.explain(&failure),
        }
    }

    /// Whether a condition holds: a boolean, an expression, or a list of them that must all hold.
    pub fn condition(&self, condition: &Node) -> Result<Val<bool>, Diagnostic> {
        let text = match &condition.value {
            Value::Bool(value) => return Ok(Val::Known(*value)),
            Value::Text(text) => text,
            Value::List(conditions) => return self.all(conditions),
            _ => {
                let message = format!("a condition is an expression, not {}", condition.kind());
                return Err(Diagnostic::new(&condition.span, message));
            }
        };
        let (expression, offset) = compile::sole_expression(text).unwrap_or((text, 0));
        let frame = Rendering::start(self);
        let value = compile::expression(expression)
            .and_then(|expression| expression.eval(frame.context()))
            .map_err(|error| Failure::of(condition, offset, error));
        let value = match value {
            Ok(value) => value,
            Err(failure) => return frame.rendering.explain(&failure),
        };
        if let Val::Unknown(why) = frame.rendering.judge(()) {
            return Ok(Val::Unknown(why));
        }
        match value.kind() {
            ValueKind::Undefined => {
                let failure = Failure::undefined(condition, offset, expression);
                frame.rendering.explain(&failure)
            }
            // "false" would be true.
            ValueKind::String => {
                let message = "the condition is a string, neither true nor false";
                let hint = "compare it (name == 'value'), or convert it (name | bool)";
                Err(Diagnostic::new(&locate(condition, offset), message).hint(hint))
            }
            _ => Ok(Val::Known(value.is_true())),
        }
    }

    /// All conditions: one that does not hold decides, whatever is unknown about the others.
    pub fn all(&self, conditions: &[Node]) -> Result<Val<bool>, Diagnostic> {
        let mut unknown = None;
        for condition in conditions {
            match self.condition(condition)? {
                Val::Known(true) => {}
                Val::Known(false) => return Ok(Val::Known(false)),
                Val::Unknown(why) => unknown = unknown.or(Some(why)),
            }
        }
        Ok(unknown.map_or(Val::Known(true), Val::Unknown))
    }

    /// Renders a template file; errors point into it.
    pub fn render_file(&self, source: &Arc<Source>) -> Result<Val<String>, Diagnostic> {
        if !is_template(&source.text) {
            return Ok(Val::Known(source.text.clone()));
        }
        let node = Node {
            span: Span::at_offset(source, 0),
            value: Value::Text(source.text.clone()),
        };
        let frame = Rendering::start(self);
        let result = compile::template(&source.text)
            .and_then(|template| template.render(frame.context()))
            .map_err(|error| Failure::of(&node, 0, error));
        match result {
            Ok(text) => Ok(frame.rendering.judge(text)),
            Err(failure) => frame.rendering.explain(&failure),
        }
    }
}

/// Why a template could not be rendered, and where.
pub(super) struct Failure {
    pub span: Span,
    pub error: Option<minijinja::Error>,
    pub message: Option<String>,
}

impl Failure {
    /// An error of the engine in the template or expression that starts at `offset` of the string.
    pub fn of(node: &Node, offset: usize, error: minijinja::Error) -> Self {
        let start = error.range().map_or(0, |range| range.start);
        let span = match (error.range(), error.line(), &node.value) {
            (None, Some(line), Value::Text(text)) => {
                let line = text.split_inclusive('\n').take(line - 1).map(str::len);
                locate(node, line.sum())
            }
            _ => locate(node, offset + start),
        };
        Self {
            span,
            error: Some(error),
            message: None,
        }
    }

    /// The expression that starts at `offset` of the string has no value.
    pub fn undefined(node: &Node, offset: usize, expression: &str) -> Self {
        let start = offset + (expression.len() - expression.trim_start().len());
        let detail = format!("`{}` is undefined", expression.trim());
        Self {
            span: locate(node, start),
            error: Some(minijinja::Error::new(ErrorKind::UndefinedError, detail)),
            message: None,
        }
    }
}

/// Renders a value with one frame; the state of the frame says whether something unknown was touched.
pub(super) fn render_node(frame: &Arc<Frame>, node: &Node) -> Result<Node, Failure> {
    let value = match &node.value {
        Value::Text(text) if is_template(text) => {
            let value = render_text(frame, node, text)?;
            return to_node(&value, &node.span).map_err(|message| Failure {
                span: node.span.clone(),
                error: None,
                message: Some(message),
            });
        }
        Value::List(items) => {
            let items: Result<_, _> = items.iter().map(|item| render_node(frame, item)).collect();
            Value::List(items?)
        }
        Value::Map(entries) => {
            let mut result = Vec::with_capacity(entries.len());
            for entry in entries {
                let inner = render_node(frame, &entry.node)?;
                if matches!(&inner.value, Value::Text(text) if text == OMIT) {
                    continue;
                }
                result.push(Entry {
                    key: entry.key.clone(),
                    key_span: entry.key_span.clone(),
                    node: inner,
                });
            }
            Value::Map(result)
        }
        value => value.clone(),
    };
    Ok(Node {
        span: node.span.clone(),
        value,
    })
}

fn render_text(frame: &Arc<Frame>, node: &Node, text: &str) -> Result<Jinja, Failure> {
    let Some((expression, offset)) = compile::sole_expression(text) else {
        return compile::template(text)
            .and_then(|template| template.render(frame.context()))
            .map(Jinja::from)
            .map_err(|error| Failure::of(node, 0, error));
    };
    let value = compile::expression(expression)
        .and_then(|expression| expression.eval(frame.context()))
        .map_err(|error| Failure::of(node, offset, error))?;
    if value.is_undefined() {
        return Err(Failure::undefined(node, offset, expression));
    }
    Ok(value)
}
