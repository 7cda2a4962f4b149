//! What a person at a terminal sees, and what a pipe gets.

use super::access::untouched;
use super::inventory::Inventory;
use super::lab::{Lab, name_of};
use super::provision::{Ended, command};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs with a terminal for all of standard input, output and error (util-linux's `script`).
/// Once `answer.0` is shown, `answer.1` is typed.
fn on_terminal(lab: &Lab, inventory: &Path, words: &str, answer: Option<(&str, &str)>) -> Ended {
    let program = env!("CARGO_BIN_EXE_provision");
    let line = format!(
        "stty cols 72 rows 24; exec {program} {} {words}",
        inventory.display()
    );
    let plain = command(lab);
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.current_dir(plain.get_current_dir().unwrap());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let began = Instant::now();
    let mut child = script
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut waiting = answer;
    let mut shown = Vec::new();
    let mut part = [0; 4096];
    loop {
        match screen.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(length) => shown.extend_from_slice(&part[..length]),
        }
        let text = String::from_utf8_lossy(&shown);
        if let Some((_, typed)) = waiting.take_if(|(question, _)| text.contains(*question)) {
            keyboard.write_all(typed.as_bytes()).unwrap();
        }
    }
    Ended {
        code: child.wait().unwrap().code(),
        out: String::from_utf8_lossy(&shown).into_owned(),
        err: String::new(),
        took: began.elapsed(),
    }
}

/// Bars and colours on a terminal, lines without control characters in a pipe.
pub fn bars(lab: &Lab) {
    let close = "firewall-cmd -q --zone=public --remove-port=7946/udp";
    lab.sh(1, close);
    let shown = on_terminal(lab, &lab.inventory(), "", None).expect(0);
    for words in [
        "\x1b[1mfirewall\x1b[0m",
        "0/1 steps",
        "firewall/open-now/7946/udp: done in",
        "done and verified: 1 changes",
    ] {
        assert!(shown.out.contains(words), "{words:?} in {:?}", shown.out);
    }
    lab.sh(1, close);
    let piped = lab.provision(&[]).expect(0);
    let text = format!("{}{}", piped.out, piped.err);
    assert!(
        text.contains("firewall/open-now/7946/udp: done in"),
        "{text}"
    );
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(control), "{text:?}");
    lab.sh(1, close);
    let quiet = lab.provision(&["--quiet"]).expect(0);
    assert!(!quiet.out.contains("looking at"), "{}", quiet.out);
    untouched(lab);
}

/// An unknown host key is asked about, one host at a time; only `yes` is a yes.
pub fn key_questions(lab: &Lab) {
    let known = lab.files.path().join("asked");
    let all = std::fs::read_to_string(lab.state().join("known_hosts")).unwrap();
    let others: String = all
        .lines()
        .filter(|line| !line.starts_with(&format!("{},", name_of(2))))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&known, &others).unwrap();
    let inventory = Inventory::of(lab)
        .var("known_hosts_file", known.to_str().unwrap())
        .write(lab, "asked.yml");
    let key = lab.sh(2, "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    let key = key.split(' ').nth(1).unwrap();
    let question = [
        "ke2-server2 (rocky@10.20.0.2) is not known. It shows the ssh-ed25519 key",
        key,
        "Is this its key? (yes/no)",
    ];
    on_terminal(lab, &inventory, "", Some(("(yes/no) ", "no\n")))
        .expect(4)
        .says(&question);
    assert_eq!(std::fs::read_to_string(&known).unwrap(), others);
    on_terminal(lab, &inventory, "", Some(("(yes/no) ", "yes\n")))
        .expect(0)
        .says(&question);
    lab.provision_with(&inventory, &[]).expect(0);
}

/// The sudo password is asked for, and is not shown.
pub fn password_question(lab: &Lab) {
    let inventory = Inventory::of(lab)
        .var("ansible_user", "admin")
        .write(lab, "asked-password.yml");
    let answer = ("sudo password: ", "lab-admin-password\n");
    let ended = on_terminal(lab, &inventory, "--ask-become-pass", Some(answer));
    let ended = ended.expect(0).says(&["nothing to do"]);
    assert!(!ended.out.contains("lab-admin-password"), "{}", ended.out);
}
