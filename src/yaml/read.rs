//! A file → a [`Source`], with each way of not being readable text told apart.

use super::{Diagnostic, Source, Span};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// The longest file that is read, in bytes. The largest real inventories are some hundred kilobytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Reads a UTF-8 text of at most [`MAX_BYTES`].
pub fn read(path: &Path) -> Result<Arc<Source>, Diagnostic> {
    let name = path.display().to_string();
    let failed = |message: &str| Diagnostic::new(&Span::builtin(&name), message);

    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => failed("there is no such file")
            .hint("give the path of an existing file, relative to the current folder or absolute"),
        ErrorKind::PermissionDenied => failed("the file may not be read by this user"),
        _ => failed(&format!("cannot open the file: {error}")),
    })?;
    let is_directory = file.metadata().is_ok_and(|meta| meta.is_dir());
    if is_directory {
        return Err(failed("this is a folder, not a file").hint("name one YAML file in it"));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed, so that too long is told from just fitting; the length of the
    // metadata would be wrong for a pipe.
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&format!("cannot read the file: {error}")))?;
    if bytes.len() > MAX_BYTES {
        return Err(
            failed("the file is longer than 4 MiB, the most that is read")
                .hint("is this really an inventory or a playbook?"),
        );
    }
    decode(name, bytes)
}

fn decode(name: String, bytes: Vec<u8>) -> Result<Arc<Source>, Diagnostic> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(Source { name, text })),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let source = Arc::new(Source { name, text });
            let span = Span::at_offset(&source, good);
            let byte = bytes.get(good).copied().unwrap_or_default();
            Err(
                Diagnostic::new(&span, format!("not UTF-8 text: byte 0x{byte:02x} here"))
                    .hint("save the file as UTF-8"),
            )
        }
    }
}

impl Span {
    /// The place of a byte offset in a text; an offset past the end is the end.
    pub fn at_offset(source: &Arc<Source>, offset: usize) -> Self {
        let mut offset = offset.min(source.text.len());
        while !source.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &source.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            source: source.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}
