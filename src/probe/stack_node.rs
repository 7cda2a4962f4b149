//! What of a stack is on one node: its containers, networks of its name, and what RabbitMQ keeps there.
//!
//! RabbitMQ writes which nodes its cluster has, and which of them run, into two small files whenever that
//! changes (`rabbit_node_monitor`). Reading them costs nothing; `rabbitmqctl` would start a virtual machine
//! of Erlang for each look.

use super::Seen;
use super::shell::quote;
use super::stack::NAMESPACE;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct About {
    /// Name of the stack.
    pub stack: String,
    /// Name of its network.
    pub network: String,
    /// Volume, or absolute path, of RabbitMQ's data.
    pub rabbitmq: String,
}

/// What is on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// How many containers run of each service: `ke2_nginx`.
    pub running: BTreeMap<String, usize>,
    /// How many are there that do not run any more.
    pub ended: usize,
    /// Ids of networks with the stack's name: a manager lists those of the Swarm, too.
    pub networks: BTreeSet<String>,
    /// What nodes of RabbitMQ have left here, by their name: `rabbit@mq-ke2-server1`.
    pub rabbitmq: BTreeMap<String, Members>,
}

/// What a node of RabbitMQ knows of its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Members {
    /// All nodes, itself among them; empty when it has not written that down.
    pub all: BTreeSet<String>,
    /// Those that ran when it looked last.
    pub running: BTreeSet<String>,
}

impl Node {
    /// Whether a container of the service runs here.
    pub fn runs(&self, service: &str) -> bool {
        self.running.get(service).is_some_and(|count| *count > 0)
    }
}

pub(super) fn script(about: &About) -> String {
    let data = if about.rabbitmq.starts_with('/') {
        quote(&about.rabbitmq)
    } else {
        format!(
            "$(docker volume inspect --format '{{{{.Mountpoint}}}}' {} 2>/dev/null)",
            quote(&about.rabbitmq)
        )
    };
    format!(
        "s=$(systemctl is-active docker.service); [ \"$s\" = active ] || {{ echo \"docker.service is $s\" >&2; exit 0; }}\n\
         docker ps --all --filter {} --format 'container {{{{.State}}}} {{{{.Label \"com.docker.swarm.service.name\"}}}}' || exit\n\
         docker network ls --no-trunc --filter {} --format 'network {{{{.ID}}}} {{{{.Name}}}}' || exit\n\
         d={data}\n\
         if [ -n \"$d\" ]; then for f in \"$d\"/mnesia/rabbit@*; do\n\
         n=${{f##*/}}; [ -d \"$f\" ] || continue; case $n in *-plugins-expand) continue;; esac\n\
         echo \"rabbitmq $n\"\n\
         printf 'all '; tr -d '\\n' 2>/dev/null <\"$f/cluster_nodes.config\"; echo\n\
         printf 'running '; tr -d '\\n' 2>/dev/null <\"$f/nodes_running_at_shutdown\"; echo\n\
         done; fi 2>/dev/null\n\
         echo end",
        quote(&format!("label={NAMESPACE}={}", about.stack)),
        quote(&format!("name=^{}$", about.network)),
    )
}

pub(super) fn parse(stdout: &str, stderr: &str) -> Seen<Node> {
    if stderr.contains("docker.service is") {
        return Seen::Is(Node::default());
    }
    let mut node = Node::default();
    let mut last = String::new();
    let mut ended = false;
    for line in stdout.lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "container" => match rest.split_once(' ') {
                Some(("running", service)) => {
                    *node.running.entry(service.to_owned()).or_default() += 1;
                }
                _ => node.ended += 1,
            },
            "network" => node
                .networks
                .extend(rest.split(' ').next().map(str::to_owned)),
            "rabbitmq" => {
                last = rest.to_owned();
                node.rabbitmq.insert(last.clone(), Members::default());
            }
            "all" | "running" => {
                if let Some(members) = node.rabbitmq.get_mut(&last) {
                    let list = match kind {
                        "all" => &mut members.all,
                        _ => &mut members.running,
                    };
                    *list = nodes(rest);
                }
            }
            "end" => ended = true,
            _ => {}
        }
    }
    if ended {
        Seen::Is(node)
    } else {
        Seen::Unknown(format!(
            "the look at the stack's containers broke off: {}",
            stderr.trim()
        ))
    }
}

/// The atoms of an Erlang term that are names of nodes.
fn nodes(term: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_alphanumeric() || "_@.-".contains(c);
    term.split(|c| !part(c))
        .filter(|word| word.contains('@'))
        .map(|word| word.trim_end_matches('.').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_tells_its_containers_and_what_rabbitmq_knows() {
        let said = "container running ke2_nginx\ncontainer exited ke2_nginx\nnetwork abc swarm_default\n\
                    rabbitmq rabbit@mq-a\nall {['rabbit@mq-a',rabbit@b],['rabbit@mq-a',rabbit@b]}.\nrunning ['rabbit@mq-a'].\nend\n";
        let Seen::Is(node) = parse(said, "") else {
            panic!("unknown");
        };
        assert!(node.runs("ke2_nginx") && node.ended == 1 && node.networks.contains("abc"));
        let members = &node.rabbitmq["rabbit@mq-a"];
        assert_eq!(members.all.len(), 2);
        assert_eq!(members.running, BTreeSet::from(["rabbit@mq-a".to_owned()]));
    }

    #[test]
    fn no_engine_has_nothing_and_half_an_answer_is_none() {
        assert_eq!(
            parse("", "docker.service is inactive"),
            Seen::Is(Node::default())
        );
        let cut = parse("container running ke2_nginx\n", "");
        assert!(cut.unknown().is_some());
    }
}
