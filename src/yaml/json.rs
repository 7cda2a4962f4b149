//! Nodes and JSON: for `--list`, plans, and values that modules register.

use super::{Entry, Node, Span, Value};
use serde_json::{Number, Value as Json};

impl Node {
    /// The value without places; infinities and NaN, which JSON lacks, become strings.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(number, _) => Json::Number((*number).into()),
            Value::Float(number, text) => {
                Number::from_f64(*number).map_or_else(|| Json::String(text.clone()), Json::Number)
            }
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => Json::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.node.to_json()))
                    .collect(),
            ),
        }
    }

    /// A value from elsewhere, at the place that it was asked for.
    pub fn from_json(json: &Json, span: &Span) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Value::Int(integer, number.to_string()),
                (None, Some(float)) => Value::Float(float, number.to_string()),
                (None, None) => Value::Text(number.to_string()),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(
                items
                    .iter()
                    .map(|item| Self::from_json(item, span))
                    .collect(),
            ),
            Json::Object(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        key_span: span.clone(),
                        node: Self::from_json(value, span),
                    })
                    .collect(),
            ),
        };
        Self {
            span: span.clone(),
            value,
        }
    }
}
