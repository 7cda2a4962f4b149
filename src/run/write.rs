//! `provision init`: the built-in playbooks and an example inventory, as files to change.

use super::project::built_in_files;
use crate::cli::InitArgs;
use crate::failure::Failure;
use std::io::Write;
use std::path::Path;

/// `provision init`
pub fn init(args: &InitArgs) -> Result<u8, Failure> {
    let differs =
        |path: &&&str, text: &str| std::fs::read_to_string(path).is_ok_and(|there| there != text);
    let changed: Vec<&str> = built_in_files()
        .filter(|(path, text)| differs(&path, text))
        .map(|(path, _)| *path)
        .collect();
    if !changed.is_empty() && !args.overwrite {
        let message = format!(
            "these files are here and differ from the built-in ones: {}",
            changed.join(", ")
        );
        return Err(
            Failure::usage(message).hint("nothing was written; `--overwrite` replaces them")
        );
    }
    for (path, text) in built_in_files() {
        let path = Path::new(path);
        let write = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)
        };
        write().map_err(|error| {
            Failure::internal(format!("{} cannot be written: {error}", path.display()))
        })?;
        let _ = writeln!(std::io::stdout(), "wrote {}", path.display());
    }
    Ok(0)
}
