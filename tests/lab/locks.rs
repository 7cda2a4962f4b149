//! Two runs at once, and holders of the lock that die.

use super::access::untouched;
use super::lab::Lab;
use super::provision::command;
use super::started::Started;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// A dead holder blocks others for this long at most (DESIGN §9, ruling 8).
const DEAD: Duration = Duration::from_secs(30);

/// What a run takes beside waiting, on a busy machine.
const SLACK: Duration = Duration::from_secs(25);

/// Marks the processes of a holder, ssh and its proxy among them: their environment has it.
const MARK: &str = "PROVISION_LAB_TEST_HOLDER";

/// A run that holds the lock for a while: one step sleeps on host 1.
fn holder(lab: &Lab, name: &str, seconds: u64) -> Started {
    let playbook = lab.files.path().join(format!("{name}.yml"));
    let text = format!(
        "- name: slow\n  hosts: ke2-server1\n  tasks:\n    - name: slow\n      shell: {{ cmd: sleep {seconds}; touch /root/{name}, creates: /root/{name} }}\n"
    );
    fs::write(&playbook, text).unwrap();
    let mut command = command(lab);
    command.env(MARK, name).arg(lab.inventory());
    command.args(["--output", "json", "--playbook"]);
    let mut run = Started::spawn(command.arg(playbook));
    run.step("", "ke2-server1");
    run
}

/// Something to do, so that a run needs the lock.
fn close_port(lab: &Lab) {
    lab.sh(2, "firewall-cmd -q --zone=public --remove-port=7946/udp");
}

fn port_open(lab: &Lab) -> bool {
    lab.sh(
        2,
        "firewall-cmd --zone=public --query-port=7946/udp || true",
    ) == "yes\n"
}

/// The second run leaves, and says who is at work; or it waits. Looking is free.
pub fn two_runs(lab: &Lab) {
    close_port(lab);
    let held = Duration::from_secs(25);
    let first = holder(lab, "first", held.as_secs());
    let refused = lab.provision(&[]).expect(3);
    assert!(refused.took < held, "{:?}", refused.took);
    let who = format!("(pid {}) since 20", first.pid());
    let refused = refused.says(&[
        "Error: another run is under way: ke2-server",
        &who,
        "nothing was changed",
        "--lock-timeout",
    ]);
    let holder = refused.err.split("under way: ").nth(1).unwrap();
    assert!(holder.contains('@'), "{holder}");
    assert!(!port_open(lab), "the second run has changed nothing");
    lab.provision(&["--dry-run"]).expect(0);
    lab.verb("plan", &[]).expect(0);
    let waited = lab.provision(&["--lock-timeout", "120"]).expect(0).says(&[
        "waiting up to 120 s for another run",
        &who,
        "done and verified: 1 changes",
    ]);
    assert!(waited.took > Duration::from_secs(3), "{:?}", waited.took);
    first.end().expect(0);
    assert_eq!(lab.sh(1, "ls /root/first"), "/root/first\n");
    untouched(lab);
}

/// The holder is killed.
pub fn killed_holder(lab: &Lab) {
    close_port(lab);
    let first = holder(lab, "killed", 600);
    first.signal("-KILL");
    blocks_shortly(lab);
    assert_eq!(first.end().code, None);
    no_sleep(lab);
}

/// The holder's machine loses power: all of its processes stop, and no connection is closed.
pub fn silent_holder(lab: &Lab) {
    close_port(lab);
    let first = holder(lab, "silent", 600);
    let family = marked("silent");
    assert!(family.len() >= 4, "the run and its connections: {family:?}");
    signal("-STOP", &family);
    blocks_shortly(lab);
    signal("-KILL", &family);
    assert_eq!(first.end().code, None);
    no_sleep(lab);
}

fn blocks_shortly(lab: &Lab) {
    let died = Instant::now();
    let second = lab.provision(&["--lock-timeout", "120"]).expect(0);
    let took = died.elapsed();
    assert!(
        took < DEAD + SLACK,
        "a dead holder blocked for {took:?}\n{}",
        second.out
    );
    assert!(port_open(lab));
    untouched(lab);
}

/// The step of the dead run was ended before the lock fell: nothing of it goes on beside the next run.
fn no_sleep(lab: &Lab) {
    let left = lab.sh(1, "pgrep -fa '^sleep 600' || true");
    assert_eq!(left, "");
}

/// The processes of a holder.
fn marked(name: &str) -> Vec<String> {
    let wanted = format!("{MARK}={name}");
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        if environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == wanted.as_bytes())
        {
            found.push(process.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

fn signal(signal: &str, processes: &[String]) {
    // Some may have ended meanwhile.
    let _ = Command::new("kill").arg(signal).args(processes).output();
}
