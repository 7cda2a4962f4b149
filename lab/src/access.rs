//! How ssh gets to the hosts: key, host keys, configuration; and the way in without ssh.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::cgroup;
use crate::host::Host;
use crate::init::DROPPED;
use crate::lab::{Lab, Record};
use crate::process::{PATH, tool};

/// Writes the lab's private key and ssh configuration.
pub fn prepare(lab: &Lab, record: &Record) -> Result<()> {
    let key = lab.directory.join("id_ed25519");
    for (name, mode) in [("id_ed25519", 0o600), ("id_ed25519.pub", 0o644)] {
        let to = lab.directory.join(name);
        fs::copy(record.identity.join(name), &to)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
    }
    let program = std::env::current_exe()?;
    let home = match std::env::var("LAB_HOME") {
        Ok(home) => format!("env LAB_HOME={home} "),
        Err(_) => String::new(),
    };
    let connect = format!(
        "{home}{} connect --name {} %h %p",
        program.display(),
        lab.name
    );
    let hosts = lab.hosts(record);
    let patterns: Vec<_> = hosts
        .iter()
        .flat_map(|host| [host.name(), host.address()])
        .collect();
    let text = config(
        &patterns.join(" "),
        &key.display().to_string(),
        &known_hosts(lab).display().to_string(),
        &connect,
    );
    fs::write(config_file(lab), text).context("cannot write the ssh configuration")
}

fn config(hosts: &str, key: &str, known_hosts: &str, connect: &str) -> String {
    format!(
        "Host {hosts}\n\
         \x20   User rocky\n\
         \x20   IdentityFile {key}\n\
         \x20   IdentitiesOnly yes\n\
         \x20   UserKnownHostsFile {known_hosts}\n\
         \x20   GlobalKnownHostsFile /dev/null\n\
         \x20   StrictHostKeyChecking yes\n\
         \x20   ServerAliveInterval 5\n\
         \x20   ServerAliveCountMax 3\n\
         \x20   ProxyCommand {connect}\n"
    )
}

/// ssh's configuration for the lab.
pub fn config_file(lab: &Lab) -> PathBuf {
    lab.directory.join("ssh_config")
}

/// ssh's file of host keys for the lab.
pub fn known_hosts(lab: &Lab) -> PathBuf {
    lab.directory.join("known_hosts")
}

/// Writes the host keys of all hosts, as they are on the hosts' disks, to the lab's known_hosts.
pub fn write_known_hosts(lab: &Lab, record: &Record) -> Result<()> {
    let mut text = String::new();
    for host in lab.hosts(record) {
        let directory = host.directory().join("upper/etc/ssh");
        let mut found = 0;
        for kind in ["ed25519", "ecdsa", "rsa"] {
            let Ok(line) = fs::read_to_string(directory.join(format!("ssh_host_{kind}_key.pub")))
            else {
                continue;
            };
            let mut words = line.split_whitespace();
            if let (Some(algorithm), Some(key)) = (words.next(), words.next()) {
                text += &format!("{},{} {algorithm} {key}\n", host.name(), host.address());
                found += 1;
            }
        }
        if found == 0 {
            bail!(
                "{} has no host keys in {}",
                host.name(),
                directory.display()
            );
        }
    }
    let file = known_hosts(lab);
    let fresh = file.with_extension("new");
    fs::write(&fresh, text)?;
    fs::rename(&fresh, &file).context("cannot write known_hosts")
}

/// Becomes ssh.
pub fn ssh(lab: &Lab, host: &Host, command: &[String]) -> Result<()> {
    let error = std::process::Command::new("ssh")
        .arg("-F")
        .arg(config_file(lab))
        .args(["-o", "LogLevel=ERROR"])
        .arg(host.name())
        .args(command)
        .exec();
    Err(error).context("cannot run ssh")
}

/// Becomes `command`, as root in the host's namespaces and control groups.
pub fn exec(host: &Host, record: &Record, command: &[String]) -> Result<()> {
    let init = host
        .init()
        .with_context(|| format!("{0} is off; start it with `lab start {0}`", host.name()))?;
    cgroup::join_host(host, record)?;
    let error = tool("nsenter")
        .args(["--target", &init.pid.to_string()])
        .args([
            "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--",
        ])
        .arg("setpriv")
        .args(DROPPED)
        .args(command)
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", "/root")
        .env(
            "TERM",
            std::env::var_os("TERM").unwrap_or_else(|| "dumb".into()),
        )
        .stdin(std::process::Stdio::inherit())
        .exec();
    Err(error).context("cannot run nsenter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_is_told_everything_it_must_not_take_from_the_user() {
        let text = config(
            "ke2-server1 10.20.0.1",
            "/l/id",
            "/l/known",
            "/bin/lab connect --name x %h %p",
        );
        for line in [
            "IdentitiesOnly yes",
            "UserKnownHostsFile /l/known",
            "GlobalKnownHostsFile /dev/null",
            "StrictHostKeyChecking yes",
            "ProxyCommand /bin/lab connect --name x %h %p",
        ] {
            assert!(text.lines().any(|found| found.trim() == line), "{line}");
        }
    }
}
