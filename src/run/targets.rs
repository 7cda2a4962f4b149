//! Inventory and command line → how to reach each host.

use crate::cli::ConnectionArgs;
use crate::connection::{
    Become, ConnectError, ConnectFailure, Connector, Secret, Settings, Target,
};
use crate::failure::Failure;
use crate::inventory::{Host, Inventory, Transport};
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Prepares the connections. None is opened.
///
/// # Errors
/// When the inventory asks for something that ssh cannot be told.
pub fn connector(inventory: &Inventory, args: &ConnectionArgs) -> Result<Connector, Failure> {
    let password = if args.ask_become_pass {
        Some(ask_password()?)
    } else {
        None
    };
    let accept_new_key: BTreeSet<String> = args.accept_new_key.iter().cloned().collect();
    for name in &accept_new_key {
        if inventory.host(name).is_none() {
            return Err(Failure::usage(format!(
                "--accept-new-key {name}: the inventory has no such host"
            )));
        }
    }
    let known: BTreeSet<&PathBuf> = inventory
        .hosts()
        .iter()
        .filter_map(|host| host.connection.known_hosts_file.as_ref())
        .collect();
    if known.len() > 1 {
        return Err(Failure::usage(
            "`known_hosts_file` must be the same for all hosts",
        ));
    }
    let settings = Settings {
        forks: args.forks,
        connect_timeout: Duration::from_secs(args.connect_timeout),
        accept_new_key,
        known_hosts: known.into_iter().next().cloned(),
        ..Settings::default()
    };
    let targets: Result<Vec<Target>, Failure> = inventory
        .hosts()
        .iter()
        .map(|host| target(host, password.as_ref()))
        .collect();
    Connector::new(targets?, settings).map_err(|error| Failure::usage(error.to_string()))
}

fn target(host: &Host, password: Option<&Secret>) -> Result<Target, Failure> {
    let connection = &host.connection;
    if connection.transport != Transport::Ssh {
        let message = format!(
            "{}: `ansible_connection: local` is not supported",
            host.name
        );
        return Err(
            Failure::usage(message).hint("run sshd on this machine and name it by an address")
        );
    }
    let given = connection
        .sudo_password
        .as_ref()
        .map(|secret| Secret::new(secret.expose()));
    Ok(Target {
        name: host.name.to_string(),
        address: host.address.clone(),
        port: connection.port,
        user: connection.user.clone(),
        key_file: connection.private_key_file.clone(),
        options: options(host)?,
        host_key: connection.host_key.clone(),
        privilege: Become {
            enabled: connection.use_sudo,
            user: (connection.sudo_user != "root").then(|| connection.sudo_user.clone()),
            password: password.cloned().or(given),
        },
    })
}

/// Command-line options of ssh as lines of ssh_config(5).
fn options(host: &Host) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let mut words = host.connection.ssh_args.iter();
    while let Some(word) = words.next() {
        let (flag, attached) = word.split_at(word.len().min(2));
        let keyword = match flag {
            "-o" => "",
            "-J" => "ProxyJump ",
            "-i" => "IdentityFile ",
            "-p" => "Port ",
            "-l" => "User ",
            "-C" => {
                lines.push("Compression yes".to_owned());
                continue;
            }
            "-4" => {
                lines.push("AddressFamily inet".to_owned());
                continue;
            }
            "-6" => {
                lines.push("AddressFamily inet6".to_owned());
                continue;
            }
            "-A" => {
                lines.push("ForwardAgent yes".to_owned());
                continue;
            }
            "-q" | "-v" | "-T" => continue,
            _ => {
                let message = format!("{}: the ssh argument `{word}` is not supported", host.name);
                return Err(
                    Failure::usage(message).hint("write it as `-o Keyword=value` (ssh_config(5))")
                );
            }
        };
        let value = if attached.is_empty() {
            words.next().cloned()
        } else {
            Some(attached.to_owned())
        };
        let Some(value) = value else {
            return Err(Failure::usage(format!(
                "{}: the ssh argument `{flag}` has no value",
                host.name
            )));
        };
        let value = if keyword.is_empty() {
            value.replacen('=', " ", 1)
        } else {
            value
        };
        // How connections are shared is this program's own business.
        if !["controlmaster", "controlpath", "controlpersist"]
            .iter()
            .any(|own| value.to_lowercase().starts_with(own))
        {
            lines.push(format!("{keyword}{value}"));
        }
    }
    Ok(lines)
}

fn ask_password() -> Result<Secret, Failure> {
    let prompt = "sudo password: ";
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| {
                Failure::usage(format!("the sudo password cannot be read: {error}"))
            })?;
        return Ok(Secret::new(line.trim_end_matches(['\r', '\n'])));
    }
    console::Term::stderr()
        .write_str(prompt)
        .and_then(|()| console::Term::stderr().read_secure_line())
        .map(Secret::new)
        .map_err(|error| Failure::usage(format!("the sudo password cannot be read: {error}")))
}

/// Asks on the terminal whether an unknown host key is the right one; `None` without a terminal.
pub fn ask_key() -> Option<crate::apply::AskKey> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    Some(Box::new(|error: &ConnectError| {
        let ConnectFailure::UnknownHostKey {
            key_type,
            fingerprint,
        } = &error.failure
        else {
            return false;
        };
        let _ = write!(
            std::io::stderr(),
            "{} ({}) is not known. It shows the {key_type} key\n  {fingerprint}\nIs this its key? (yes/no) ",
            error.host,
            error.destination,
        );
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
    }))
}
