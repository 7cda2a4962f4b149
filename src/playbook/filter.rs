//! Filters and tests that Ansible's users expect, beside those of the template engine itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind, Value};
use regex::Regex;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Adds them all.
pub(super) fn add(environment: &mut Environment<'static>) {
    // `text.split(',')`, `map.items()` and the like, as in Python.
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    super::credential::add(environment);
    environment.add_filter("b64encode", |text: &str| BASE64.encode(text));
    environment.add_filter("b64decode", b64decode);
    environment.add_filter("basename", |path: &str| {
        path.rsplit('/').next().unwrap_or_default().to_owned()
    });
    environment.add_filter("dirname", dirname);
    environment.add_filter("bool", boolean);
    environment.add_filter("difference", |a: Vec<Value>, b: Vec<Value>| {
        distinct(a.into_iter().filter(|value| !b.contains(value)))
    });
    environment.add_filter("intersect", |a: Vec<Value>, b: Vec<Value>| {
        distinct(a.into_iter().filter(|value| b.contains(value)))
    });
    environment.add_filter("union", |a: Vec<Value>, b: Vec<Value>| {
        distinct(a.into_iter().chain(b))
    });
    environment.add_filter("flatten", flatten);
    environment.add_filter("from_json", from_json);
    environment.add_filter("to_json", to_json);
    environment.add_filter("to_nice_json", to_nice_json);
    environment.add_filter("quote", quote);
    environment.add_filter("regex_replace", regex_replace);
    environment.add_filter("regex_search", regex_search);
    environment.add_filter(
        "ternary",
        |value: &Value, yes: Value, no: Value| {
            if value.is_true() { yes } else { no }
        },
    );
    environment.add_test("match", |text: &str, pattern: &str| {
        regex(&format!("^(?:{pattern})")).map(|regex| regex.is_match(text))
    });
    environment.add_test("search", |text: &str, pattern: &str| {
        regex(pattern).map(|regex| regex.is_match(text))
    });
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn b64decode(text: &str) -> Result<String, Error> {
    let bytes = BASE64
        .decode(text.trim())
        .map_err(|error| invalid(format!("this is not base64: {error}")))?;
    String::from_utf8(bytes).map_err(|_| invalid("the decoded bytes are not UTF-8 text".into()))
}

fn dirname(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((folder, _)) => folder.trim_end_matches('/').to_owned(),
        None => String::new(),
    }
}

/// Words as in YAML 1.1; the engine's own filter would take the string "false" for true.
fn boolean(value: &Value) -> Result<bool, Error> {
    let Some(text) = value.as_str() else {
        return Ok(value.is_true());
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" | "" => Ok(false),
        _ => Err(invalid(format!("`{text}` is neither true nor false"))),
    }
}

fn distinct(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut result: Vec<Value> = Vec::new();
    for value in values {
        if !result.contains(&value) {
            result.push(value);
        }
    }
    result
}

fn flatten(list: Vec<Value>) -> Result<Vec<Value>, Error> {
    let mut result = Vec::new();
    for value in list {
        if value.kind() == minijinja::value::ValueKind::Seq {
            let inner: Vec<Value> = value.try_iter()?.collect();
            result.extend(flatten(inner)?);
        } else {
            result.push(value);
        }
    }
    Ok(result)
}

fn from_json(text: &str) -> Result<Value, Error> {
    serde_json::from_str::<serde_json::Value>(text)
        .map(|json| Value::from(Serde(&json)))
        .map_err(|error| invalid(format!("this is not JSON: {error}")))
}

/// As Python prints JSON: a space behind each comma and colon. Nothing is escaped for HTML.
fn to_json(value: &Value) -> Result<String, Error> {
    write_json(value, Spaced)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands over arguments by value"
)]
fn to_nice_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent = options.get::<Option<usize>>("indent")?.unwrap_or(4);
    options.assert_all_used()?;
    let indent = " ".repeat(indent.min(16));
    write_json(
        value,
        serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes()),
    )
}

fn write_json(value: &Value, format: impl serde_json::ser::Formatter) -> Result<String, Error> {
    let mut bytes = Vec::new();
    value
        .serialize(&mut serde_json::Serializer::with_formatter(
            &mut bytes, format,
        ))
        .map_err(|error| invalid(format!("cannot write this as JSON: {error}")))?;
    String::from_utf8(bytes).map_err(|error| invalid(error.to_string()))
}

struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

fn quote(text: &str) -> Result<String, Error> {
    shlex::try_quote(text)
        .map(std::borrow::Cow::into_owned)
        .map_err(|error| invalid(format!("no shell can take this: {error}")))
}

fn regex_replace(text: &str, pattern: &str, replacement: &str) -> Result<String, Error> {
    // Python's \1 and \g<name> are ${1} and ${name} here; a $ of Python's means itself.
    let mut converted = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('$', _) => converted.push_str("$$"),
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                converted.push_str(&format!("${{{digit}}}"));
                chars.next();
            }
            ('\\', Some('g')) => {
                chars.next();
                let name: String = chars.by_ref().skip(1).take_while(|c| *c != '>').collect();
                converted.push_str(&format!("${{{name}}}"));
            }
            ('\\', Some('\\')) => {
                converted.push('\\');
                chars.next();
            }
            _ => converted.push(c),
        }
    }
    Ok(regex(pattern)?.replace_all(text, converted).into_owned())
}

fn regex_search(text: &str, pattern: &str) -> Result<Option<String>, Error> {
    let found = regex(pattern)?
        .find(text)
        .map(|found| found.as_str().to_owned());
    Ok(found)
}

/// Compiled once: templates are rendered for every host.
fn regex(pattern: &str) -> Result<Arc<Regex>, Error> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = known.get(pattern) {
        return Ok(regex.clone());
    }
    let regex = Regex::new(pattern).map_err(|error| {
        let why = error.to_string();
        let last = why.lines().last().unwrap_or_default().trim().to_owned();
        invalid(format!("`{pattern}` is no regular expression: {last}"))
    })?;
    let regex = Arc::new(regex);
    known.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}
