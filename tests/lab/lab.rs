//! A lab of its own for a test, taken down at the end whatever happens.

use super::scenario::note;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A running lab.
pub struct Lab {
    name: String,
    /// Of its hosts, the first one first.
    names: Vec<String>,
    /// Inventories, logs and what else a test writes.
    pub files: TempDir,
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.last_words();
        }
        if std::env::var_os("PROVISION_LAB_KEEP").is_none() {
            let _ = self.command("down", &[]).output();
        } else {
            // Its inventory and the logs of the runs, which tell how it came to be.
            self.files.disable_cleanup(true);
        }
    }
}

impl Lab {
    /// Makes a lab of blank hosts.
    pub fn up(kind: &str, hosts: usize) -> Self {
        let names: Vec<String> = (1..=hosts).map(name_of).collect();
        Self::made(kind, &names, &[])
    }

    /// The same with other names, in another network.
    pub fn elsewhere(kind: &str, names: &[&str], network: &str) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Self::made(kind, &names, &["--network", network])
    }

    /// Each of `wanted` is a name, or `name=address`.
    fn made(kind: &str, wanted: &[String], words: &[&str]) -> Self {
        let name = |host: &String| host.split('=').next().unwrap_or_default().to_owned();
        let lab = Self {
            name: format!("ci-{kind}-{}", std::process::id()),
            names: wanted.iter().map(name).collect(),
            files: TempDir::new().unwrap(),
        };
        let wanted = wanted.join(",");
        lab.run("up", &[&["--names", &wanted], words].concat());
        lab
    }

    /// Makes a lab and a swarm of its hosts.
    pub fn converged(kind: &str, hosts: usize) -> Self {
        let lab = Self::up(kind, hosts);
        lab.provision(&[]).expect(0);
        lab
    }

    /// The lab's program: `make test-lab` builds it.
    pub fn program() -> PathBuf {
        let built = || {
            let product = Path::new(env!("CARGO_BIN_EXE_provision"));
            product.with_file_name("lab")
        };
        let path = std::env::var_os("PROVISION_LAB").map_or_else(built, PathBuf::from);
        assert!(
            path.is_file(),
            "there is no {}: `cargo build --workspace` makes it",
            path.display()
        );
        std::path::absolute(path).unwrap()
    }

    /// The numbers of its hosts.
    pub fn hosts(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.names.len()
    }

    /// The command-line words that name the lab to its program.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of a host.
    pub fn host(&self, host: usize) -> &str {
        &self.names[host - 1]
    }

    /// The folder with the lab's key and known_hosts.
    pub fn state(&self) -> PathBuf {
        let home = std::env::var_os("LAB_HOME").map(PathBuf::from);
        home.unwrap_or_else(|| "/var/lib/provision-lab".into())
            .join(&self.name)
    }

    fn command(&self, verb: &str, words: &[&str]) -> Command {
        let mut command = Command::new(Self::program());
        command.arg(verb).args(["--name", &self.name]).args(words);
        command
    }

    /// Runs a verb that must succeed; what it printed.
    pub fn run(&self, verb: &str, words: &[&str]) -> String {
        let output = self.command(verb, words).output().unwrap();
        succeeded(&format!("lab {verb} {words:?}"), &output)
    }

    /// Runs a verb that is about no lab; what it printed.
    pub fn run_bare(&self, verb: &str, words: &[&str]) -> String {
        let mut command = Command::new(Self::program());
        let output = command.arg(verb).args(words).output().unwrap();
        succeeded(&format!("lab {verb} {words:?}"), &output)
    }

    /// Runs a script as root on a host, past ssh and the program under test. It must succeed.
    pub fn sh(&self, host: usize, script: &str) -> String {
        let output = self.try_sh(host, script);
        succeeded(&format!("on host {host}: {script}"), &output)
    }

    /// Copies a folder of this machine to a host.
    pub fn send(&self, host: usize, folder: &Path, to: &str) {
        let mut packed = Command::new("tar")
            .args(["-C", folder.to_str().unwrap(), "-c", "."])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let script = format!("mkdir -p {to} && tar -C {to} -x");
        let words = [&*name_of(host), "--", "bash", "-c", &script];
        let mut command = self.command("exec", &words);
        let output = command
            .stdin(packed.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(packed.wait().unwrap().success());
        succeeded(&format!("to host {host}: {}", folder.display()), &output);
    }

    /// As [`Lab::sh`], and it may fail.
    pub fn try_sh(&self, host: usize, script: &str) -> Output {
        let words = [self.host(host), "--", "bash", "-c", script];
        self.command("exec", &words).output().unwrap()
    }

    /// Prints what each host tells of itself: a test has failed, and its hosts go.
    fn last_words(&self) {
        for name in &self.names {
            let script = include_str!("last_words.sh");
            let words = [name, "--", "timeout", "120", "bash", "-c", script];
            let Ok(told) = self.command("exec", &words).output() else {
                continue;
            };
            let told = [told.stdout, told.stderr].concat();
            note(&format!("the last words of {name}:"));
            note(&String::from_utf8_lossy(&told));
        }
    }

    /// Runs a script on all hosts at once; what each printed.
    pub fn sh_all(&self, script: &str) -> Vec<String> {
        std::thread::scope(|scope| {
            let runs: Vec<_> = self
                .hosts()
                .map(|host| scope.spawn(move || self.sh(host, script)))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        })
    }
}

fn succeeded(what: &str, output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{out}{err}",
        output.status
    );
    out
}

/// `ke2-server1`
pub fn name_of(host: usize) -> String {
    format!("ke2-server{host}")
}

/// `10.20.0.1`
pub fn address_of(host: usize) -> String {
    format!("10.20.0.{host}")
}
