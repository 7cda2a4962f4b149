//! Runs of the program, and what they printed.

use super::inventory::Inventory;
use super::lab::Lab;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A run that has ended.
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

/// The program, in a folder of the test's and with nothing of the environment that would change what it does.
pub fn command(lab: &Lab) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PROVISION_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(lab.files.path())
        .env("XDG_STATE_HOME", lab.files.path().join("state"))
        .stdin(Stdio::null());
    command
}

impl Lab {
    /// The inventory that most tests use.
    pub fn inventory(&self) -> PathBuf {
        let path = self.files.path().join("lab.yml");
        if path.exists() {
            path
        } else {
            Inventory::of(self).write(self, "lab.yml")
        }
    }

    /// `provision INVENTORY …` with the lab's usual inventory.
    pub fn provision(&self, words: &[&str]) -> Ended {
        self.provision_with(&self.inventory(), words)
    }

    /// `provision INVENTORY …`
    pub fn provision_with(&self, inventory: &Path, words: &[&str]) -> Ended {
        run(command(self).arg(inventory).args(words), b"")
    }

    /// `provision VERB INVENTORY …` with another inventory.
    pub fn verb_with(&self, verb: &str, inventory: &Path, words: &[&str]) -> Ended {
        run(command(self).arg(verb).arg(inventory).args(words), b"")
    }

    /// `provision VERB INVENTORY …`
    pub fn verb(&self, verb: &str, words: &[&str]) -> Ended {
        run(
            command(self).arg(verb).arg(self.inventory()).args(words),
            b"",
        )
    }
}

/// Runs to the end, with this on standard input.
pub fn run(command: &mut Command, input: &[u8]) -> Ended {
    use std::io::Write;
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It need not read it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        took: began.elapsed(),
    }
}

impl Ended {
    /// The run must have ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// All of these words must have been printed.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        let all = format!("{}\n{}", self.out, self.err);
        for word in words {
            assert!(all.contains(word), "{word:?} is missing in\n{all}");
        }
        self
    }

    /// The events of `--output json`.
    pub fn events(&self) -> Vec<Value> {
        let parse = |line: &str| {
            let event: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error} in {line:?}\n{}", self.err));
            assert!(
                event["event"].is_string() && event["time"].is_number(),
                "{line}"
            );
            event
        };
        self.out.lines().map(parse).collect()
    }

    /// The last event, which must be the only summary.
    #[track_caller]
    pub fn summary(&self) -> Value {
        let events = self.events();
        let count = events
            .iter()
            .filter(|event| event["event"] == "summary")
            .count();
        let last = events.last().cloned().unwrap_or_default();
        assert!(
            count == 1 && last["event"] == "summary",
            "{}\n{}",
            self.out,
            self.err
        );
        last
    }
}
