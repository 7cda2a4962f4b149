//! What kind of machine answers: its system, names and identity, its clock, its disks.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Operating system, names and identity of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// `ID` of os-release: `rocky`, `almalinux`, `centos`, `rhel` …
    pub os: String,
    /// `VERSION_ID` of os-release.
    pub os_version: String,
    /// `PLATFORM_ID` of os-release: `platform:el9` on EL9.
    pub platform: String,
    /// `PRETTY_NAME` of os-release.
    pub os_name: String,
    /// `uname -m`.
    pub architecture: String,
    /// `uname -n`.
    pub hostname: String,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// DMI product UUID; empty when the firmware gives none.
    pub product_uuid: String,
    /// `boot_id` of the kernel: new at each boot.
    pub boot_id: String,
    /// `getenforce`: `Enforcing`, `Permissive`, `Disabled`; empty without SELinux.
    pub selinux: String,
    /// Effective user of the shell; 0 is root.
    pub uid: u32,
}

pub(super) const MACHINE: &str = "\
cat /etc/os-release 2>/dev/null
printf '\\narchitecture=%s\\nhostname=%s\\nuid=%s\\n' \"$(uname -m)\" \"$(uname -n)\" \"$(id -u)\"
for f in /etc/machine-id:machine_id /sys/class/dmi/id/product_uuid:product_uuid /proc/sys/kernel/random/boot_id:boot_id; do
  v=; [ -r \"${f%%:*}\" ] && read -r v <\"${f%%:*}\"; printf '%s=%s\\n' \"${f##*:}\" \"$v\"
done
command -v getenforce >/dev/null && printf 'selinux=%s\\n' \"$(getenforce)\"
exit 0";

pub(super) fn parse_machine(stdout: &str) -> Machine {
    let mut value: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, text) in stdout.lines().filter_map(|line| line.split_once('=')) {
        value.insert(key, text.trim_matches('"'));
    }
    let take = |key: &str| value.get(key).copied().unwrap_or_default().to_owned();
    Machine {
        os: take("ID"),
        os_version: take("VERSION_ID"),
        platform: take("PLATFORM_ID"),
        os_name: take("PRETTY_NAME"),
        architecture: take("architecture"),
        hostname: take("hostname"),
        machine_id: take("machine_id"),
        product_uuid: take("product_uuid"),
        boot_id: take("boot_id"),
        selinux: take("selinux"),
        uid: take("uid").parse().unwrap_or(u32::MAX),
    }
}

/// The host's clock against the controller's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Seconds that the host is ahead of the controller; 0 when the difference is within the time that the question took.
    pub ahead_s: f64,
    /// Whether the host says that its clock is synchronised; `None` when nothing there knows.
    pub synchronised: Option<bool>,
    /// Where the knowledge about synchronisation is from: `chronyc` or `timedatectl`.
    pub source: String,
}

pub(super) const CLOCK: &str = "\
date +%s.%N
chronyc -c tracking 2>/dev/null && exit 0
timedatectl show -p NTPSynchronized 2>/dev/null
exit 0";

/// `sent_s` and `received_s` are the controller's clock in Unix seconds around the question.
pub(super) fn parse_clock(stdout: &str, sent_s: f64, received_s: f64) -> Seen<Clock> {
    let mut lines = stdout.lines();
    let Some(now) = lines
        .next()
        .and_then(|line| line.trim().parse::<f64>().ok())
    else {
        return Seen::Unknown(String::from("`date` printed no time"));
    };
    let ahead_s = if now > received_s {
        now - received_s
    } else {
        (now - sent_s).min(0.0)
    };
    let mut clock = Clock {
        ahead_s,
        ..Clock::default()
    };
    if let Some(line) = lines.next() {
        if let Some(value) = line.strip_prefix("NTPSynchronized=") {
            clock.synchronised = Some(value.trim() == "yes");
            "timedatectl".clone_into(&mut clock.source);
        } else if line.split(',').count() >= 14 {
            // The last field of `chronyc -c tracking` is the leap status.
            let leap = line.rsplit(',').next().unwrap_or_default().trim();
            clock.synchronised = Some(leap != "Not synchronised");
            "chronyc".clone_into(&mut clock.source);
        }
    }
    Seen::Is(clock)
}

/// Space on the file system that holds a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filesystem {
    /// Where it is mounted.
    pub mount_point: String,
    /// Type, such as `xfs`.
    pub kind: String,
    /// Free space for unprivileged users, in bytes.
    pub free_bytes: u64,
    /// Used inodes in percent; 0 when the file system has no fixed number.
    pub inodes_used_percent: u8,
}

/// The nearest existing parent stands for a path that is not there yet.
pub(super) fn filesystem_script(path: &str) -> String {
    format!(
        "p={}; while [ ! -e \"$p\" ] && [ \"$p\" != / ]; do p=$(dirname \"$p\"); done\n\
         df -B1 --output=avail,ipcent,fstype,target -- \"$p\"",
        quote(path)
    )
}

pub(super) fn parse_filesystem(path: &str, stdout: &str, stderr: &str) -> Seen<Filesystem> {
    let field: Vec<&str> = stdout
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let [avail, inodes, kind, mount_point] = field[..] else {
        return Seen::Unknown(format!("df of {path}: {}", stderr.trim()));
    };
    Seen::Is(Filesystem {
        mount_point: mount_point.to_owned(),
        kind: kind.to_owned(),
        free_bytes: avail.parse().unwrap_or_default(),
        inodes_used_percent: inodes.trim_end_matches('%').parse().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_within_the_question_is_not_ahead() {
        let Seen::Is(clock) = parse_clock("100.5\nNTPSynchronized=yes\n", 100.0, 101.0) else {
            panic!()
        };
        assert_eq!((clock.ahead_s, clock.synchronised), (0.0, Some(true)));
        let Seen::Is(clock) = parse_clock("3701.0\n", 100.0, 101.0) else {
            panic!()
        };
        assert_eq!((clock.ahead_s, clock.synchronised), (3600.0, None));
        let Seen::Is(clock) = parse_clock("40.0\n", 100.0, 101.0) else {
            panic!()
        };
        assert_eq!(clock.ahead_s, -60.0);
    }

    #[test]
    fn chrony_tells_by_its_leap_status() {
        let line = "7F7F0101,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Not synchronised";
        let Seen::Is(clock) = parse_clock(&format!("100.0\n{line}\n"), 99.0, 101.0) else {
            panic!()
        };
        assert_eq!(clock.synchronised, Some(false));
        assert_eq!(clock.source, "chronyc");
    }

    #[test]
    fn df_is_read_by_columns() {
        let out = "        Avail IUse% Type Mounted on\n85899345920    3% xfs  /var\n";
        let Seen::Is(fs) = parse_filesystem("/var/lib", out, "") else {
            panic!()
        };
        assert_eq!(
            (
                &*fs.mount_point,
                &*fs.kind,
                fs.free_bytes,
                fs.inodes_used_percent
            ),
            ("/var", "xfs", 85_899_345_920, 3)
        );
    }
}
