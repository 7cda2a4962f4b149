//! What a variable or an argument may be, and how its value is brought into one form.

use crate::yaml::{Diagnostic, Node, Value, is_template, suggest};
use std::net::IpAddr;

/// What a known variable may be. A template is looked at when it has been rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string; numbers are taken as they are written.
    Text,
    /// A string that is never shown.
    Secret,
    /// A boolean.
    Bool,
    /// An integer from … to ….
    Int(i64, i64),
    /// A port, 1 to 65535.
    Port,
    /// An absolute path on the host.
    Path,
    /// A path on this machine; a relative one starts at the inventory's folder.
    LocalPath,
    /// An IP address.
    Address,
    /// A network, such as 10.0.0.0/8.
    Cidr,
    /// An http, https or file URL.
    Url,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A mapping.
    Map,
}

impl Kind {
    /// In words, for messages and documents.
    pub fn words(self) -> String {
        match self {
            Self::Text => "a string".into(),
            Self::Secret => "a secret string".into(),
            Self::Bool => "a boolean".into(),
            Self::Int(from, to) => format!("an integer from {from} to {to}"),
            Self::Port => "a port from 1 to 65535".into(),
            Self::Path => "an absolute path".into(),
            Self::LocalPath => "a path".into(),
            Self::Address => "an IP address".into(),
            Self::Cidr => "a network such as 10.0.0.0/8".into(),
            Self::Url => "an http, https or file URL".into(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Map => "a mapping".into(),
        }
    }

    /// The value in the form of its kind (text for [`Kind::Text`], however it was written), or what is wrong.
    pub fn accept(self, name: &str, node: &Node) -> Result<Node, Diagnostic> {
        if let Value::Text(text) = &node.value
            && is_template(text)
        {
            return Ok(node.clone());
        }
        let value = match self {
            // A line break cannot stand in the files that take passwords line by line (.pgpass, pool_passwd).
            Self::Secret
                if node
                    .scalar()
                    .is_some_and(|text| text.contains(['\n', '\r', '\0'])) =>
            {
                None
            }
            // A boolean is most likely a word that YAML took for one, such as the language `no`.
            Self::Text | Self::Secret | Self::LocalPath => match &node.value {
                Value::Bool(_) => None,
                _ => node.scalar().map(Value::Text),
            },
            Self::Bool => boolean(node).map(Value::Bool),
            Self::Int(from, to) => integer(node, from, to),
            Self::Port => integer(node, 1, 65_535),
            Self::Path => text_if(node, |text| text.starts_with('/')),
            Self::Address => text_if(node, |text| text.parse::<IpAddr>().is_ok()),
            Self::Cidr => text_if(node, |text| {
                text.contains('/')
                    && text
                        .parse::<ipnet::IpNet>()
                        .is_ok_and(|net| net.addr() == net.network())
            }),
            Self::Url => text_if(node, |text| {
                let rest = ["http://", "https://", "file:///"]
                    .iter()
                    .find_map(|scheme| text.strip_prefix(scheme));
                rest.is_some_and(|rest| !rest.is_empty() && !text.contains(char::is_whitespace))
            }),
            Self::Choice(words) => choice(node, words).map(Value::Text),
            Self::Map => match &node.value {
                value @ Value::Map(_) => Some(value.clone()),
                _ => None,
            },
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
        let seen = match node.scalar() {
            Some(text) if self != Self::Secret && text.len() <= 60 => match node.value {
                Value::Text(_) => format!("the string \"{text}\""),
                _ => text,
            },
            _ => node.kind().to_owned(),
        };
        let message = format!("`{name}` must be {}, not {seen}", self.words());
        let diagnostic = Diagnostic::new(&node.span, message);
        let hint = match (self, node.scalar()) {
            (Self::Choice(words), Some(text)) => {
                suggest(&text, words.iter().copied()).map(|word| format!("did you mean {word}?"))
            }
            (Self::Cidr, Some(text)) => text
                .parse::<ipnet::IpNet>()
                .ok()
                .map(|net| format!("did you mean {}?", net.trunc())),
            (Self::Secret, Some(text)) if text.contains(['\n', '\r', '\0']) => {
                Some("a secret is one line".into())
            }
            (Self::Text | Self::Secret | Self::LocalPath, Some(_)) => {
                Some("put it in quotes".into())
            }
            (Self::Bool, Some(_)) => Some("write true or false".into()),
            _ => None,
        };
        match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}

/// A boolean, or a string that says one (extra variables and rendered templates are strings).
pub fn boolean(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// An integer within bounds, also as a string of decimal digits.
pub fn integer(node: &Node, from: i64, to: i64) -> Option<Value> {
    let (number, text) = match &node.value {
        Value::Int(number, text) => (*number, text.clone()),
        Value::Text(text) => (text.parse().ok()?, text.clone()),
        _ => return None,
    };
    (from..=to)
        .contains(&number)
        .then_some(Value::Int(number, text))
}

/// One of the words; a boolean stands for the word that it was probably written as.
pub fn choice(node: &Node, words: &[&str]) -> Option<String> {
    let candidates: &[&str] = match &node.value {
        Value::Bool(true) => &["on", "yes", "true"],
        Value::Bool(false) => &["off", "no", "false"],
        Value::Null | Value::List(_) | Value::Map(_) => return None,
        Value::Int(..) | Value::Float(..) | Value::Text(_) => {
            let text = node.scalar()?;
            return words.contains(&text.as_str()).then_some(text);
        }
    };
    candidates
        .iter()
        .find(|word| words.contains(word))
        .map(|word| (*word).to_owned())
}

fn text_if(node: &Node, good: impl Fn(&str) -> bool) -> Option<Value> {
    match &node.value {
        Value::Text(text) if good(text) => Some(Value::Text(text.clone())),
        _ => None,
    }
}
