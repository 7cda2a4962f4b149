//! Text → [`Node`] tree, within budgets, with every problem of the tree reported at once.
//!
//! The reader is the pull parser of `saphyr-parser`: its events carry a place and the style of a
//! scalar, which is what tells the boolean `yes` from the string `"yes"`. It keeps its own stack on
//! the heap; only this file recurses, as deep as [`MAX_DEPTH`].

use super::complaint::too_deep;
use super::{Diagnostic, Diagnostics, Entry, Node, Source, Span, Value, scalar, tag};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How deep lists and mappings may nest.
pub const MAX_DEPTH: usize = 64;
/// How many values one text may hold, aliases counted as often as they are used.
pub const MAX_NODES: usize = 200_000;

/// Reads one YAML document.
pub fn load(source: &Arc<Source>) -> Result<Node, Diagnostics> {
    match load_on(source) {
        (Some(node), found) => found.into_result(node),
        (None, found) => Err(found),
    }
}

/// Reads one YAML document, and goes on behind what is wrong with it: with a tree, the rest of it can be
/// checked too; without one, reading had to stop.
pub fn load_on(source: &Arc<Source>) -> (Option<Node>, Diagnostics) {
    let control = source
        .text
        .find(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}'));
    if let Some(offset) = control {
        let span = Span::at_offset(source, offset);
        let message = "a control character here: this is not a text file";
        return (None, Diagnostic::new(&span, message).into());
    }
    let mut loader = Loader {
        parser: Parser::new_from_str(&source.text),
        source,
        found: Diagnostics::default(),
        nodes: 0,
        anchors: HashMap::new(),
    };
    // A stop has pushed its reason; what was found before it is reported with it.
    let node = loader.document().ok();
    (node, loader.found)
}

/// Reading cannot go on; the reason is among the diagnostics.
struct Stopped;

type Next<'t> = (Event<'t>, Marker);

pub(super) struct Loader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    pub(super) source: &'t Arc<Source>,
    found: Diagnostics,
    nodes: usize,
    /// Finished anchored values and how many nodes each holds.
    anchors: HashMap<usize, (Node, usize)>,
}

impl<'t> Loader<'t> {
    fn document(&mut self) -> Result<Node, Stopped> {
        let mut root = Node {
            span: Span::at_offset(self.source, 0),
            value: Value::Null,
        };
        let mut documents = 0;
        loop {
            let (event, mark) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let second =
                            Diagnostic::new(&self.span(mark), "a second YAML document starts here")
                                .hint("put each document into a file of its own");
                        return Err(self.stop(second));
                    }
                }
                Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
                _ => root = self.node((event, mark), 0)?,
            }
        }
    }

    fn next(&mut self) -> Result<Next<'t>, Stopped> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start)),
            Some(Err(error)) => {
                let diagnostic = self.syntax(&error);
                Err(self.stop(diagnostic))
            }
            None => Err(self.stop(Diagnostic::new(
                &Span::at_offset(self.source, self.source.text.len()),
                "the text ends too early",
            ))),
        }
    }

    fn stop(&mut self, diagnostic: Diagnostic) -> Stopped {
        self.found.push(diagnostic);
        Stopped
    }

    pub(super) fn span(&self, mark: Marker) -> Span {
        Span {
            source: self.source.clone(),
            line: mark.line(),
            column: mark.col() + 1,
        }
    }

    fn node(&mut self, (event, mark): Next<'t>, depth: usize) -> Result<Node, Stopped> {
        let span = self.span(mark);
        if depth > MAX_DEPTH {
            return Err(self.stop(too_deep(&span)));
        }
        let before = self.nodes;
        self.count(1, &span)?;
        let (value, anchor) = match event {
            Event::Alias(id) => return self.alias(id, &span),
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), &span), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag, "seq", &span);
                (self.list(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag, "map", &span);
                (self.map(&span, depth)?, anchor)
            }
            _ => (Value::Null, 0),
        };
        let node = Node { span, value };
        if anchor > 0 {
            let size = self.nodes - before;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn count(&mut self, more: usize, span: &Span) -> Result<(), Stopped> {
        self.nodes += more;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("more than {MAX_NODES} values up to here, aliases included");
        Err(self.stop(Diagnostic::new(span, message)))
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Node, Stopped> {
        let Some((node, size)) = self.anchors.get(&id) else {
            let inside = Diagnostic::new(span, "the alias stands inside the value that it names");
            return Err(self.stop(inside));
        };
        let (node, size) = (node.clone(), *size);
        self.count(size, span)?;
        Ok(node)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: &Span) -> Value {
        let plain = style == ScalarStyle::Plain;
        match tag {
            None if plain => scalar::resolve(text),
            None => Value::Text(text.to_owned()),
            Some(tag) => tag::scalar(tag, text, at).unwrap_or_else(|diagnostic| {
                self.found.push(diagnostic);
                Value::Null
            }),
        }
    }

    fn check_tag(&mut self, tag: Option<Cow<'t, Tag>>, expected: &str, at: &Span) {
        if let Some(tag) = tag
            && let Err(diagnostic) = tag::collection(&tag, expected, at)
        {
            self.found.push(diagnostic);
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Stopped> {
        let mut items = Vec::new();
        loop {
            let next = self.next()?;
            if next.0 == Event::SequenceEnd {
                return Ok(Value::List(items));
            }
            items.push(self.node(next, depth + 1)?);
        }
    }

    fn map(&mut self, span: &Span, depth: usize) -> Result<Value, Stopped> {
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
