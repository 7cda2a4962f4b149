//! Where in a file a place within a string is.

use crate::yaml::{Node, Span, Value};

/// The place of a byte offset within a string value, or the value's own place when the string was
/// not written as it reads (escapes, folded lines).
pub(super) fn locate(node: &Node, offset: usize) -> Span {
    let Value::Text(text) = &node.value else {
        return node.span.clone();
    };
    within(node, text, offset).unwrap_or_else(|| node.span.clone())
}

fn within(node: &Node, text: &str, offset: usize) -> Option<Span> {
    let before = text.get(..offset)?;
    let row = before.matches('\n').count();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let wanted = text.get(line_start..)?.lines().next()?;
    let line = node.span.line.checked_add(row)?;
    let written = node.span.source.text.lines().nth(line - 1)?;
    let start = if row == 0 {
        let from = written.char_indices().nth(node.span.column - 1)?.0;
        from + written.get(from..)?.find(wanted)?
    } else {
        written.find(wanted)?
    };
    let column = written
        .get(..start + (offset - line_start))?
        .chars()
        .count()
        + 1;
    Some(Span {
        source: node.span.source.clone(),
        line,
        column,
    })
}
