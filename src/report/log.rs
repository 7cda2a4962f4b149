//! The log file: every event with its time, and the plan; always written, never with a secret.

use super::plain::line;
use super::{Event, Sink};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A log file.
pub struct Log {
    file: File,
    began: Instant,
    path: PathBuf,
}

impl Log {
    /// Opens `path`, or a new file in the user's state folder.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn open(path: Option<&Path>) -> std::io::Result<Self> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => default_path(),
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut options = File::options();
        options.create(true).append(true);
        // A log tells of hosts and files: it is nobody else's business.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        writeln!(
            file,
            "provision {} at Unix time {}",
            env!("CARGO_PKG_VERSION"),
            unix_time()
        )?;
        Ok(Self {
            file,
            began: Instant::now(),
            path,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a text, such as the plan.
    pub fn text(&mut self, text: &str) {
        let _ = writeln!(self.file, "{text}");
    }
}

impl Sink for Log {
    fn event(&mut self, event: &Event) {
        if let Some(text) = line(event, true) {
            let _ = writeln!(
                self.file,
                "{:9.3} {text}",
                self.began.elapsed().as_secs_f64()
            );
        }
    }
}

fn default_path() -> PathBuf {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let folder = state.or_else(home).unwrap_or_else(std::env::temp_dir);
    folder.join(format!(
        "provision/{}-{}.log",
        unix_time(),
        std::process::id()
    ))
}

fn unix_time() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
