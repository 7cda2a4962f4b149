//! Tags: those of YAML itself; everything else answers with an error, never with a silent string.

use super::{Diagnostic, Span, Value, scalar};
use saphyr_parser::Tag;

/// The value of a tagged scalar.
pub(super) fn scalar(tag: &Tag, text: &str, at: &Span) -> Result<Value, Diagnostic> {
    if !tag.is_yaml_core_schema() {
        return if is_non_specific(tag) {
            Ok(Value::Text(text.to_owned()))
        } else {
            Err(foreign(tag, at))
        };
    }
    let plain = scalar::resolve(text);
    let value = match (tag.suffix.as_str(), plain) {
        ("str", _) => Some(Value::Text(text.to_owned())),
        ("int", value @ Value::Int(..))
        | ("float", value @ Value::Float(..))
        | ("bool", value @ Value::Bool(_))
        | ("null", value @ Value::Null) => Some(value),
        #[expect(
            clippy::cast_precision_loss,
            reason = "a float was asked for by the tag"
        )]
        ("float", Value::Int(number, text)) => Some(Value::Float(number as f64, text)),
        _ => None,
    };
    value.ok_or_else(|| match tag.suffix.as_str() {
        "int" | "float" | "bool" | "null" => {
            let suffix = &tag.suffix;
            Diagnostic::new(at, format!("`{text}` is no value of the type !!{suffix}"))
        }
        _ => foreign(tag, at),
    })
}

/// Accepts only the tag of that kind of collection (`seq` or `map`).
pub(super) fn collection(tag: &Tag, expected: &str, at: &Span) -> Result<(), Diagnostic> {
    let own = tag.is_yaml_core_schema() && tag.suffix == expected;
    if own || is_non_specific(tag) {
        Ok(())
    } else {
        Err(foreign(tag, at))
    }
}

fn is_non_specific(tag: &Tag) -> bool {
    matches!(
        (tag.handle.as_str(), tag.suffix.as_str()),
        ("!", "") | ("", "!")
    )
}

fn foreign(tag: &Tag, at: &Span) -> Diagnostic {
    let name = if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else if tag.handle == "!" {
        format!("!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    };
    match name.as_str() {
        "!vault" => Diagnostic::new(
            at,
            "values encrypted with Ansible Vault are not supported yet",
        )
        .hint(
            "give the value with -e NAME=VALUE, or in plain text in a file that only you can read",
        ),
        "!env" | "!file" | "!command" => {
            Diagnostic::new(at, format!("the tag {name} is not supported yet"))
                .hint("give the value with -e NAME=VALUE")
        }
        "!unsafe" => Diagnostic::new(at, "the tag !unsafe is not supported")
            .hint("write braces that are no template as \"{{ '{{' }}\""),
        _ => Diagnostic::new(at, format!("unknown tag {name}")).hint("remove the tag"),
    }
}
