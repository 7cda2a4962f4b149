//! What of a stack is on one node: its containers, networks of its name, and what RabbitMQ keeps there.
//!
//! RabbitMQ writes which nodes its cluster has, and which of them run, into two small files whenever that
//! changes (`rabbit_node_monitor`). Reading them costs nothing; `rabbitmqctl` would start a virtual machine
//! of Erlang for each look.
//!
//! Whether a broker serves is seen in its container's own network: what accepts connections there. A node that is paused
//! (`pause_minority`) or has not come up keeps its Erlang machine, and listens for no client.

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
    /// Ports on which RabbitMQ's containers here accept connections from other machines.
    pub listens: BTreeSet<u16>,
}

/// The service of RabbitMQ, as the document calls it.
pub const RABBITMQ: &str = "rabbitmq";

/// Whether it is a port that a broker has without serving anybody: epmd's and that of Erlang's distribution, which stay
/// open while it is paused or waits for others, and those that `rabbitmqctl` opens for itself. A paused node closes all of its listeners.
/// Sources: RabbitMQ's manual, "Networking" (ports), "Clustering and Network Partitions" (pause-minority mode); seen with 4.0.
pub fn is_idle(port: u16) -> bool {
    matches!(port, 4369 | 25672 | 35672..=35682)
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

    /// Whether a broker here listens for clients.
    pub fn serves(&self) -> bool {
        self.listens.iter().any(|port| !is_idle(*port))
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
         for c in $(docker ps --quiet --filter {}); do\n\
         p=$(docker inspect --format '{{{{.State.Pid}}}}' \"$c\") && [ \"$p\" -gt 0 ] || continue\n\
         grep -h ' 0A ' \"/proc/$p/net/tcp\" \"/proc/$p/net/tcp6\" | sed 's/^ */socket /'\n\
         done 2>/dev/null\n\
         echo end",
        quote(&format!("label={NAMESPACE}={}", about.stack)),
        quote(&format!("name=^{}$", about.network)),
        quote(&format!(
            "label=com.docker.swarm.service.name={}_{RABBITMQ}",
            about.stack
        )),
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
            "socket" => node.listens.extend(port(rest)),
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

/// The port of a line of `/proc/net/tcp` or `tcp6`, when others can connect to it: on 127.0.0.11 docker resolves names, and
/// nothing on a loopback address serves another machine. Addresses are written in words of the machine's own (little-endian)
/// byte order. Source: `proc_net_tcp.rst` of Linux.
fn port(line: &str) -> Option<u16> {
    let local = line.split_ascii_whitespace().nth(1)?;
    let (address, port) = local.split_once(':')?;
    let loopback = match address.len() {
        8 => address.ends_with("7F"),
        _ => {
            address == "00000000000000000000000001000000"
                || (address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"))
        }
    };
    let port = u16::from_str_radix(port, 16).ok()?;
    (!loopback).then_some(port)
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

    /// What Linux shows of a real node that `pause_minority` has paused (its two fellows were killed), with docker's resolver at
    /// 127.0.0.11 beside it; and what it listened on before.
    const PAUSED: &str = "\
socket 0: 00000000:6448 00000000:0000 0A 00000000:00000000 00:00000000 00000000   100        0 37356719 1 0000000061c13783 100 0 0 10 0
socket 1: 00000000:1111 00000000:0000 0A 00000000:00000000 00:00000000 00000000   100        0 37356698 1 000000001d4608b6 100 0 0 10 0
socket 2: 0B00007F:A0C3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 37286101 1 000000005b1d3cc0 100 0 0 10 0
socket 0: 00000000000000000000000000000000:1111 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   100        0 37356699 1 0000000074f70b17 100 0 0 10 0
";
    const CLIENTS: &str = "\
socket 1: 00000000000000000000000000000000:1628 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   100        0 37371706 1 000000000c87f74c 100 0 0 10 0
";

    #[test]
    fn a_broker_serves_when_it_listens_for_clients() {
        let told = |sockets: &str| {
            let said = format!("container running ke2_rabbitmq\n{sockets}end\n");
            match parse(&said, "") {
                Seen::Is(node) => node,
                Seen::Unknown(why) => panic!("{why}"),
            }
        };
        let up = told(&format!("{PAUSED}{CLIENTS}"));
        assert_eq!(up.listens, BTreeSet::from([4369, 5672, 25672]));
        assert!(up.serves());
        let paused = told(PAUSED);
        assert_eq!(paused.listens, BTreeSet::from([4369, 25672]));
        assert!(!paused.serves());
        // `rabbitmqctl` at work, and a listener that no other machine reaches.
        let busy = "socket 5: 00000000:8B58 00000000:0000 0A 0\nsocket 6: 0100007F:1628 00000000:0000 0A 0\n\
                    socket 7: 00000000000000000000000001000000:1628 0:0 0A 0\n\
                    socket 8: 0000000000000000FFFF00000100007F:1628 0:0 0A 0\n";
        assert!(!told(&format!("{PAUSED}{busy}")).serves());
        assert!(!told("").serves());
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
