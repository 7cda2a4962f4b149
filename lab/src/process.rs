//! Running other programs, and telling processes apart.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Where the machine's programs are looked for, whatever the caller's PATH says.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program of the machine.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

/// This program once more, even when its file was replaced in the meantime.
pub fn this_program() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.stdin(Stdio::null());
    command
}

/// Closes what the caller of this program left open. A process that stays would hold it as long as it runs: a
/// lock, or a pipe that somebody reads to its end. Nothing of this process's own may be open yet.
pub fn close_inherited() -> Result<()> {
    let open = fs::read_dir("/proc/self/fd").context("cannot see which files are open")?;
    let inherited: Vec<i32> = open
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in inherited {
        // The folder's own is among them, and is closed by now.
        let _ = nix::unistd::close(fd);
    }
    Ok(())
}

/// Runs a command to its end and returns what it printed; a failure says what it printed, too.
pub fn run(command: &mut Command) -> Result<String> {
    finish(command, None)
}

/// Like [`run`], with `input` on the command's standard input.
pub fn run_with_input(command: &mut Command, input: &str) -> Result<String> {
    finish(command, Some(input))
}

fn finish(command: &mut Command, input: Option<&str>) -> Result<String> {
    let shown = shown(command);
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{shown}`"))?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        pipe.write_all(input.as_bytes())
            .with_context(|| format!("`{shown}` does not read its input"))?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "`{shown}` failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A process, told from a later one of the same number by its start time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProcessId {
    /// Process number in the machine's PID namespace.
    pub pid: i32,
    /// Clock ticks between the machine's boot and the process's start (proc(5), field 22 of stat).
    pub start: u64,
}

impl ProcessId {
    /// The running process of that number.
    pub fn of(pid: i32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("there is no process {pid}"))?;
        let start = start_time(&stat).with_context(|| format!("cannot read /proc/{pid}/stat"))?;
        Ok(Self { pid, start })
    }

    /// Whether this very process still runs (a zombie does not).
    pub fn alive(self) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", self.pid)).is_ok_and(|stat| {
            let zombie = stat
                .rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']));
            !zombie && start_time(&stat) == Some(self.start)
        })
    }

    /// Writes the process down.
    pub fn save(self, path: &Path) -> Result<()> {
        fs::write(path, serde_json::to_string(&self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The process written down at `path`, if it still runs.
    pub fn load(path: &Path) -> Option<Self> {
        let id: Self = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
        id.alive().then_some(id)
    }
}

/// The 22nd field; the second, a program's name in parentheses, may hold anything.
fn start_time(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

/// Waits until `done` holds, at most `limit`; says whether it came to hold.
pub fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_found_behind_an_odd_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        assert_eq!(start_time(stat), Some(4242));
    }

    #[test]
    fn a_process_is_itself_and_not_its_predecessor() {
        let me = ProcessId::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(me.alive());
        assert!(
            !ProcessId {
                start: me.start + 1,
                ..me
            }
            .alive()
        );
    }

    #[test]
    fn a_failure_says_what_the_program_said() {
        let error = run(tool("sh").args(["-c", "echo no such luck >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("no such luck"), "{error}");
    }
}
