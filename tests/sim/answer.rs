//! The simulated hosts answer typed questions, in the words of the real engine.

use super::world::{Phase, World};
use provision::inventory::HostName;
use provision::probe::docker::{self, Docker, Engine, Peer, Roster, Trace};
use provision::probe::network::Interface;
use provision::probe::{Answer, Query, Seen};

const NO_LEADER: &str = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.";

impl World {
    pub fn answer(&self, host: &HostName, query: &Query) -> Seen<Answer> {
        let h = self.host(host);
        if !self.reachable(h) {
            return Seen::Unknown("no route to host".to_owned());
        }
        match query {
            Query::Docker => Seen::Is(Answer::Docker(self.docker(h))),
            Query::SwarmNodes => Seen::Is(Answer::SwarmNodes(self.roster(h))),
            Query::Interfaces => {
                let interface = |name: &str, driver: &str, address: String| Interface {
                    name: name.to_owned(),
                    driver: driver.to_owned(),
                    addresses: vec![address],
                    up: true,
                };
                Seen::Is(Answer::Interfaces(vec![
                    interface("lo", "", "127.0.0.1/8".to_owned()),
                    interface("eth0", "virtio_net", format!("{}/24", self.hosts[h].addr)),
                ]))
            }
            other => Seen::Unknown(format!("the simulation does not know {other:?}")),
        }
    }

    /// Addresses of the managers of a swarm.
    fn managers(&self, cluster: usize) -> Vec<String> {
        let mut managers: Vec<String> = self.clusters[cluster]
            .nodes
            .values()
            .filter(|node| node.vote)
            .map(|node| format!("{}:2377", node.addr))
            .collect();
        managers.sort();
        managers
    }

    fn docker(&self, h: usize) -> Docker {
        let host = &self.hosts[h];
        let trace = match &host.disk {
            None => Trace::default(),
            Some(disk) => Trace {
                state: !matches!(disk.phase, Phase::Joining(_)),
                ca_sha256: self.clusters[disk.cluster].ca.clone(),
                managers: self.managers(disk.cluster),
            },
        };
        if !host.running {
            return Docker {
                installed: host.installed,
                silent: "docker.service is inactive".to_owned(),
                trace,
                marked: host.marked,
                ..Docker::default()
            };
        }
        let swarm = match &host.disk {
            None => docker::Swarm {
                local_node_state: "inactive".to_owned(),
                ..docker::Swarm::default()
            },
            Some(disk) => {
                let active = disk.phase == Phase::Active;
                let state = match disk.phase {
                    Phase::Joining(_) | Phase::Starting => "pending",
                    Phase::Active => "active",
                    Phase::Locked => "locked",
                    Phase::Failed => "error",
                };
                let cluster = &self.clusters[disk.cluster];
                let told = active && disk.manager;
                let known = !matches!(disk.phase, Phase::Joining(_) | Phase::Locked);
                docker::Swarm {
                    node_id: if known {
                        disk.node.clone()
                    } else {
                        String::new()
                    },
                    node_addr: host.addr.clone(),
                    local_node_state: state.to_owned(),
                    control_available: told,
                    error: if told && self.speaks(h).is_none() {
                        NO_LEADER.to_owned()
                    } else {
                        String::new()
                    },
                    remote_managers: self
                        .managers(disk.cluster)
                        .into_iter()
                        .map(|addr| Peer {
                            node_id: String::new(),
                            addr,
                        })
                        .collect(),
                    // A manager without a quorum sends the object with nothing in it.
                    cluster: told.then(|| match self.speaks(h) {
                        None => docker::Cluster::default(),
                        Some(_) => docker::Cluster {
                            id: cluster.id.clone(),
                            data_path_port: cluster.port,
                            default_addr_pool: cluster.pool.clone(),
                            subnet_size: cluster.subnet,
                        },
                    }),
                }
            }
        };
        Docker {
            installed: true,
            engine: Some(Engine {
                server_version: "26.1.5".to_owned(),
                live_restore_enabled: false,
                swarm,
            }),
            trace,
            marked: host.marked,
            ..Docker::default()
        }
    }

    fn roster(&self, h: usize) -> Roster {
        let Some(c) = self.speaks(h) else {
            return Roster {
                nodes: None,
                error: NO_LEADER.to_owned(),
            };
        };
        let cluster = &self.clusters[c];
        let nodes = cluster.nodes.iter().map(|(id, node)| {
            let joining = self.holder(c, id).is_some_and(|h| {
                matches!(
                    self.hosts[h].disk.as_ref().unwrap().phase,
                    Phase::Joining(_)
                )
            });
            let state = match (node.given_up(), joining) {
                (true, _) => "down",
                (false, true) => "unknown",
                (false, false) => "ready",
            };
            let reachability = match (node.vote, node.given_up()) {
                (false, _) => "",
                (true, false) => "reachable",
                (true, true) => "unreachable",
            };
            docker::Node {
                id: id.clone(),
                hostname: node.hostname.clone(),
                role: if node.manager { "manager" } else { "worker" }.to_owned(),
                availability: if node.drained { "drain" } else { "active" }.to_owned(),
                state: state.to_owned(),
                addr: node.addr.clone(),
                reachability: reachability.to_owned(),
                leader: cluster.leader.as_ref() == Some(id),
                manager_addr: if node.vote {
                    format!("{}:2377", node.addr)
                } else {
                    String::new()
                },
                labels: node.labels.clone(),
                version: 1,
            }
        });
        Roster {
            nodes: Some(nodes.collect()),
            error: String::new(),
        }
    }
}
