//! Mappings: each key once, and what `<<` brings in below them.

use super::load::{Loader, Stopped};
use super::{Diagnostic, Entry, Node, Span, Value};
use saphyr_parser::{Event, ScalarStyle};
use std::collections::{HashMap, HashSet};

impl Loader<'_> {
    pub(super) fn map(&mut self, span: &Span, depth: usize) -> Result<Value, Stopped> {
        let mut entries = Entries::default();
        let mut merges = Vec::new();
        loop {
            let (event, mark) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key_span = self.span(mark);
            let (key, plain) = match event {
                Event::Scalar(text, style, _, None) => {
                    (Some(text.into_owned()), style == ScalarStyle::Plain)
                }
                other => {
                    let complaint = self.bad_key(&other, span, &key_span);
                    self.found.push(complaint);
                    // Read past it, so that the rest of the mapping is checked too.
                    self.node((other, mark), depth + 1)?;
                    (None, false)
                }
            };
            let next = self.next()?;
            let node = self.node(next, depth + 1)?;
            let Some(key) = key else { continue };
            if plain && key == "<<" {
                merges.push(node);
            } else if let Err(diagnostic) = entries.add(key, key_span, node) {
                self.found.push(diagnostic);
            }
        }
        let inherited = self.merged(merges);
        Ok(Value::Map(entries.over(inherited)))
    }

    /// The entries that `<<` brings in; of several mappings the first that has a key wins.
    fn merged(&mut self, merges: Vec<Node>) -> Vec<Entry> {
        let mut result = Vec::new();
        let mut known = HashSet::new();
        for node in merges {
            let maps = match node.value {
                Value::List(items) => items,
                value => vec![Node {
                    span: node.span,
                    value,
                }],
            };
            for map in maps {
                let Value::Map(entries) = map.value else {
                    let message = format!(
                        "<< takes a mapping or a list of mappings, not {}",
                        map.kind()
                    );
                    self.found.push(Diagnostic::new(&map.span, message));
                    continue;
                };
                for entry in entries {
                    if known.insert(entry.key.clone()) {
                        result.push(entry);
                    }
                }
            }
        }
        result
    }
}

/// The entries of one mapping and where each key is.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    index: HashMap<String, usize>,
}

impl Entries {
    fn add(&mut self, key: String, key_span: Span, node: Node) -> Result<(), Diagnostic> {
        if let Some(first) = self.index.get(&key).and_then(|at| self.list.get(*at)) {
            let message = format!(
                "the key `{key}` is already there, at line {}, column {}",
                first.key_span.line, first.key_span.column
            );
            return Err(Diagnostic::new(&key_span, message).hint("keep one of the two"));
        }
        self.index.insert(key.clone(), self.list.len());
        self.list.push(Entry {
            key,
            key_span,
            node,
        });
        Ok(())
    }

    /// These entries on top of inherited ones: a local key wins.
    fn over(self, inherited: Vec<Entry>) -> Vec<Entry> {
        let mut result: Vec<Entry> = inherited
            .into_iter()
            .filter(|entry| !self.index.contains_key(&entry.key))
            .collect();
        result.extend(self.list);
        result
    }
}
