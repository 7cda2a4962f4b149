//! A document as YAML text that means the same to every reader.
//!
//! Our own writer, because of one rule that no library of ours keeps: a string is written plain only when
//! no version of YAML could take it for anything else. Docker reads YAML 1.1, where `0123` is octal, `1:30`
//! a number of base 60 and `on` a boolean; a password of digits must stay a string.

use serde_json::Value;

/// The text. `$` is doubled, because `docker stack deploy` would take it for a variable.
pub fn yaml(document: &Value) -> String {
    let mut out = String::new();
    block(&mut out, document, 0);
    out
}

fn block(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.push_str(&format!("{indent}{}:", key_text(key)));
                nested(out, value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(map) if !map.is_empty() => {
                        let mut inner = String::new();
                        block(&mut inner, item, depth + 1);
                        out.push_str(&format!("{indent}- {}", inner.trim_start()));
                    }
                    item => out.push_str(&format!("{indent}- {}\n", scalar(item))),
                }
            }
        }
        scalar_value => out.push_str(&format!("{indent}{}\n", scalar(scalar_value))),
    }
}

fn nested(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            block(out, value, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block(out, value, depth + 1);
        }
        value => out.push_str(&format!(" {}\n", scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => string(&text.replace('$', "$$")),
        // Flow style is JSON: an empty collection, or a list within a list.
        value => value.to_string(),
    }
}

/// Keys are not interpolated.
fn key_text(key: &str) -> String {
    string(key)
}

fn string(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        // A JSON string is a YAML double-quoted one; DEL and C1 controls are printable to JSON only.
        let quoted = Value::String(text.to_owned()).to_string();
        quoted
            .chars()
            .map(|c| match c {
                '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{2028}' | '\u{2029}' => {
                    format!("\\u{:04x}", u32::from(c))
                }
                c => c.to_string(),
            })
            .collect()
    }
}

/// Begins with a letter or a slash, has nothing that YAML knows, and is no word of YAML 1.1.
fn is_plain(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    let is_word = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan",
    ]
    .contains(&&*word);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !is_word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Source, load};
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn what_is_written_is_what_is_read() {
        let hostile = [
            "0123",
            "1:30",
            "on",
            "~",
            "null",
            "",
            " x",
            "a: b",
            "# no",
            "'",
            "\"",
            "\\",
            "é",
            "a\nb",
            "{{.Node.Hostname}}",
            "- x",
            "!reset",
            "&a",
            "*a",
            "1e3",
            "0x1f",
            "=",
            "<<",
            "2001-01-01",
            "tab\there",
            "@at",
            "%p",
            "`",
            "y",
        ];
        let document = json!({
            "strings": hostile,
            "map": {"0123": 1, "on": true, "empty": {}, "none": [], "null": null},
            "list": [{"a": 1, "b": {"c": ["d"]}}, [1, 2], "x"],
        });
        let source = Arc::new(Source {
            name: "emitted".into(),
            text: yaml(&document),
        });
        let read = load(&source).unwrap_or_else(|wrong| panic!("{wrong}\n{}", source.text));
        assert_eq!(read.to_json(), document, "{}", source.text);
    }

    #[test]
    fn a_dollar_is_no_variable() {
        assert_eq!(yaml(&json!({"a": "p$x${y}"})), "a: \"p$$x$${y}\"\n");
    }
}
