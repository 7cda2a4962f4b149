//! A value that must never be shown.

use std::fmt;

/// A password or token. It has no `Display`, its `Debug` shows nothing of it, and the only way to
/// its content is [`Secret::expose`], so that every use can be found by searching for that word.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not be shown.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The content. Only for writing it to the standard input of the program that wants it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing_of_the_content() {
        let shown = format!("{:?}", Secret::new("hunter2"));
        assert!(
            !shown.contains("hunter2") && !shown.contains('7'),
            "{shown}"
        );
    }
}
