//! What can be claimed of a stack, and of what it needs.

use crate::probe::{Answer, PathState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What must hold of an answer about a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackExpect {
    /// These services carry these labels `provision.spec`.
    Deployed(BTreeMap<String, String>),
    /// Each service has at least so many running tasks, and none is being updated.
    Runs(BTreeMap<String, usize>),
    /// None of these configs is there.
    WithoutConfigs(BTreeSet<String>),
    /// Nothing of the stack is there.
    Gone,
    /// The service is not there.
    WithoutService(String),
    /// Nothing of the stack is left on this node.
    Left,
    /// The node of RabbitMQ here has seen all of these running.
    RabbitSees(BTreeSet<String>),
    /// The node of RabbitMQ here listens for clients.
    RabbitServes,
    /// The node of RabbitMQ here does not know this one, or sees it run: one whose task is there joins again at once.
    RabbitForgot(String),
    /// RabbitMQ has left nothing here.
    RabbitBlank,
    /// Containers of the service here present the certificate of the file.
    Presents(String),
    /// The image is there.
    HasImage,
    /// A regular file is there.
    FileThere,
    /// A regular file with at least one byte is there.
    FileFilled,
    /// The server's certificate fits its key and its authority, and has these names.
    Certified(BTreeSet<String>),
    /// The path is on a file system of its own, of one of these types (any, when none is named).
    Mounted {
        /// Where.
        path: String,
        /// `fuse.glusterfs`, `nfs4` …
        kinds: Vec<String>,
    },
}

impl StackExpect {
    pub(super) fn holds(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Deployed(specs), Answer::Stack(stack)) => {
                stack.services.as_ref().is_some_and(|services| {
                    specs.iter().all(|(name, spec)| {
                        services
                            .get(name)
                            .is_some_and(|service| service.spec == *spec)
                    })
                })
            }
            (Self::Runs(wanted), Answer::Stack(stack)) => {
                let calm = stack.services.as_ref().is_some_and(|services| {
                    wanted.keys().all(|name| {
                        services
                            .get(name)
                            .is_some_and(|service| service.update != "updating")
                    })
                });
                calm && wanted
                    .iter()
                    .all(|(name, count)| stack.running(name) >= *count)
            }
            (Self::WithoutConfigs(names), Answer::Stack(stack)) => {
                stack.services.is_some() && stack.configs.is_disjoint(names)
            }
            (Self::Gone, Answer::Stack(stack)) => stack.is_gone(),
            (Self::WithoutService(name), Answer::Stack(stack)) => stack
                .services
                .as_ref()
                .is_some_and(|services| !services.contains_key(name)),
            (Self::Left, Answer::StackNode(node)) => {
                node.running.is_empty() && node.ended == 0 && node.networks.is_empty()
            }
            (Self::RabbitSees(wanted), Answer::StackNode(node)) => {
                let mut known = node.rabbitmq.values();
                known.any(|members| members.running.is_superset(wanted))
            }
            (Self::RabbitServes, Answer::StackNode(node)) => node.serves(),
            (Self::RabbitForgot(gone), Answer::StackNode(node)) => {
                let known: Vec<_> = node.rabbitmq.values().collect();
                !known.is_empty()
                    && known.iter().all(|members| {
                        !members.all.contains(gone) || members.running.contains(gone)
                    })
            }
            (Self::RabbitBlank, Answer::StackNode(node)) => node.rabbitmq.is_empty(),
            (Self::Presents(service), Answer::Presented(presented)) => {
                presented.file.is_some() && !presented.is_stale(service)
            }
            (Self::HasImage, Answer::Image(image)) => image.is_some(),
            (Self::FileThere, Answer::Path(state)) => matches!(state, PathState::File { .. }),
            (Self::FileFilled, Answer::Path(state)) => {
                matches!(state, PathState::File { size, .. } if *size > 0)
            }
            (Self::Certified(names), Answer::Certificates(pair)) => {
                pair.server.as_ref().is_some_and(|server| {
                    server.signed
                        && pair.key.as_ref() == Some(&server.public_key)
                        && server.names.is_superset(names)
                })
            }
            (Self::Mounted { path, kinds }, Answer::Filesystem(mounted)) => {
                is_mounted(&mounted.mount_point, &mounted.kind, path, kinds)
            }
            _ => false,
        }
    }
}

/// Whether what is mounted at `point` serves `path`: it is that place or above it, and not the root.
pub(crate) fn is_mounted(point: &str, kind: &str, path: &str, kinds: &[String]) -> bool {
    let covers = point != "/"
        && path
            .strip_prefix(point)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    covers && (kinds.is_empty() || kinds.iter().any(|wanted| wanted == kind))
}

impl fmt::Display for StackExpect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &mut dyn Iterator<Item = &String>| {
            names.map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Deployed(specs) => {
                write!(f, "the Swarm has {} as declared", names(&mut specs.keys()))
            }
            Self::Runs(wanted) => {
                let counts: Vec<String> = wanted
                    .iter()
                    .map(|(name, count)| format!("{name} {count}"))
                    .collect();
                write!(f, "running tasks: {}", counts.join(", "))
            }
            Self::WithoutConfigs(gone) => {
                write!(f, "the configs {} are gone", names(&mut gone.iter()))
            }
            Self::Gone => f.write_str("nothing of the stack is there"),
            Self::WithoutService(name) => write!(f, "the service {name} is gone"),
            Self::Left => f.write_str("nothing of the stack is left on the node"),
            Self::RabbitSees(wanted) => {
                write!(f, "RabbitMQ sees {} running", names(&mut wanted.iter()))
            }
            Self::RabbitServes => f.write_str("RabbitMQ serves"),
            Self::RabbitForgot(node) => write!(f, "RabbitMQ has forgotten {node}"),
            Self::RabbitBlank => f.write_str("RabbitMQ has no data there"),
            Self::Presents(service) => {
                write!(f, "{service} presents the certificate of the share")
            }
            Self::HasImage => f.write_str("the image is there"),
            Self::FileThere => f.write_str("the file is there"),
            Self::FileFilled => f.write_str("the file is there, and not empty"),
            Self::Certified(_) => {
                f.write_str("the certificate fits its key, its authority and the names")
            }
            Self::Mounted { path, .. } => write!(f, "{path} is mounted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::stack_node::{Members, Node};

    #[test]
    fn a_forgotten_node_may_have_joined_again_already() {
        let told = |all: &[&str], running: &[&str]| {
            let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let members = Members {
                all: set(all),
                running: set(running),
            };
            Answer::StackNode(Node {
                rabbitmq: [("a".to_owned(), members)].into(),
                ..Node::default()
            })
        };
        let forgot = StackExpect::RabbitForgot("b".to_owned());
        assert!(!forgot.holds(&told(&["a", "b"], &["a"])));
        assert!(forgot.holds(&told(&["a"], &["a"])));
        assert!(forgot.holds(&told(&["a", "b"], &["a", "b"])));
        assert!(!forgot.holds(&Answer::StackNode(Node::default())));
    }
}
