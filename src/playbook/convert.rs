//! Between our nodes and the template engine's values.

use crate::yaml::{Entry, Node, Span, Value};
use minijinja::Value as Jinja;
use minijinja::value::ValueKind;

/// A node without templates as a value of the engine.
pub(super) fn to_jinja(node: &Node) -> Jinja {
    match &node.value {
        Value::Null => Jinja::from(()),
        Value::Bool(value) => Jinja::from(*value),
        Value::Int(number, _) => Jinja::from(*number),
        Value::Float(number, _) => Jinja::from(*number),
        Value::Text(text) => Jinja::from(text.as_str()),
        Value::List(items) => items.iter().map(to_jinja).collect(),
        Value::Map(entries) => Jinja::from_pairs(
            entries
                .iter()
                .map(|entry| (entry.key.as_str(), to_jinja(&entry.node))),
        ),
    }
}

/// A value of the engine as a node at the place that asked for it; the error says what cannot be kept.
pub(super) fn to_node(value: &Jinja, span: &Span) -> Result<Node, String> {
    let inner = match value.kind() {
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => match value.as_i64() {
            Some(number) => Value::Int(number, number.to_string()),
            None => Value::Text(value.to_string()),
        },
        ValueKind::Number => {
            let number = f64::try_from(value.clone()).map_err(|error| error.to_string())?;
            Value::Float(number, value.to_string())
        }
        ValueKind::String => Value::Text(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| error.to_string())?;
            let items: Result<_, _> = items.map(|item| to_node(&item, span)).collect();
            Value::List(items?)
        }
        ValueKind::Map => {
            let keys = value.try_iter().map_err(|error| error.to_string())?;
            let entries: Result<Vec<Entry>, String> = keys
                .map(|key| {
                    let inner = value.get_item(&key).map_err(|error| error.to_string())?;
                    Ok(Entry {
                        key: key.to_string(),
                        key_span: span.clone(),
                        node: to_node(&inner, span)?,
                    })
                })
                .collect();
            Value::Map(entries?)
        }
        ValueKind::Undefined => return Err("the value is undefined".into()),
        kind => return Err(format!("the result is {kind}, which is no value to keep")),
    };
    Ok(Node {
        span: span.clone(),
        value: inner,
    })
}
