//! Text → [`Node`] tree, within budgets, with every problem of the tree reported at once.
//!
//! The reader is the pull parser of `saphyr-parser`: its events carry a place and the style of a
//! scalar, which is what tells the boolean `yes` from the string `"yes"`. It keeps its own stack on
//! the heap; only this file and the one of mappings recurse, as deep as [`MAX_DEPTH`].

use super::complaint::too_deep;
use super::{Diagnostic, Diagnostics, Node, Source, Span, Value, scalar, tag};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
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

/// What a value tagged `!reset` is read as. No text holds it: control characters are refused before.
pub const RESET: &str = "\u{1}reset";

/// Reads one YAML document that is laid over another one: values may be tagged `!reset`.
///
/// # Errors
/// All that is wrong with it.
pub fn load_overlay(source: &Arc<Source>) -> Result<Node, Diagnostics> {
    match read_document(source, true) {
        (Some(node), found) => found.into_result(node),
        (None, found) => Err(found),
    }
}

/// Reads one YAML document, and goes on behind what is wrong with it: with a tree, the rest of it can be
/// checked too; without one, reading had to stop.
pub fn load_on(source: &Arc<Source>) -> (Option<Node>, Diagnostics) {
    read_document(source, false)
}

fn read_document(source: &Arc<Source>, resets: bool) -> (Option<Node>, Diagnostics) {
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
        resets,
        anchors: HashMap::new(),
    };
    // A stop has pushed its reason; what was found before it is reported with it.
    let node = loader.document().ok();
    (node, loader.found)
}

/// Reading cannot go on; the reason is among the diagnostics.
pub(super) struct Stopped;

pub(super) type Next<'t> = (Event<'t>, Marker);

pub(super) struct Loader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    pub(super) source: &'t Arc<Source>,
    pub(super) found: Diagnostics,
    nodes: usize,
    /// Whether `!reset` means something here.
    resets: bool,
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

    pub(super) fn next(&mut self) -> Result<Next<'t>, Stopped> {
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

    pub(super) fn node(&mut self, (event, mark): Next<'t>, depth: usize) -> Result<Node, Stopped> {
        let span = self.span(mark);
        if depth > MAX_DEPTH {
            return Err(self.stop(too_deep(&span)));
        }
        let before = self.nodes;
        self.count(1, &span)?;
        let (event, reset) = self.without_reset(event);
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
        let value = if reset {
            Value::Text(RESET.to_owned())
        } else {
            value
        };
        let node = Node { span, value };
        if anchor > 0 {
            let size = self.nodes - before;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    /// The event without its tag `!reset`, and whether it had it.
    fn without_reset(&self, event: Event<'t>) -> (Event<'t>, bool) {
        let is_reset = |tag: &Option<Cow<'t, Tag>>| {
            self.resets
                && tag
                    .as_ref()
                    .is_some_and(|tag| (&*tag.handle, &*tag.suffix) == ("!", "reset"))
        };
        match event {
            Event::Scalar(text, style, anchor, tag) if is_reset(&tag) => {
                (Event::Scalar(text, style, anchor, None), true)
            }
            Event::SequenceStart(anchor, tag) if is_reset(&tag) => {
                (Event::SequenceStart(anchor, None), true)
            }
            Event::MappingStart(anchor, tag) if is_reset(&tag) => {
                (Event::MappingStart(anchor, None), true)
            }
            event => (event, false),
        }
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
}
