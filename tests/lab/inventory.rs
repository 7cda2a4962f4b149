//! The inventory of a lab, with what a test wants different in it.

use super::lab::{Lab, address_of, name_of};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// An inventory to be written.
#[derive(Clone)]
pub struct Inventory {
    vars: BTreeMap<String, String>,
    host_vars: BTreeMap<usize, BTreeMap<String, String>>,
    hosts: Vec<usize>,
    workers: Vec<usize>,
    shared: bool,
    kompira: bool,
    database: Database,
}

/// Who runs the database.
#[derive(Clone, Copy, PartialEq)]
enum Database {
    Nobody,
    /// All hosts, beside the rest.
    All,
    /// All hosts, and nothing else.
    Only,
}

impl Inventory {
    /// All hosts of a lab as managers, logged in to as `rocky`.
    pub fn of(lab: &Lab) -> Self {
        let state = lab.state();
        let proxy = format!(
            "-o ProxyCommand=\"{} connect --name {} %h %p\"",
            Lab::program().display(),
            lab.name()
        );
        let vars = [
            ("ansible_user", "rocky".to_owned()),
            ("cluster_vip", "10.20.0.100".to_owned()),
            (
                "ansible_ssh_private_key_file",
                state.join("id_ed25519").display().to_string(),
            ),
            ("ansible_ssh_common_args", proxy),
            (
                "known_hosts_file",
                state.join("known_hosts").display().to_string(),
            ),
        ];
        Self {
            vars: vars
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            host_vars: lab
                .hosts()
                .map(|host| (host, [("ansible_host".to_owned(), address_of(host))].into()))
                .collect(),
            hosts: lab.hosts().collect(),
            workers: Vec::new(),
            shared: false,
            kompira: false,
            database: Database::Nobody,
        }
    }

    /// Sets a variable of all hosts.
    pub fn var(mut self, key: &str, value: &str) -> Self {
        self.vars.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets a variable of one host.
    pub fn host_var(mut self, host: usize, key: &str, value: &str) -> Self {
        let vars = self.host_vars.entry(host).or_default();
        vars.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With the shared directory: bricks on the lab's own disks, on the first three hosts. Without it, its layer is off.
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self.var("gluster_brick", "/data/brick/gvol0")
    }

    /// All hosts are for the database, and for nothing else.
    pub fn only_database(mut self) -> Self {
        self.database = Database::Only;
        self
    }

    /// All hosts do everything, as in the source document.
    pub fn everything(mut self) -> Self {
        self.database = Database::All;
        self.kompira = true;
        self.shared()
    }

    /// Makes some hosts workers.
    pub fn workers(mut self, workers: &[usize]) -> Self {
        self.workers = workers.to_vec();
        self
    }

    /// Writes it.
    pub fn write(&self, lab: &Lab, name: &str) -> PathBuf {
        let mut text = String::from("all:\n  vars:\n");
        for (key, value) in &self.vars {
            let _ = writeln!(text, "    {key}: {}", quoted(value));
        }
        text += "  hosts:\n";
        for host in &self.hosts {
            let _ = writeln!(text, "    {}:", name_of(*host));
            for (key, value) in &self.host_vars[host] {
                let _ = writeln!(text, "      {key}: {}", quoted(value));
            }
        }
        text += "  children:\n";
        let (workers, managers): (Vec<usize>, Vec<usize>) = self
            .hosts
            .iter()
            .partition(|host| self.workers.contains(host));
        let bricks = self.hosts.iter().copied().filter(|_| self.shared).take(3);
        let (database, managers) = match self.database {
            Database::Nobody => (Vec::new(), managers),
            Database::All => (managers.clone(), managers),
            Database::Only => (managers, Vec::new()),
        };
        for (group, members) in [
            ("database", database),
            ("managers", managers),
            ("workers", workers),
            ("gluster", bricks.collect()),
            (
                "kompira",
                self.hosts
                    .iter()
                    .copied()
                    .filter(|_| self.kompira)
                    .collect(),
            ),
        ] {
            if members.is_empty() {
                continue;
            }
            let _ = writeln!(text, "    {group}:\n      hosts:");
            for host in members {
                let _ = writeln!(text, "        {}:", name_of(host));
            }
        }
        let path = lab.files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// A YAML scalar: plain when it is a number, else single-quoted.
fn quoted(value: &str) -> String {
    if value.parse::<u64>().is_ok() {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "''"))
    }
}
