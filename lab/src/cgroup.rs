//! Control groups: where the lab's own are, how a process joins them, how they end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cli::CgroupVersion;
use crate::host::Host;
use crate::lab::{Lab, Record};
use crate::process::wait_until;

/// Controllers that a host with version 1 control groups is given.
pub const V1_CONTROLLERS: [&str; 9] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "devices",
    "freezer",
    "blkio",
    "pids",
    "name=systemd",
];

/// Control groups a lab of that name has, or would have if this process made it.
#[derive(Debug)]
pub struct Places {
    /// In the cgroup2 tree.
    pub unified: PathBuf,
    /// In the version 1 `devices` hierarchy.
    pub devices: PathBuf,
    /// In the other version 1 hierarchies.
    pub v1: Vec<(String, PathBuf)>,
}

/// Places below the caller's own control groups, so that what the caller is accounted for and
/// limited to holds for the lab, too.
pub fn places(lab: &Lab) -> Result<Places> {
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let find = |controller: &str| {
        own_directory(&groups, &mounts, controller).map(|own| own.join(lab.namespace()))
    };
    let unified = find("")
        .context("the lab needs a cgroup2 file system; mount one at /sys/fs/cgroup/unified")?;
    let devices = find("devices").context(
        "the lab needs the version 1 `devices` hierarchy at /sys/fs/cgroup/devices: \
         without it root of a host could write to the machine's disks",
    )?;
    let v1 = V1_CONTROLLERS.iter().filter(|name| **name != "devices");
    let v1 = v1
        .filter_map(|name| Some(((*name).to_owned(), find(name)?)))
        .collect();
    Ok(Places {
        unified,
        devices,
        v1,
    })
}

/// Directory of the control group of the process that `groups` (/proc/PID/cgroup) is about;
/// `controller` is empty for cgroup2.
fn own_directory(groups: &str, mounts: &str, controller: &str) -> Option<PathBuf> {
    let (controllers, own) = groups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers
            .split(',')
            .any(|one| one == controller)
            .then_some((controllers, path))
    })?;
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.nth(1)?);
        let wanted = if controllers.is_empty() {
            kind == "cgroup2"
        } else {
            kind == "cgroup"
                && controllers
                    .split(',')
                    .all(|one| options.split(',').any(|option| option == one))
        };
        let below = Path::new(own).strip_prefix(root).ok()?;
        wanted.then(|| Path::new(point).join(below))
    })
}

/// Makes the lab's own groups, and the one its services run in.
pub fn make_lab(record: &Record) -> Result<()> {
    make(&record.unified.join("services"))?;
    make(&record.devices)?;
    for (controller, path) in &record.v1 {
        make_v1(controller, path)?;
    }
    Ok(())
}

/// Makes the groups of one host.
pub fn make_host(host: &Host, record: &Record) -> Result<()> {
    for below in ["supervisor", "system"] {
        make(&host.unified(record).join(below))?;
    }
    for (controller, path) in host.v1(record) {
        make_v1(&controller, &path)?;
    }
    Ok(())
}

fn make(path: &Path) -> Result<()> {
    fs::create_dir_all(path)
        .with_context(|| format!("cannot make the control group {}", path.display()))
}

fn make_v1(controller: &str, path: &Path) -> Result<()> {
    make(path)?;
    if controller == "cpuset" {
        // A new cpuset is empty, and refuses processes until it is not.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let parent = path.parent().context("a control group without a parent")?;
            fs::write(path.join(file), fs::read_to_string(parent.join(file))?)
                .with_context(|| format!("cannot set {file} of {}", path.display()))?;
        }
    }
    Ok(())
}

/// Moves the calling process.
pub fn join(group: &Path) -> Result<()> {
    fs::write(group.join("cgroup.procs"), "0")
        .with_context(|| format!("cannot join the control group {}", group.display()))
}

/// Moves the calling process into all groups of a host: behind the fence, and where a power loss
/// will find it.
pub fn join_host(host: &Host, record: &Record) -> Result<()> {
    for (_, path) in host.v1(record) {
        join(&path)?;
    }
    join(&host.unified(record).join("system"))
}

/// Whether any process is in the group or below it. Only for cgroup2.
pub fn populated(group: &Path) -> bool {
    fs::read_to_string(group.join("cgroup.events"))
        .is_ok_and(|events| events.contains("populated 1"))
}

/// Kills every process in the group and below, forks on the way included, and waits for their end.
pub fn kill(group: &Path) -> Result<()> {
    match fs::write(group.join("cgroup.kill"), "1") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => {
            other.with_context(|| format!("cannot kill the control group {}", group.display()))?;
        }
    }
    // A process in the middle of writing much to disk dies only after the write.
    if !wait_until(Duration::from_secs(60), || !populated(group)) {
        let left = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        bail!(
            "processes of {} did not die within 60 s: {}",
            group.display(),
            left.trim().replace('\n', " ")
        );
    }
    Ok(())
}

/// Removes a group and those below it. A group whose last process just died refuses for a moment.
pub fn remove(group: &Path) -> Result<()> {
    let mut problem = None;
    let gone = wait_until(Duration::from_secs(60), || match remove_once(group) {
        Ok(()) => true,
        Err(error) => {
            problem = Some(error);
            false
        }
    });
    match problem {
        Some(error) if !gone => Err(error)
            .with_context(|| format!("cannot remove the control group {}", group.display())),
        _ => Ok(()),
    }
}

fn remove_once(group: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_once(&entry.path())?;
        }
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Hierarchies that `version` needs besides cgroup2 and the fence.
pub fn further(version: CgroupVersion, places: Vec<(String, PathBuf)>) -> Vec<(String, PathBuf)> {
    if version == CgroupVersion::V1 {
        places
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str =
        "9:name=systemd:/\n5:devices:/\n4:memory:/job/1\n2:cpu,cpuacct:/a\n0::/me\n";
    const MOUNTS: &str = "\
30 20 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/devices rw,relatime shared:1 - cgroup cgroup rw,devices
32 30 0:28 /job /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
35 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
";

    #[test]
    fn own_groups_are_found() {
        let find = |controller| own_directory(GROUPS, MOUNTS, controller);
        assert_eq!(find(""), Some("/sys/fs/cgroup/unified/me".into()));
        assert_eq!(find("devices"), Some("/sys/fs/cgroup/devices".into()));
        // The mount shows a part of the tree only.
        assert_eq!(find("memory"), Some("/sys/fs/cgroup/memory/1".into()));
        assert_eq!(find("cpuacct"), Some("/sys/fs/cgroup/cpu,cpuacct/a".into()));
        assert_eq!(find("name=systemd"), Some("/sys/fs/cgroup/systemd".into()));
        assert_eq!(find("pids"), None);
    }
}
