//! A value that must not be shown.

use std::fmt;
use std::sync::Arc;

/// A password or another secret: it cannot be printed or serialised by accident, only by [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes a secret.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for the stdin of the program that needs it and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
