//! The chain of cached things a lab stands on: keys, root file system, packages, base image.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::sys::utsname::uname;

use crate::cache::Cache;
use crate::machine;
use crate::process::{run, tool};
use crate::services::NAMES;

/// What a lab stands on.
#[derive(Debug)]
pub struct Images {
    /// Keys and certificates.
    pub identity: PathBuf,
    /// Root file system of a blank host; never written to.
    pub base: PathBuf,
    /// Web sites of the fake internet, by host name.
    pub web: PathBuf,
}

/// A recipe: a script's file name and its text.
pub type Recipe = (&'static str, &'static str);

macro_rules! recipes {
    ($($name:ident = $file:literal;)*) => {
        $(const $name: Recipe = ($file, include_str!(concat!("../recipes/", $file)));)*
    };
}

recipes! {
    IDENTITY = "identity.sh";
    ROOTFS = "rootfs.sh";
    PAYLOAD = "payload.sh";
    DATABASES = "databases.sh";
    REPO = "repo.sh";
    RPM = "rpm.sh";
    ROCKY = "rocky.sh";
    DOCKER = "docker.sh";
    GLUSTER = "gluster.sh";
    POSTGRESQL = "postgresql.sh";
    PGPOOL = "pgpool.sh";
    APT = "apt.sh";
    NFS = "nfs.sh";
    MOUNT_NFS = "mount.nfs.c";
    NFS_UTILS = "nfs-utils.sh";
    MODULES = "modules.yaml";
    FINISH = "finish.sh";
}

/// Makes what is not in the cache.
pub fn make() -> Result<Images> {
    machine::install_programs()?;
    let cache = Cache::open()?;
    let names = NAMES.join(" ");
    let identity = cache.get("identity", &[IDENTITY.1, &names], |to| {
        bash(to, &[IDENTITY], &NAMES)
    })?;
    let key = fs::read_to_string(identity.join("id_ed25519.pub"))?
        + &fs::read_to_string(identity.join("ca.crt"))?;
    let kernel = uname()?.release().to_string_lossy().into_owned();

    let rootfs = cache.get("rootfs", &[ROOTFS.1, &key, &kernel], |to| {
        bash(
            to,
            &[ROOTFS],
            &[&machine::debian_mirror()?, &shown(&identity)?],
        )
    })?;
    let payload = cache.get("payload", &[PAYLOAD.1], |to| {
        bash(to, &[PAYLOAD], &[&machine::debian_mirror()?])
    })?;

    let databases = cache.get("databases", &[DATABASES.1, &shown(&payload)?], |to| {
        bash(to, &[DATABASES], &[&shown(&payload)?])
    })?;

    let nfs = nfs(&cache)?;

    let recipes = [
        REPO, RPM, ROCKY, NFS_UTILS, DOCKER, GLUSTER, POSTGRESQL, PGPOOL, MODULES,
    ];
    let mut inputs: Vec<&str> = recipes.iter().map(|recipe| recipe.1).collect();
    let made_of = [
        shown(&payload)?,
        shown(&databases)?,
        shown(&rootfs)?,
        shown(&identity)?,
        shown(&nfs)?,
    ];
    inputs.extend(made_of.iter().map(String::as_str));
    let words: Vec<&str> = made_of.iter().map(String::as_str).collect();
    let repo = cache.get("repo", &inputs, |to| bash(to, &recipes, &words))?;

    let base = cache.get(
        "base",
        &[FINISH.1, &shown(&rootfs)?, &shown(&repo)?],
        |to| {
            run(tool("cp")
                .args(["-a", "--reflink=auto"])
                .arg(&rootfs)
                .arg(to))?;
            bash(to, &[FINISH], &[&shown(&repo)?])
        },
    )?;
    Ok(Images {
        identity,
        base,
        web: repo.join("web"),
    })
}

/// Root file system of the file server, `server` in it; and the client's package.
pub fn nfs(cache: &Cache) -> Result<PathBuf> {
    cache.get("nfs", &[NFS.1, APT.1, MOUNT_NFS.1], |to| {
        bash(to, &[NFS, APT, MOUNT_NFS], &[&machine::debian_mirror()?])
    })
}

/// Runs the first of `recipes` with `to` and `words` as its arguments, the others beside it.
pub fn bash(to: &Path, recipes: &[Recipe], words: &[&str]) -> Result<()> {
    let scripts = to.with_extension("recipes");
    let _ = fs::remove_dir_all(&scripts);
    fs::create_dir_all(&scripts)?;
    for (name, text) in recipes {
        fs::write(scripts.join(name), text)?;
    }
    let (name, _) = recipes.first().context("no recipe")?;
    let log = to.with_extension("log");
    let output = File::create(&log)?;
    // A recipe and all it starts dies with us, and its mounts with it: `prune` must never find a
    // half-made tree that something still writes to, or that has the machine's /dev mounted in it.
    let status = tool("setpriv")
        .args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .arg("bash")
        .arg(scripts.join(name))
        .arg(to)
        .args(words)
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    if !status.success() {
        let text = fs::read(&log)?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(20)..].join("\n    ");
        bail!(
            "{name} failed ({status}); the end of {}:\n    {last}",
            log.display()
        );
    }
    fs::remove_dir_all(&scripts)?;
    fs::remove_file(&log)?;
    Ok(())
}

fn shown(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .context("the cache's path is not UTF-8; set LAB_CACHE to another one")
}
