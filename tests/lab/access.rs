//! Hosts that cannot be connected to, or not as root: each has its own message, and the others are converged.

use super::inventory::Inventory;
use super::lab::{Lab, address_of, name_of};
use super::plan::{step, steps};
use super::provision::{Ended, command, run};
use super::watch::Watch;
use std::collections::BTreeSet;
use std::path::Path;

/// A host whose sshd is stopped, and one whose sshd accepts and says nothing.
pub fn refused_and_hanging(lab: &Lab) {
    lab.sh(2, "systemctl stop sshd");
    lab.sh(3, "kill -STOP $(systemctl show -P MainPID sshd)");
    let run = lab.provision(&["--connect-timeout", "6"]).expect(4);
    assert!(run.took.as_secs() < 60, "{:?}", run.took);
    run.says(&[
        "could not connect to rocky@10.20.0.2: ",
        "Connection refused",
        "could not connect to rocky@10.20.0.3: timed out while waiting for the ssh handshake",
        "nothing to do, 2 unreachable",
    ]);
    // The swarm is well, but nobody can say so of these two.
    lab.verb("status", &["--connect-timeout", "6"]).expect(3);
    lab.sh(3, "kill -CONT $(systemctl show -P MainPID sshd)");
    lab.sh(2, "systemctl start sshd");
    untouched(lab);
}

/// Power loss: unreachable in a bounded time; back again, all is well.
pub fn no_route(lab: &Lab) {
    lab.run("kill", &[&name_of(3)]);
    let run = lab.provision(&["--output", "json"]).expect(4);
    assert!(run.took.as_secs() < 90, "{:?}", run.took);
    let summary = run.summary();
    assert_eq!(summary["outcome"], "unreachable");
    for host in lab.hosts() {
        assert_eq!(summary["hosts"][name_of(host)]["unreachable"], host == 3);
    }
    let why = run.plan()["unreachable"][name_of(3)].clone();
    let why = why.as_str().unwrap();
    assert!(
        why.contains("No route to host") || why.contains("timed out while waiting for"),
        "{why}"
    );
    lab.verb("status", &[])
        .expect(3)
        .says(&["can lose 1 more host: no, because 3 managers, 2 healthy, quorum 2"]);
    lab.run("start", &[&name_of(3)]);
    super::scenario::eventually("the host is a manager again", || {
        lab.verb("status", &[]).code == Some(0)
    });
    untouched(lab);
}

/// Keys that are unknown and keys that have changed, accepted one host at a time.
pub fn host_keys(lab: &Lab) {
    let known = lab.files.path().join("known_hosts");
    let all = std::fs::read_to_string(lab.state().join("known_hosts")).unwrap();
    let lines_of = |host: usize| -> Vec<&str> {
        let lines = all.lines().filter(|line| {
            let names = line.split(' ').next().unwrap();
            names.split(',').any(|name| name == name_of(host))
        });
        lines.collect()
    };
    // The keys of host 1 stand for an old machine 3; nothing is known of host 2.
    let old = lines_of(1).join("\n").replace(&name_of(1), &name_of(3));
    let old = old.replace(&address_of(1), &address_of(3));
    let before = format!("{}\n{old}\n", lines_of(1).join("\n"));
    std::fs::write(&known, &before).unwrap();
    let inventory = Inventory::of(lab)
        .var("known_hosts_file", known.to_str().unwrap())
        .write(lab, "keys.yml");
    let shown = |host: usize| {
        let script = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";
        let line = lab.sh(host, script);
        line.split(' ').nth(1).unwrap().to_owned()
    };
    let unknown = format!(
        "could not connect to rocky@10.20.0.2: its host key is not known; it shows ssh-ed25519 {}",
        shown(2)
    );
    let changed = format!(
        "could not connect to rocky@10.20.0.3: its host key has changed; it now shows ssh-ed25519 {}",
        shown(3)
    );
    lab.provision_with(&inventory, &[]).expect(4).says(&[
        &unknown,
        &changed,
        "--accept-new-key ke2-server2",
    ]);
    assert_eq!(std::fs::read_to_string(&known).unwrap(), before);
    let one = lab
        .provision_with(&inventory, &["--accept-new-key", "ke2-server2"])
        .expect(4)
        .says(&[&changed]);
    assert!(!one.out.contains(&unknown));
    lab.provision_with(&inventory, &["--accept-new-key", "ke2-server3"])
        .expect(0)
        .says(&["nothing to do: 0 changes"]);
    lab.provision_with(&inventory, &[]).expect(0);
    let after = std::fs::read_to_string(&known).unwrap();
    let key = old.split_whitespace().nth(2).unwrap();
    assert_eq!(
        after.matches(key).count(),
        1,
        "the old key of host 3 is off the record"
    );
    lab.provision_with(&inventory, &["--accept-new-key", "ke2-server9"])
        .expect(64)
        .says(&["--accept-new-key ke2-server9: the inventory has no such host"]);
}

/// Logins and passwords that are refused: nothing is changed, and no password is shown anywhere.
pub fn privileges(lab: &Lab) {
    const RIGHT: &str = "lab-admin-password";
    const WRONG: &str = "not-the-password-4711";
    const OTHERS: &str = "password-of-nosudo-4711";
    lab.sh(2, &format!("echo nosudo:{OTHERS} | chpasswd"));
    let watch = Watch::start(&[RIGHT, WRONG, OTHERS]);
    let mut runs: Vec<Ended> = Vec::new();
    let with = |inventory: Inventory| lab.provision_with(&inventory.write(lab, "user.yml"), &[]);
    let users = Inventory::of(lab)
        .host_var(2, "ansible_user", "nobody")
        .host_var(3, "ansible_user", "admin");
    runs.push(with(users).expect(4).says(&[
        "could not connect to nobody@10.20.0.2: the host refused the login",
        "could not become privileged after logging in to admin@10.20.0.3: sudo wants a password",
        "--ask-become-pass",
    ]));
    let passwords = Inventory::of(lab)
        .host_var(2, "ansible_user", "nosudo")
        .host_var(2, "ansible_become_password", OTHERS)
        .host_var(3, "ansible_user", "admin")
        .host_var(3, "ansible_become_password", WRONG);
    runs.push(with(passwords).expect(4).says(&[
        "could not become privileged after logging in to nosudo@10.20.0.2: sudo refused (nosudo is not in the sudoers file",
        "could not become privileged after logging in to admin@10.20.0.3: sudo did not accept the password",
    ]));
    let right = Inventory::of(lab)
        .var("ansible_user", "admin")
        .var("ansible_become_password", RIGHT);
    runs.push(with(right).expect(0).says(&["nothing to do: 0 changes"]));
    let admin = Inventory::of(lab)
        .var("ansible_user", "admin")
        .write(lab, "admin.yml");
    let asked = |password: &str| {
        let mut command = command(lab);
        command.arg(&admin).arg("--ask-become-pass");
        run(&mut command, format!("{password}\n").as_bytes())
    };
    runs.push(asked(WRONG).expect(3).says(&[
        "after logging in to admin@10.20.0.1: sudo did not accept the password",
        "3 unreachable",
    ]));
    runs.push(asked(RIGHT).expect(0).says(&["nothing to do: 0 changes"]));
    let seen: BTreeSet<String> = watch.stop();
    // The watch itself is seen by nobody: the password of `chpasswd` above was set before it began.
    assert_eq!(seen, BTreeSet::new());
    let logs = logs(&lab.files.path().join("state"));
    assert!(logs.contains("admin@10.20.0.3"), "the runs are in the logs");
    for secret in [RIGHT, WRONG, OTHERS] {
        assert!(!logs.contains(secret));
        for run in &runs {
            assert!(!run.out.contains(secret) && !run.err.contains(secret));
        }
    }
    untouched(lab);
}

/// A machine that is blank, with the name and address of a lost one: its key is accepted, and it takes the place.
pub fn replaced(lab: &Lab) {
    lab.run("replace", &[&name_of(3)]);
    lab.provision(&[]).expect(4).says(&[
        "could not connect to rocky@10.20.0.3: its host key has changed",
        "If the host was reinstalled",
    ]);
    let accept = ["--accept-new-key", "ke2-server3", "--output", "json"];
    let dry = lab
        .provision(&[&accept[..], &["--dry-run"]].concat())
        .expect(0);
    let mut wanted: BTreeSet<_> = super::blank::ON_EACH
        .iter()
        .map(|(id, class)| step(id, 3, class))
        .collect();
    for (id, class) in super::drift::LEFT {
        wanted.insert(step(&id.replace("HOST", &name_of(3)), 3, class));
    }
    assert_eq!(steps(&dry.plan()), wanted);
    // The versions that its peers run, not whatever is newest by then.
    assert!(dry.out.contains("docker-ce-3:26.1.5-1.el9"), "{}", dry.out);
    let run = lab.provision(&["--paranoid", "--output", "json"]).expect(0);
    assert_eq!(run.done(), wanted);
    super::apply::three_managers(lab);
    untouched(lab);
}

/// All hosts answer and nothing is to be done.
pub fn untouched(lab: &Lab) {
    let run = lab.provision(&["--output", "json"]).expect(0);
    assert_eq!(run.summary()["outcome"], "converged", "{}", run.out);
}

fn logs(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder.join("provision"))
        .unwrap()
        .flatten()
    {
        all += &std::fs::read_to_string(entry.path()).unwrap();
    }
    all
}
