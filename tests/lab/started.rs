//! Runs that something happens to while they are under way.

use super::lab::Lab;
use super::provision::{Ended, command};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A run under way, with `--output json`.
pub struct Started {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    began: Instant,
}

impl Lab {
    /// Starts `provision INVENTORY --output json …`.
    pub fn start(&self, words: &[&str]) -> Started {
        let mut command = command(self);
        command.arg(self.inventory()).args(["--output", "json"]);
        Started::spawn(command.args(words))
    }
}

impl Started {
    /// Starts a command that prints JSON lines.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
            began: Instant::now(),
        }
    }

    /// Waits for an event; `None` when the run ends without it.
    pub fn event(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Option<Value> {
        // The deadline of a run that hangs; every step has a shorter one.
        let deadline = Instant::now() + Duration::from_secs(900);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let event = serde_json::from_str(&line).unwrap();
                    self.seen.push(line);
                    if wanted(&event) {
                        return Some(event);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("the run hangs: {:#?}", self.seen),
            }
        }
    }

    /// Waits until a step begins.
    #[track_caller]
    pub fn step(&mut self, id: &str, host: &str) {
        let begins = |event: &Value| {
            event["event"] == "step_started"
                && event["host"] == host
                && event["id"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(id))
        };
        if self.event(begins).is_none() {
            let mut err = String::new();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut err);
            panic!("{id} never began on {host}: {:#?}\n{err}", self.seen);
        }
    }

    /// Sends a signal to the program alone.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        self.event(|_| false);
        let mut err = String::new();
        let _ = self.child.stderr.take().unwrap().read_to_string(&mut err);
        let status = self.child.wait().unwrap();
        Ended {
            code: status.code(),
            out: self.seen.join("\n"),
            err,
            took: self.began.elapsed(),
        }
    }
}
