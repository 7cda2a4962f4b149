//! Messages about input: file:line:column, the line with a caret, and a hint. All at once, not the first only.

use super::{Source, Span};
use std::fmt;
use std::sync::Arc;

/// One thing that is wrong with the input.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// What is wrong, as a sentence without a final period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A message at a place.
    pub fn new(span: &Span, message: impl Into<String>) -> Self {
        Self {
            span: span.clone(),
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without a text there is no line to speak of: a file that is not there, an option.
        match self.span.source.text.is_empty() {
            true => write!(f, "{}: {}", self.span.source.name, self.message)?,
            false => write!(f, "{}: {}", self.span, self.message)?,
        }
        let lines: Vec<&str> = self.span.source.text.lines().collect();
        if let Some((line, above)) = lines.get(..self.span.line).and_then(<[&str]>::split_last) {
            let number = self.span.line.to_string();
            let margin = " ".repeat(number.len());
            // A very long line would drown the message.
            let shown: String = shown(line, above).chars().take(160).collect();
            write!(f, "\n {margin} |\n {number} | {shown}")?;
            if self.span.column <= shown.chars().count() + 1 {
                let pad: String = shown
                    .chars()
                    .take(self.span.column - 1)
                    .map(|c| if c == '\t' { '\t' } else { ' ' })
                    .collect();
                write!(f, "\n {margin} | {pad}^")?;
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n Hint: {hint}")?;
        }
        Ok(())
    }
}

/// Whether a variable or an argument is called like something that must not be shown.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "pass",
        "passwd",
        "password",
        "passphrase",
        "secret",
        "token",
        "cookie",
        "pool_key",
        "secret_key",
    ]
    .iter()
    .any(|end| name.ends_with(end))
        || ["database_url", "amqp_url"].contains(&name.as_str())
}

/// The line without secrets. A value may begin below its name, which is then the first line above that is further out.
fn shown(line: &str, above: &[&str]) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let name = above
        .iter()
        .rev()
        .find(|above| !above.trim().is_empty() && depth(above) < depth(line))
        .and_then(|above| above.split_once(':'))
        .map(|(name, _)| name.trim_matches(['"', '\'', ' ', '-', '\t']));
    if name.is_some_and(names_a_secret) {
        format!("{}********", &line[..depth(line)])
    } else {
        masked(line)
    }
}

/// The line with the values of secret names replaced, so that a message cannot carry one into a log.
fn masked(line: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut result = line.to_owned();
    let mut from = 0;
    while let Some(found) = result[from..].find([':', '=']) {
        let at = from + found;
        let before = result[..at].trim_end_matches(['"', '\'', ' ']);
        let word = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
        let value = at + 1 + (result[at + 1..].len() - result[at + 1..].trim_start().len());
        if names_a_secret(word) && value < result.len() {
            result.truncate(value);
            result.push_str("********");
            break;
        }
        from = at + 1;
    }
    result
}

/// All that is wrong with the input.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Brings those of one text into the order of the text; texts stay in the order of their first one.
    pub fn sort(&mut self) {
        let mut order: Vec<Arc<Source>> = Vec::new();
        let position = |order: &[Arc<Source>], source: &Arc<Source>| {
            order.iter().position(|known| Arc::ptr_eq(known, source))
        };
        for diagnostic in &self.0 {
            if position(&order, &diagnostic.span.source).is_none() {
                order.push(diagnostic.span.source.clone());
            }
        }
        self.0.sort_by_key(|diagnostic| {
            let span = &diagnostic.span;
            (position(&order, &span.source), span.line, span.column)
        });
    }

    /// `value` when nothing is wrong.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Self {
        Self(vec![one])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, diagnostic) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// The known word nearest to `word`, when one is near enough to be meant.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_wherever_its_value_begins() {
        let text = "vars:\n  pg_pass: zq7\n  secret_key:\n\n    \"zq7\\nx\"\n  database_url: |\n    zq7\n  shown: plain\n";
        let lines: Vec<&str> = text.lines().collect();
        let all: Vec<String> = (0..lines.len())
            .map(|at| shown(lines[at], &lines[..at]))
            .collect();
        assert!(!all.join("\n").contains("zq7"), "{all:#?}");
        assert_eq!(all[1], "  pg_pass: ********");
        assert_eq!(all[4], "    ********");
        assert_eq!(all[7], "  shown: plain");
    }
}
