//! The user's overlay over the document that is rendered, by rules that can be said in a line:
//! mappings are merged key by key, everything else (lists too) is replaced, `!reset` takes away.

use crate::yaml::{Diagnostic, Diagnostics, Node, RESET, Source, Value, load_overlay};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// What an overlay may have at its top: the sections of a stack file.
const SECTIONS: [&str; 6] = [
    "version", "services", "networks", "volumes", "configs", "secrets",
];

/// Reads an overlay.
///
/// # Errors
/// All that is wrong with it, with its places.
pub fn read(name: &str, bytes: &[u8]) -> Result<Node, Diagnostics> {
    let source = Arc::new(Source {
        name: name.to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    });
    let node = load_overlay(&source)?;
    let mut found = Diagnostics::default();
    if !matches!(node.value, Value::Map(_) | Value::Null) {
        let problem = format!("an overlay is a mapping, not {}", node.kind());
        found.push(Diagnostic::new(&node.span, problem));
    }
    for entry in node.entries() {
        if !SECTIONS.contains(&&*entry.key) && !entry.key.starts_with("x-") {
            let problem = format!("a stack file has no `{}`", entry.key);
            let hint = format!("it has {}", SECTIONS.join(", "));
            found.push(Diagnostic::new(&entry.key_span, problem).hint(hint));
        }
    }
    found.into_result(node)
}

/// Lays the overlay over the document.
pub fn merge(document: &mut Json, overlay: &Node) {
    for entry in overlay.entries() {
        if !entry.key.starts_with("x-") {
            set(document, &entry.key, &entry.node);
        }
    }
}

fn set(into: &mut Json, key: &str, node: &Node) {
    if !into.is_object() {
        *into = Json::Object(Map::new());
    }
    let Some(map) = into.as_object_mut() else {
        return;
    };
    if is_reset(node) {
        map.shift_remove(key);
        return;
    }
    match &node.value {
        Value::Map(entries) => {
            let place = map.entry(key).or_insert_with(|| Json::Object(Map::new()));
            if !place.is_object() {
                *place = Json::Object(Map::new());
            }
            for entry in entries {
                set(place, &entry.key, &entry.node);
            }
        }
        _ => {
            map.insert(key.to_owned(), plain(node));
        }
    }
}

/// A value that replaces another one: what is reset in it is left out.
fn plain(node: &Node) -> Json {
    match &node.value {
        Value::List(items) => items
            .iter()
            .filter(|item| !is_reset(item))
            .map(plain)
            .collect(),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .filter(|entry| !is_reset(&entry.node))
                .map(|entry| (entry.key.clone(), plain(&entry.node)))
                .collect(),
        ),
        _ => node.to_json(),
    }
}

fn is_reset(node: &Node) -> bool {
    matches!(&node.value, Value::Text(text) if text == RESET)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(overlay: &str) -> Json {
        let mut document = json!({"services": {
            "a": {"image": "x", "ports": [1, 2], "environment": {"K": "v", "L": "w"}},
            "b": {"image": "y"},
        }});
        let overlay = read("overlay.yml", overlay.as_bytes()).unwrap();
        merge(&mut document, &overlay);
        document["services"].take()
    }

    #[test]
    fn mappings_are_merged_lists_replaced_and_reset_takes_away() {
        let found = merged(
            "services:\n  a:\n    ports: [3]\n    environment: {K: '0123', M: n, L: !reset null}\n  b: !reset {}\n  c: {image: z, drop: !reset x}\n",
        );
        assert_eq!(
            found,
            json!({
                "a": {"image": "x", "ports": [3], "environment": {"K": "0123", "M": "n"}},
                "c": {"image": "z"},
            })
        );
        assert_eq!(
            merged("services: {a: {ports: !reset []}}")["a"],
            json!({"image": "x", "environment": {"K": "v", "L": "w"}})
        );
        assert_eq!(merged("# nothing\n")["b"], json!({"image": "y"}));
    }

    #[test]
    fn an_unknown_section_is_told() {
        let wrong = read("overlay.yml", b"service: {}\n").unwrap_err();
        assert!(wrong.to_string().contains("has no `service`"), "{wrong}");
    }
}
