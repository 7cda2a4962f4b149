//! How a host is reached and how root is got there, from the `ansible_*` variables.

use super::{Host, HostName, Inventory, Secret};
use crate::playbook::{Scope, Val};
use crate::yaml::{Diagnostic, Diagnostics, Node, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Connection settings of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How to get there.
    pub transport: Transport,
    /// SSH port; `None` leaves it to `ssh_config`.
    pub port: Option<u16>,
    /// Login user; `None` leaves it to `ssh_config`.
    pub user: Option<String>,
    /// Key to log in with.
    pub private_key_file: Option<PathBuf>,
    /// Options for ssh: the common ones, then the extra ones.
    pub ssh_args: Vec<String>,
    /// The expected host key, as in `known_hosts` without the name.
    pub host_key: Option<String>,
    /// A `known_hosts` file of the cluster's own.
    pub known_hosts_file: Option<PathBuf>,
    /// Whether to use sudo.
    pub use_sudo: bool,
    /// User to become.
    pub sudo_user: String,
    /// Password for sudo.
    pub sudo_password: Option<Secret>,
}

/// How to get to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By SSH.
    Ssh,
    /// The machine that this program runs on.
    Local,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            transport: Transport::Ssh,
            port: None,
            user: None,
            private_key_file: None,
            ssh_args: Vec::new(),
            host_key: None,
            known_hosts_file: None,
            use_sudo: true,
            sudo_user: "root".to_owned(),
            sudo_password: None,
        }
    }
}

/// Fills in address and settings of every host; variables of the connection may be templates.
pub(super) fn apply(inventory: Inventory, found: &mut Diagnostics) -> Inventory {
    let shared = Arc::new(inventory);
    let mut results = Vec::new();
    for host in shared.hosts() {
        let mut reader = Reader {
            host,
            scope: Scope::new(&shared, &host.name),
            found,
        };
        let address = reader.text("ansible_host");
        let connection = reader.settings(&shared.folder);
        results.push((address, connection));
    }
    let mut inventory = Arc::unwrap_or_clone(shared);
    for (host, (address, connection)) in inventory.hosts.iter_mut().zip(results) {
        if connection.sudo_password.is_some()
            && let Some(variable) = host.vars.get("ansible_become_password")
        {
            let message = "the password for sudo stands here in plain text";
            let advice = Diagnostic::new(&variable.key_span, message)
                .hint("let the program ask for it: --ask-become-pass");
            inventory.advice.push(advice);
        }
        if let Some(address) = address {
            host.address = address;
        }
        host.connection = connection;
    }
    let mut seen = std::collections::HashSet::new();
    inventory
        .advice
        .retain(|advice| seen.insert((advice.span.to_string(), advice.message.clone())));
    inventory
}

struct Reader<'a> {
    host: &'a Host,
    scope: Scope,
    found: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn settings(&mut self, folder: &Path) -> Settings {
        let mut ssh_args = self.words("ansible_ssh_common_args");
        ssh_args.extend(self.words("ansible_ssh_extra_args"));
        Settings {
            transport: match self.text("ansible_connection").as_deref() {
                Some("local") => Transport::Local,
                _ => Transport::Ssh,
            },
            port: self.node("ansible_port").and_then(|node| match node.value {
                Value::Int(port, _) => u16::try_from(port).ok(),
                _ => None,
            }),
            user: self.text("ansible_user"),
            private_key_file: self.text("ansible_ssh_private_key_file").map(|path| {
                let beside = local_path(folder, &path);
                // Ansible starts at the current folder; both are common.
                if beside.exists() {
                    beside
                } else {
                    local_path(Path::new(""), &path)
                }
            }),
            ssh_args,
            host_key: self.text("host_key"),
            known_hosts_file: self
                .text("known_hosts_file")
                .map(|path| local_path(folder, &path)),
            use_sudo: self
                .node("ansible_become")
                .is_none_or(|node| matches!(node.value, Value::Bool(true))),
            sudo_user: self
                .text("ansible_become_user")
                .unwrap_or_else(|| "root".to_owned()),
            sudo_password: self
                .text("ansible_become_password")
                .map(|password| Secret::new(&password)),
        }
    }

    /// The rendered value in the form of its kind; one that cannot be had is reported once.
    fn node(&mut self, name: &str) -> Option<Node> {
        let variable = self.host.var(name)?;
        let result = match self.scope.render(&variable.node) {
            Ok(Val::Known(node)) => match super::variables::known(name) {
                Some(known) => known.kind.accept(name, &node),
                None => Ok(node),
            },
            Ok(Val::Unknown(why)) => Err(Diagnostic::new(
                &variable.node.span,
                format!("`{name}` must be known before connecting, but {why}"),
            )),
            Err(diagnostic) => Err(diagnostic),
        };
        result.map_err(|diagnostic| self.report(diagnostic)).ok()
    }

    /// Once, though every host of a group has it.
    fn report(&mut self, diagnostic: Diagnostic) {
        let key = |one: &Diagnostic| (one.span.to_string(), one.message.clone());
        let known = self
            .found
            .0
            .iter()
            .any(|known| key(known) == key(&diagnostic));
        if !known {
            self.found.push(diagnostic);
        }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.node(name)?.scalar().filter(|text| !text.is_empty())
    }

    fn words(&mut self, name: &str) -> Vec<String> {
        let Some(text) = self.text(name) else {
            return Vec::new();
        };
        if let Some(words) = shlex::split(&text) {
            return words;
        }
        if let Some(variable) = self.host.var(name) {
            let message = format!("`{name}` has a quote that does not end");
            self.report(Diagnostic::new(&variable.node.span, message));
        }
        Vec::new()
    }
}

fn local_path(folder: &Path, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => folder.join(path),
    }
}

/// The name only, so that a log line never carries a setting.
impl From<&Host> for HostName {
    fn from(host: &Host) -> Self {
        host.name.clone()
    }
}
