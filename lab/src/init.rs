//! The first process of a host: puts its root together, out of the base image and the host's
//! disks, and becomes systemd.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, SFlag, makedev, mknod, umask};
use nix::unistd::{chdir, pivot_root};

use crate::cli::CgroupVersion;
use crate::fence;
use crate::host::Host;
use crate::lab::Record;
use crate::process::{PATH, run, tool};

/// Puts the host's root together and becomes its systemd. Runs as the first process of the host.
pub fn init(host: &Host, record: &Record) -> Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    umask(Mode::empty());
    let directory = host.directory();
    let root = directory.join("root");
    let overlay = format!(
        "lowerdir={},upperdir={},workdir={},xino=off",
        record.base.display(),
        directory.join("upper").display(),
        directory.join("work").display()
    );
    attach("overlay", &root, "overlay", MsFlags::empty(), &overlay)?;
    attach("proc", &root.join("proc"), "proc", MsFlags::empty(), "")?;
    devices(&root)?;
    kernel_settings(&root, &directory.join("sysctl"))?;
    attach("sysfs", &root.join("sys"), "sysfs", MsFlags::MS_RDONLY, "")?;
    control_groups(&root, record)?;
    attach(
        "run",
        &root.join("run"),
        "tmpfs",
        MsFlags::empty(),
        "mode=755",
    )?;
    // Docker's overlay2 driver does not work on an overlay.
    bind(&directory.join("docker"), &root.join("var/lib/docker"))?;
    run(tool("mount")
        .args(["-o", "loop"])
        .arg(directory.join("brick.img"))
        .arg(root.join("data/brick")))?;
    chdir(&root)?;
    pivot_root(".", ".").context("cannot make the host's root the root")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    // As on any machine that systemd booted; systemd itself leaves it to the container's manager.
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_SHARED,
        None::<&str>,
    )?;
    umask(Mode::from_bits_truncate(0o022));
    let mut command = Command::new("setpriv");
    command
        .env_clear()
        .env("PATH", PATH)
        .env("container", "lab")
        .env("TERM", "dumb");
    command
        .args(DROPPED)
        .args(["/sbin/init", "systemd.show_status=1"]);
    if record.cgroup == CgroupVersion::V1 {
        // In a container systemd takes its own arguments for the kernel's command line.
        command.args([
            "systemd.unified_cgroup_hierarchy=0",
            "systemd.legacy_systemd_cgroup_controller=1",
            "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
        ]);
    }
    Err(command.exec()).context("cannot become systemd")
}

/// setpriv's arguments that take away what would reach the machine itself: its clock, its kernel
/// modules, its memory and ports.
pub const DROPPED: [&str; 4] = [
    "--bounding-set",
    "-sys_time,-sys_module,-sys_rawio",
    "--inh-caps",
    "-sys_time,-sys_module,-sys_rawio",
];

fn attach(source: &str, target: &Path, kind: &str, flags: MsFlags, options: &str) -> Result<()> {
    let options = (!options.is_empty()).then_some(options);
    mount(Some(source), target, Some(kind), flags, options)
        .with_context(|| format!("cannot mount {kind} at {}", target.display()))
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    mount(
        Some(source),
        target,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .with_context(|| format!("cannot show {} at {}", source.display(), target.display()))
}

fn devices(root: &Path) -> Result<()> {
    let dev = root.join("dev");
    attach("dev", &dev, "tmpfs", MsFlags::empty(), "mode=755,size=64k")?;
    fence::prove(&dev)?;
    fs::create_dir(dev.join("net"))?;
    for (name, major, minor) in [
        ("null", 1, 3),
        ("zero", 1, 5),
        ("full", 1, 7),
        ("random", 1, 8),
        ("urandom", 1, 9),
        ("tty", 5, 0),
        ("fuse", 10, 229),
        ("net/tun", 10, 200),
    ] {
        mknod(
            &dev.join(name),
            SFlag::S_IFCHR,
            Mode::from_bits_truncate(0o666),
            makedev(major, minor),
        )
        .with_context(|| format!("cannot make /dev/{name}"))?;
    }
    for name in ["pts", "shm", "mqueue"] {
        fs::create_dir(dev.join(name))?;
        fs::set_permissions(dev.join(name), fs::Permissions::from_mode(0o755))?;
    }
    attach(
        "devpts",
        &dev.join("pts"),
        "devpts",
        MsFlags::empty(),
        "newinstance,ptmxmode=666,mode=620,gid=5",
    )?;
    attach(
        "shm",
        &dev.join("shm"),
        "tmpfs",
        MsFlags::empty(),
        "mode=1777",
    )?;
    for (target, name) in [
        ("pts/ptmx", "ptmx"),
        ("/proc/self/fd", "fd"),
        ("fd/0", "stdin"),
        ("fd/1", "stdout"),
        ("fd/2", "stderr"),
    ] {
        symlink(target, dev.join(name))?;
    }
    Ok(())
}

/// Kernel settings that are the whole machine's become plain files of the host: a `sysctl -w` in it
/// succeeds and stays its own, until its next boot. /proc/sys/net is real, and the host's own anyway.
fn kernel_settings(root: &Path, copies: &Path) -> Result<()> {
    attach(
        "sysctl",
        copies,
        "tmpfs",
        MsFlags::empty(),
        "mode=755,size=4m",
    )?;
    for part in ["vm", "fs", "kernel"] {
        copy_readable(&Path::new("/proc/sys").join(part), &copies.join(part))?;
    }
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    fs::write(copies.join("kernel/random/boot_id"), uuid)?;
    let settings = root.join("proc/sys");
    for part in ["vm", "fs", "kernel"] {
        bind(&copies.join(part), &settings.join(part))?;
    }
    for real in ["kernel/random/uuid", "kernel/hostname", "kernel/domainname"] {
        bind(&Path::new("/proc/sys").join(real), &settings.join(real))?;
    }
    let keys = root.join("proc/sysrq-trigger");
    if keys.exists() {
        // A key pressed here would be pressed on the machine.
        bind(&root.join("dev/null"), &keys)?;
    }
    Ok(())
}

fn copy_readable(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_readable(&entry.path(), &target)?;
        } else if kind.is_file() {
            let mode = entry.metadata()?.permissions().mode();
            // Some refuse to be read although their mode says otherwise.
            if let (true, Ok(content)) = (mode & 0o400 != 0, fs::read(entry.path())) {
                fs::write(&target, content)?;
                fs::set_permissions(&target, fs::Permissions::from_mode(mode & 0o777))?;
            }
        }
    }
    Ok(())
}

fn control_groups(root: &Path, record: &Record) -> Result<()> {
    let place = root.join("sys/fs/cgroup");
    if record.cgroup == CgroupVersion::V2 {
        return attach("cgroup2", &place, "cgroup2", MsFlags::empty(), "");
    }
    attach("cgroup", &place, "tmpfs", MsFlags::empty(), "mode=755")?;
    let further = record.v1.iter().map(|(controller, _)| controller.as_str());
    for controller in further.chain(["devices"]) {
        let (name, options) = match controller.strip_prefix("name=") {
            Some(name) => (name, format!("none,name={name}")),
            None => (controller, controller.to_owned()),
        };
        fs::create_dir(place.join(name))?;
        attach(
            "cgroup",
            &place.join(name),
            "cgroup",
            MsFlags::empty(),
            &options,
        )?;
    }
    Ok(())
}
