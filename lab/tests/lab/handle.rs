//! A handle on a lab of the test's own, and what of it can be seen on the machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A lab of a name of its own, removed at the end whatever happens.
pub struct Lab {
    name: String,
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.command("down", &[]).output();
    }
}

impl Lab {
    pub fn new(kind: &str) -> Self {
        Self {
            name: format!("labtest-{kind}-{}", std::process::id()),
        }
    }

    fn command(&self, verb: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.arg(verb).args(["--name", &self.name]).args(words);
        command
    }

    pub fn try_run(&self, verb: &str, words: &[&str]) -> Output {
        self.command(verb, words).output().unwrap()
    }

    /// Runs a verb that must succeed; what it printed.
    pub fn run(&self, verb: &str, words: &[&str]) -> String {
        let output = self.try_run(verb, words);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "lab {verb} {words:?}: {}\n{out}{err}",
            output.status
        );
        out.into_owned()
    }

    /// Runs a verb that must succeed, from a caller that holds a lock and lets it be inherited.
    pub fn run_under_lock(&self, lock: &Path, verb: &str, words: &[&str]) {
        let run = self.command(verb, words);
        let status = Command::new("flock")
            .arg(lock)
            .arg(run.get_program())
            .args(run.get_args())
            .status();
        assert!(status.unwrap().success(), "lab {verb} {words:?}");
    }

    pub fn ssh(&self, host: &str, script: &str) -> String {
        self.run("ssh", &[host, script])
    }

    pub fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.run("status", &["--format", "json"])).unwrap()
    }

    pub fn on(&self, host: usize) -> bool {
        self.status()["hosts"][host - 1]["on"].as_bool().unwrap()
    }

    pub fn state(&self) -> PathBuf {
        let home = std::env::var_os("LAB_HOME")
            .map_or_else(|| "/var/lib/provision-lab".into(), PathBuf::from);
        home.join(&self.name)
    }

    /// Everything on the machine that bears the lab's name.
    pub fn traces(&self) -> BTreeSet<String> {
        let mut traces = BTreeSet::new();
        let mut note = |what: &str, text: &str| {
            if text.contains(&self.name) {
                traces.insert(format!("{what}: {text}"));
            }
        };
        for line in fs::read_to_string("/proc/self/mounts").unwrap().lines() {
            note("mount", line);
        }
        for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
            note("namespace", &entry.file_name().to_string_lossy());
        }
        for group in directories(Path::new("/sys/fs/cgroup")) {
            note("control group", &group.to_string_lossy());
        }
        for loop_device in fs::read_dir("/sys/block").unwrap().flatten() {
            let file = fs::read_to_string(loop_device.path().join("loop/backing_file"))
                .unwrap_or_default();
            note("loop device", &file);
        }
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
            note(
                "process",
                &String::from_utf8_lossy(&words).replace('\0', " "),
            );
        }
        for entry in fs::read_dir(self.state().parent().unwrap())
            .into_iter()
            .flatten()
            .flatten()
        {
            note("state", &entry.file_name().to_string_lossy());
        }
        traces
    }
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let children = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    children
        .flat_map(|child| directories(&child.path()).into_iter().chain([child.path()]))
        .collect()
}
