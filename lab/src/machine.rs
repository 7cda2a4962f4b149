//! What the lab needs of the machine it runs on: programs, and where its Debian mirror is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::process::{PATH, run, tool};

/// Programs, and the Debian packages they are in.
const PROGRAMS: [(&str, &str); 22] = [
    ("createrepo_c", "createrepo-c"),
    ("dnsmasq", "dnsmasq-base"),
    ("gcc", "gcc"),
    ("gpg", "gnupg"),
    ("ip", "iproute2"),
    ("kill", "procps"),
    ("make", "make"),
    ("mkfs.xfs", "xfsprogs"),
    ("mmdebstrap", "mmdebstrap"),
    ("mount", "mount"),
    ("npm", "npm"),
    ("nsenter", "util-linux"),
    ("openssl", "openssl"),
    ("patchelf", "patchelf"),
    ("pip3", "python3-pip"),
    ("readelf", "binutils"),
    ("rpmbuild", "rpm"),
    ("rpmsign", "rpm"),
    ("ssh", "openssh-client"),
    ("tar", "tar"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// Installs what is missing.
pub fn install_programs() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing on this machine: {}", missing.join(" "));
    if install(&missing).is_err() {
        run(tool("apt-get").args(["-qq", "update"]))
            .context("cannot refresh apt's lists of packages")?;
        install(&missing).with_context(|| {
            format!(
                "the lab needs {}; install them by hand and try again",
                missing.join(" ")
            )
        })?;
    }
    Ok(())
}

/// Each host's systemd watches files by about six inotify instances, which all hosts of all labs
/// take from one limit, root's; the kernel's default of 128 is enough for twenty hosts.
const INOTIFY_INSTANCES: u32 = 1024;

/// Raises the limits of the machine that many hosts side by side run into.
pub fn raise_limits() -> Result<()> {
    let file = "/proc/sys/fs/inotify/max_user_instances";
    let now: u32 = fs::read_to_string(file)?.trim().parse()?;
    if now < INOTIFY_INSTANCES {
        fs::write(file, INOTIFY_INSTANCES.to_string())
            .with_context(|| format!("cannot raise {file}"))?;
    }
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let absent = |program: &str| {
        !PATH
            .split(':')
            .any(|directory| Path::new(directory).join(program).exists())
    };
    let mut packages: Vec<_> = PROGRAMS
        .iter()
        .filter(|(program, _)| absent(program))
        .map(|(_, package)| *package)
        .collect();
    packages.dedup();
    packages
}

fn install(packages: &[&str]) -> Result<()> {
    run(tool("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-qq", "-y", "--no-install-recommends", "install"])
        .args(packages))
    .map(drop)
}

/// Base address of the Debian archive, as the machine's own apt is configured.
pub fn debian_mirror() -> Result<String> {
    if let Some(mirror) = configured_mirror()? {
        return Ok(mirror);
    }
    // Without downloaded lists apt does not know whose archive an address is.
    run(tool("apt-get").args(["-qq", "update"]))
        .context("cannot refresh apt's lists of packages")?;
    match configured_mirror()? {
        Some(mirror) => Ok(mirror),
        None => {
            bail!("apt on this machine has no Debian archive; add one to /etc/apt/sources.list.d")
        }
    }
}

fn configured_mirror() -> Result<Option<String>> {
    let format = "$(ORIGIN)|$(COMPONENT)|$(CODENAME)|$(REPO_URI)";
    let listed =
        run(tool("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]))?;
    Ok(archive(&listed))
}

/// The first address of Debian's main archive (not its security archive, which has other suites).
fn archive(listed: &str) -> Option<String> {
    listed.lines().find_map(|line| {
        let mut fields = line.splitn(4, '|');
        let (origin, component, codename, address) = (
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
        );
        let main = origin == "Debian" && component == "main" && !codename.ends_with("-security");
        main.then(|| address.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_debians_main_one() {
        let listed = "NodeSource|main|nodistro|https://node.example/\n\
                      Debian|main|bookworm-security|http://mirror.example/debian-security/\n\
                      Debian|main|bookworm|http://mirror.example/debian/\n";
        assert_eq!(
            archive(listed).as_deref(),
            Some("http://mirror.example/debian/")
        );
        assert_eq!(
            archive("|main|bookworm|http://mirror.example/debian/\n"),
            None
        );
    }
}
