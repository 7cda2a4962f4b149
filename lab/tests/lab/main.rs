//! A real lab of two hosts, made and removed. Needs root and a few gigabytes of disk.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod containers;
mod handle;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use handle::Lab;

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !holds() {
        assert!(
            Instant::now() < deadline,
            "still not so after 180 s: {what}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_lab_from_up_to_down() {
    let lab = Lab::new("v2");
    locked_caller(&lab);
    el9(&lab);
    fence(&lab, "ke2-server1");
    shared(&lab);
    faults(&lab);
    power(&lab);
    replacement(&lab);
    snapshots(&lab);
    assert!(!lab.traces().is_empty());
    lab.run("down", &[]);
    assert_eq!(lab.traces(), BTreeSet::new());
    lab.run("down", &[]);
}

#[test]
fn version_1_control_groups_limit_memory_behind_the_fence() {
    let lab = Lab::new("v1");
    let site = ["--network", "10.40.0.0/23", "--names", "db-a=10.40.1.7"];
    lab.run("up", &[&["--cgroup", "v1"], &site[..]].concat());
    other_site(&lab);
    fence(&lab, "db-a");
    let limit = "sudo mkdir /sys/fs/cgroup/memory/probe && echo 8388608 | sudo tee /sys/fs/cgroup/memory/probe/memory.limit_in_bytes";
    assert_eq!(lab.ssh("db-a", limit).trim(), "8388608");
    // What runc writes for every container; the fence must not stand in its way.
    let runc = "sudo sh -ec 'cd /sys/fs/cgroup/devices; mkdir probe; cd probe; echo a >devices.deny; echo \"b *:* m\" >devices.allow'";
    lab.ssh("db-a", runc);
    // As after a crash: the state is lost, and the name alone must do.
    fs::remove_dir_all(lab.state().join("hosts/db-a/upper/var")).unwrap();
    fs::remove_file(lab.state().join("lab.json")).unwrap();
    lab.run("down", &[]);
    assert_eq!(lab.traces(), BTreeSet::new());
}

/// What stays of `lab up` and of `lab start` holds nothing that their caller had open.
fn locked_caller(lab: &Lab) {
    let lock = std::env::temp_dir().join(format!("labtest-lock-{}", std::process::id()));
    let free = || {
        let mut flock = Command::new("flock");
        flock.arg("-n").arg(&lock).arg("true");
        flock.status().unwrap().success()
    };
    lab.run_under_lock(&lock, "up", &["--hosts", "2"]);
    assert!(free(), "a daemon of `lab up` holds the lock");
    lab.run("kill", &["ke2-server2"]);
    lab.run_under_lock(&lock, "start", &["ke2-server2"]);
    assert!(free(), "a daemon of `lab start` holds the lock");
    fs::remove_file(lock).unwrap();
}

/// What a provisioner looks at first is as on EL9.
fn el9(lab: &Lab) {
    let seen = lab.ssh(
        "ke2-server1",
        ". /etc/os-release; echo $ID $VERSION_ID $PLATFORM_ID; hostname; systemctl is-system-running --wait; \
         systemctl is-active sshd firewalld chronyd; sudo firewall-cmd --get-active-zones; rpm -q firewalld; \
         rpm -q docker-ce; stat -c %m /tmp; cat /proc/net/if_inet6 | grep -c eth0 || true",
    );
    let wanted = "rocky 9.4 platform:el9\nke2-server1\nrunning\nactive\nactive\nactive\n\
                  public (default)\n  interfaces: eth0\nfirewalld-1.3.4-1.el9.noarch\n\
                  package docker-ce is not installed\n/\n0\n";
    assert_eq!(seen, wanted);
    // Another user needs the password, a third has no right at all.
    let config = lab.state().join("ssh_config");
    for (user, words) in [
        ("admin", "a password is required"),
        ("nosudo", "a password is required"),
    ] {
        let refused = Command::new("ssh")
            .arg("-F")
            .arg(&config)
            .args(["-l", user, "ke2-server1", "sudo -n true"])
            .output()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains(words),
            "{user}: {refused:?}"
        );
    }
    // Packages come signed, under the upstream addresses, in two versions.
    let versions = lab.ssh(
        "ke2-server1",
        "sudo curl -sSf -o /etc/yum.repos.d/docker-ce.repo https://download.docker.com/linux/centos/docker-ce.repo; \
         sudo dnf -q -y repoquery --qf '%{name}-%{version}' docker-ce 2>/dev/null",
    );
    assert_eq!(versions.lines().count(), 2, "{versions}");
    lab.ssh(
        "ke2-server1",
        "sudo dnf -q -y install docker-buildx-plugin && rpm -q docker-buildx-plugin",
    );
    assert!(
        lab.run("mirror-log", &[])
            .contains("download.docker.com \"GET /linux/centos/docker-ce.repo")
    );
}

/// Root of a host gets at none of the machine's disks, clock or kernel.
fn fence(lab: &Lab, host: &str) {
    // It may try to lift the fence, and is told that it did; what holds is the group above.
    let lift = "mkdir -p /run/d; mount -t cgroup -o devices none /run/d; echo a >/run/d/devices.allow; umount /run/d";
    lab.ssh(host, &format!("sudo sh -c '{lift}'"));
    for entry in fs::read_dir("/sys/class/block").unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("loop") {
            continue;
        }
        let numbers = fs::read_to_string(entry.path().join("dev")).unwrap();
        let (major, minor) = numbers.trim().split_once(':').unwrap();
        let script = format!(
            "rm -f /root/disk; mknod /root/disk b {major} {minor}; dd if=/root/disk of=/dev/null count=1"
        );
        let by_ssh = lab.try_run("ssh", &[host, &format!("sudo sh -c '{script}'")]);
        assert!(!by_ssh.status.success(), "{entry:?} could be read");
        let by_exec = lab.try_run("exec", &[host, "--", "sh", "-c", &script]);
        assert!(!by_exec.status.success(), "{entry:?} could be read");
        assert!(
            String::from_utf8_lossy(&by_exec.stderr).contains("not permitted"),
            "{by_exec:?}"
        );
        // The devices are there: it is the fence that hides them.
        assert!(fs::metadata(Path::new("/dev").join(entry.file_name())).is_ok());
    }
    assert!(
        !lab.try_run("ssh", &[host, "sudo date -s 2020-01-01"])
            .status
            .success()
    );
    let before = fs::read_to_string("/proc/sys/vm/swappiness").unwrap();
    lab.ssh(host, "sudo sysctl -w vm.swappiness=7");
    assert_eq!(
        fs::read_to_string("/proc/sys/vm/swappiness").unwrap(),
        before
    );
}

/// A host of another name in another network has what the others have.
fn other_site(lab: &Lab) {
    let seen = lab.ssh(
        "db-a",
        "hostname; ip -4 -br addr show eth0; ip route show default; cat /etc/resolv.conf",
    );
    for wanted in [
        "db-a\n",
        "10.40.1.7/23",
        "default via 10.40.1.254 ",
        "nameserver 10.40.1.254\n",
    ] {
        assert!(seen.contains(wanted), "{wanted}: {seen}");
    }
    lab.ssh(
        "10.40.1.7",
        "curl -sSf -o /dev/null https://download.docker.com/linux/centos/docker-ce.repo",
    );
    assert_eq!(lab.status()["hosts"][0]["address"], "10.40.1.7");
    assert!(
        !lab.try_run("up", &["--hosts", "1", "--cgroup", "v1"])
            .status
            .success()
    );
}

/// An address that moves between the hosts, and a directory from a file server outside them.
fn shared(lab: &Lab) {
    let (first, second) = ("ke2-server1", "ke2-server2");
    for (holder, other) in [(first, second), (second, first)] {
        lab.ssh(holder, "sudo ip addr add 10.20.0.100/24 dev eth0 && sudo arping -q -U -c 1 -w 1 -I eth0 10.20.0.100; true");
        let mac = if holder == first { "01" } else { "02" };
        lab.ssh(other, &format!("ping -q -c1 -W2 10.20.0.100 && ip neigh show 10.20.0.100 | grep -q 02:4b:45:32:00:{mac}"));
        lab.ssh(holder, "sudo ip addr del 10.20.0.100/24 dev eth0");
    }
    assert_eq!(lab.run("nfs-server", &[]), "10.20.0.254:/export\n");
    let mount = "sudo sh -ec 'dnf -q -y install nfs-utils; echo 10.20.0.254:/export /mnt nfs _netdev 0 0 >>/etc/fstab; mount /mnt' 2>&1";
    for host in [first, second] {
        lab.ssh(host, mount);
        assert_eq!(
            lab.ssh(host, "findmnt -n -o FSTYPE,SOURCE /mnt"),
            "fuse.nfs 10.20.0.254:/export\n"
        );
    }
    lab.ssh(first, "sudo sh -ec 'cd /mnt; dd if=/dev/urandom of=a bs=64k count=33 status=none; chown 26:26 a; chmod 640 a; mkdir -m 750 d; chown :7 d; ln -s a d/s; mv d e; sync; md5sum a >m'");
    let seen = lab.ssh(second, "sudo sh -ec 'cd /mnt; md5sum -c m; stat -c \"%n %a %u:%g %s\" a e; stat -c %u:%g .; readlink e/s; echo more >>a; rm m; ls'");
    assert_eq!(
        seen,
        "a: OK\na 640 26:26 2162688\ne 750 0:7 4096\n0:0\na\na\ne\n"
    );
    assert_eq!(lab.ssh(first, "sudo tail -c5 /mnt/a"), "more\n");
    for host in [first, second] {
        lab.ssh(
            host,
            "sudo sh -ec 'umount /mnt; sed -i /export/d /etc/fstab'",
        );
    }
}

fn faults(lab: &Lab) {
    let reaches = |from: &str, to: &str| {
        lab.try_run("ssh", &[from, &format!("ping -q -c1 -W1 {to}")])
            .status
            .success()
    };
    assert!(reaches("ke2-server1", "10.20.0.2"));
    lab.run("partition", &["ke2-server1", "ke2-server2"]);
    assert!(!reaches("ke2-server1", "10.20.0.2"));
    lab.run("heal", &[]);
    assert!(reaches("ke2-server1", "10.20.0.2"));
    lab.run("cut", &["ke2-server2"]);
    assert!(!reaches("ke2-server1", "10.20.0.2"));
    lab.run("mend", &["ke2-server2"]);
    eventually("the mended cable carries", || {
        reaches("ke2-server1", "10.20.0.2")
    });
    let nobody = lab.try_run("connect", &["10.20.0.250", "22"]);
    assert!(
        String::from_utf8_lossy(&nobody.stderr).contains("No route to host"),
        "{nobody:?}"
    );
    let fetch = "curl -sf -m 5 -o /dev/null https://dl.rockylinux.org/pub/rocky/9/BaseOS/x86_64/os/repodata/repomd.xml";
    lab.run("repo", &["ke2-server1", "down"]);
    assert!(!lab.try_run("ssh", &["ke2-server1", fetch]).status.success());
    lab.ssh("ke2-server2", fetch);
    lab.run("repo", &["all", "up"]);
    lab.ssh("ke2-server1", fetch);
}

fn power(lab: &Lab) {
    let boot = |host: &str| lab.ssh(host, "cat /proc/sys/kernel/random/boot_id");
    lab.ssh(
        "ke2-server2",
        "sudo touch /root/kept; sudo nft add table inet stale",
    );
    let first = boot("ke2-server2");
    lab.run("kill", &["ke2-server2"]);
    assert!(!lab.on(2) && lab.on(1));
    assert!(
        !lab.try_run("exec", &["ke2-server2", "true"])
            .status
            .success()
    );
    lab.run("start", &["ke2-server2"]);
    let second = boot("ke2-server2");
    assert_ne!(first, second);
    lab.ssh(
        "ke2-server2",
        "sudo test -e /root/kept && ! sudo nft list table inet stale 2>/dev/null",
    );
    // A host that reboots itself comes back, twice; one that switches itself off stays off.
    let mut last = second;
    for _ in 0..2 {
        let _ = lab.try_run("ssh", &["ke2-server2", "sudo reboot"]);
        eventually("the host has rebooted", || {
            let output = lab.try_run(
                "ssh",
                &["ke2-server2", "cat /proc/sys/kernel/random/boot_id"],
            );
            output.status.success() && String::from_utf8_lossy(&output.stdout) != last
        });
        last = boot("ke2-server2");
        assert_eq!(
            lab.try_run(
                "ssh",
                &["ke2-server2", "systemctl is-system-running --wait"]
            )
            .stdout,
            b"running\n"
        );
    }
    lab.run("reboot", &["ke2-server2"]);
    assert_ne!(boot("ke2-server2"), last);
    let _ = lab.try_run("ssh", &["ke2-server2", "sudo poweroff"]);
    eventually("the host is off", || !lab.on(2));
    lab.run("start", &["ke2-server2"]);
}

fn replacement(lab: &Lab) {
    let identity = "cat /etc/machine-id; sudo test -e /root/kept && echo kept; true";
    let before = lab.ssh("ke2-server2", identity);
    assert!(before.contains("kept"));
    let known = fs::read_to_string(lab.state().join("known_hosts")).unwrap();
    lab.run("replace", &["ke2-server2"]);
    // Nobody was told: ssh must object.
    assert_eq!(
        fs::read_to_string(lab.state().join("known_hosts")).unwrap(),
        known
    );
    assert!(
        !lab.try_run("ssh", &["ke2-server2", "true"])
            .status
            .success()
    );
    lab.run("replace", &["ke2-server2", "--refresh-known-hosts"]);
    let after = lab.ssh("ke2-server2", identity);
    assert!(!after.contains("kept"));
    assert_ne!(before.lines().next(), after.lines().next());
}

fn snapshots(lab: &Lab) {
    assert!(
        !lab.try_run("snapshot", &["early"]).status.success(),
        "a running lab must not be copied"
    );
    lab.ssh(
        "ke2-server1",
        "sudo rm /etc/redhat-release; echo one | sudo tee /root/state",
    );
    lab.run("stop", &["--all"]);
    lab.run("snapshot", &["early"]);
    lab.run("start", &["--all"]);
    lab.ssh("ke2-server1", "echo two | sudo tee /root/state");
    lab.run("stop", &["--all"]);
    lab.run("restore", &["early"]);
    lab.run("start", &["--all"]);
    let seen = lab.ssh(
        "ke2-server1",
        "sudo cat /root/state; test -e /etc/redhat-release || echo gone",
    );
    assert_eq!(seen, "one\ngone\n");
}
