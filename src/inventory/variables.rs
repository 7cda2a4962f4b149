//! The reserved variables: the one table that checks, defaults, documentation and JSON Schema come from.

mod database;
mod hosts;
mod kompira;
mod kompira_certificates;
mod kompira_logging;
mod storage;

use super::kind::Kind;

/// One variable that the project knows.
#[derive(Debug)]
pub struct Variable {
    /// Its name in the inventory.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What is meant when it is not set, as written in YAML; may be a template.
    pub default: Option<&'static str>,
    /// One line of documentation.
    pub doc: &'static str,
    /// The layer that uses it.
    pub layer: Layer,
}

/// Which part of the cluster a variable is about, bottom to top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// How a host is reached.
    Connection,
    /// The host itself.
    Hosts,
    /// Docker CE.
    Docker,
    /// firewalld.
    Firewall,
    /// Docker Swarm.
    Swarm,
    /// `GlusterFS`.
    Gluster,
    /// `PostgreSQL` and Pgpool-II.
    Database,
    /// The Kompira stack.
    Kompira,
}

impl Layer {
    /// Whether this version does something with the layer; the variables of the others are only reserved.
    pub fn takes_effect(self) -> bool {
        match self {
            Self::Connection
            | Self::Hosts
            | Self::Docker
            | Self::Firewall
            | Self::Swarm
            | Self::Gluster
            | Self::Database
            | Self::Kompira => true,
        }
    }

    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Hosts => "hosts",
            Self::Docker => "docker",
            Self::Firewall => "firewall",
            Self::Swarm => "swarm",
            Self::Gluster => "glusterfs",
            Self::Database => "postgresql",
            Self::Kompira => "kompira",
        }
    }
}

/// All known variables, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Variable> {
    [
        hosts::TABLE,
        storage::TABLE,
        database::TABLE,
        kompira::TABLE,
        kompira_logging::TABLE,
        kompira_certificates::TABLE,
    ]
    .into_iter()
    .flatten()
}

/// The variable called `name`; `kengine_logging_level` and the like are found by their general name.
pub fn known(name: &str) -> Option<&'static Variable> {
    let exact = |name: &str| all().find(|variable| variable.name == name);
    exact(name).or_else(|| {
        let general = ["kengine_", "kompira_", "jobmngrd_"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))?;
        let is_logging = general.starts_with("logging_") || general.starts_with("audit_logging_");
        is_logging.then(|| exact(general))?
    })
}

/// Names of older Ansible versions and what they are called now.
pub const OLD_NAMES: &[(&str, &str)] = &[
    ("ansible_ssh_host", "ansible_host"),
    ("ansible_ssh_port", "ansible_port"),
    ("ansible_ssh_user", "ansible_user"),
    ("ansible_become_pass", "ansible_become_password"),
    ("ansible_sudo_pass", "ansible_become_password"),
];

/// The known variable that `name` was probably meant to be.
///
/// Stricter than the suggestion for keys: a foreign inventory has many variables of its own, and
/// names that merely begin alike must pass.
pub fn near(name: &str) -> Option<&'static str> {
    let allowed = match name.len() {
        0..=4 => return None,
        5..=7 => 1,
        _ => 2,
    };
    all()
        .map(|variable| (strsim::osa_distance(name, variable.name), variable.name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

const fn row(
    layer: Layer,
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    doc: &'static str,
) -> Variable {
    Variable {
        name,
        kind,
        default,
        doc,
        layer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_documented() {
        let mut seen = BTreeSet::new();
        for variable in all() {
            assert!(seen.insert(variable.name), "{} twice", variable.name);
            assert!(variable.doc.len() > 10, "{}", variable.name);
            assert!(!variable.doc.contains('\n'), "{}", variable.name);
        }
        assert!(seen.len() > 90);
    }

    #[test]
    fn a_secret_is_known_by_its_name() {
        for variable in all().filter(|variable| variable.kind == Kind::Secret) {
            assert!(
                crate::yaml::names_a_secret(variable.name),
                "{}",
                variable.name
            );
        }
    }

    #[test]
    fn near_names_are_found_and_foreign_ones_pass() {
        let table = [
            ("docker_versoin", Some("docker_version")),
            ("ansible_hots", Some("ansible_host")),
            ("data_path_prot", Some("data_path_port")),
            ("postgres_port", None),
            ("docker_registry", None),
            ("http_proxy", None),
            ("t", None),
        ];
        for (name, expected) in table {
            assert_eq!(near(name), expected, "{name}");
        }
    }

    #[test]
    fn settings_of_one_service_are_known_by_their_general_name() {
        assert_eq!(
            known("kengine_logging_level").unwrap().name,
            "logging_level"
        );
        assert_eq!(known("kompira_host").unwrap().name, "kompira_host");
        assert!(known("kengine_tz").is_none());
    }
}
