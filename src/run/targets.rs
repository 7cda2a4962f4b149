//! Inventory and command line → how to reach each host.

use crate::cli::ConnectionArgs;
use crate::connection::{
    Become, ConnectError, ConnectFailure, Connector, Secret, Settings, Target,
};
use crate::failure::Failure;
use crate::inventory::{Host, Inventory, Transport};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
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
    for name in &args.accept_new_key {
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
        forks: usize::from(args.forks),
        connect_timeout: Duration::from_secs(args.connect_timeout),
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
    read_hidden(prompt)
        .map(|line| Secret::new(line.trim_end_matches(['\r', '\n'])))
        .map_err(|error| Failure::usage(format!("the sudo password cannot be read: {error}")))
}

/// Asks at the terminal for a line that is not shown. The echo ends before the question is seen, and what is typed is
/// never thrown away, however fast it comes.
fn read_hidden(question: &str) -> std::io::Result<String> {
    let terminal = std::io::stdin();
    let before = tcgetattr(&terminal)?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&terminal, OptionalActions::Now, &hidden)?;
    let mut line = String::new();
    let read =
        write!(std::io::stderr(), "{question}").and_then(|()| terminal.lock().read_line(&mut line));
    tcsetattr(&terminal, OptionalActions::Now, &before)?;
    read.map(|_| line)
}

/// Shows host keys that are not on record: those of `--accept-new-key` are believed, be they unknown or
/// changed; about other unknown ones a person is asked, where there is a terminal.
pub fn ask_key(args: &ConnectionArgs) -> crate::apply::AskKey {
    let accepted: BTreeSet<String> = args.accept_new_key.iter().cloned().collect();
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    Box::new(move |error: &ConnectError| {
        let show = |text: String| _ = write!(std::io::stderr(), "{text}");
        let (host, at) = (&error.host, &error.destination);
        match &error.failure {
            ConnectFailure::UnknownHostKey {
                key_type,
                fingerprint,
            } if accepted.contains(host) => show(format!(
                "{host} ({at}): its host key is accepted as asked for, and only this one:\n  {key_type} {fingerprint}\n"
            )),
            ConnectFailure::ChangedHostKey {
                key_type,
                fingerprint,
                known_hosts_line,
            } if accepted.contains(host) => show(format!(
                "{host} ({at}): its new host key is accepted as asked for, and only this one:\n  {key_type} {fingerprint}\n  (instead of the one in {known_hosts_line})\n"
            )),
            ConnectFailure::UnknownHostKey {
                key_type,
                fingerprint,
            } if terminal => {
                show(format!(
                    "{host} ({at}) is not known. It shows the {key_type} key\n  {fingerprint}\nIs this its key? (yes/no) "
                ));
                let mut answer = String::new();
                return std::io::stdin().lock().read_line(&mut answer).is_ok()
                    && answer.trim() == "yes";
            }
            _ => return false,
        }
        true
    })
}
