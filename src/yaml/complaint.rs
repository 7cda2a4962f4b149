//! What to say about text that is no YAML, or YAML that is not meant.

use super::load::{Loader, MAX_DEPTH};
use super::{Diagnostic, Span};
use saphyr_parser::{Event, ScanError};

pub(super) fn too_deep(span: &Span) -> Diagnostic {
    let message = format!("lists and mappings nest deeper than {MAX_DEPTH} levels here");
    Diagnostic::new(span, message)
}

impl Loader<'_> {
    pub(super) fn bad_key(&self, event: &Event<'_>, map: &Span, key: &Span) -> Diagnostic {
        let line = self.source.text.lines().nth(map.line - 1).unwrap_or("");
        let opening: String = line.chars().skip(map.column - 1).take(2).collect();
        if opening == "{{" {
            return Diagnostic::new(map, "a value that starts with {{ must be in quotes")
                .hint("write \"{{ … }}\"");
        }
        match event {
            Event::Scalar(..) => Diagnostic::new(key, "a key may not have a tag"),
            Event::Alias(_) => Diagnostic::new(key, "a key may not be an alias"),
            _ => Diagnostic::new(key, "a key must be a string, not a list or a mapping"),
        }
    }

    pub(super) fn syntax(&self, error: &ScanError) -> Diagnostic {
        let mark = error.marker();
        let span = self.span(*mark);
        let lines = || self.source.text.lines();
        // The parser may notice a tab only at the next token, one line later.
        for line in [mark.line(), mark.line().saturating_sub(1)] {
            let text = lines().nth(line.saturating_sub(1)).unwrap_or("");
            let indentation = text.len() - text.trim_start().len();
            if let Some(at) = text[..indentation].find('\t') {
                let span = Span {
                    source: self.source.clone(),
                    line,
                    column: text[..at].chars().count() + 1,
                };
                return Diagnostic::new(&span, "a tab in the indentation; YAML allows only spaces")
                    .hint("replace the tab by spaces");
            }
        }
        if error.info() == "recursion limit exceeded" {
            return too_deep(&span);
        }
        Diagnostic::new(&span, format!("this is not YAML: {}", error.info()))
            .hint("the mistake may be on a line before: check indentation, colons and quotes")
    }
}
