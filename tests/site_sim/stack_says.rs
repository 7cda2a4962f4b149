//! What hosts tell of the stack, its certificates and its images.

use super::cluster::Cluster;
use super::gluster::MOUNT;
use super::share::is_shared;
use super::stack::{RABBITMQ, State, Task};
use provision::probe::certificate::{Pair, Place, facts, public_half};
use provision::probe::image::Image;
use provision::probe::machine::Filesystem;
use provision::probe::presented::{About as Shows, Presented};
use provision::probe::stack::{Service, Stack, Task as Told};
use provision::probe::stack_node::{Members, Node};
use provision::probe::{Answer, Query, Seen};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Where the certificates are.
pub const SSL: &str = "/mnt/gluster/ssl";

/// What the hosts' clocks show: years before the certificates end that are made while the test runs.
const NOW_S: i64 = 1_780_000_000;

thread_local! {
    /// Certificates are read once: what they say never changes.
    static READ: RefCell<BTreeMap<[Option<Vec<u8>>; 3], Pair>> = const { RefCell::new(BTreeMap::new()) };
    static PRINTS: RefCell<BTreeMap<Vec<u8>, String>> = const { RefCell::new(BTreeMap::new()) };
}

fn print_of(pem: &[u8]) -> String {
    PRINTS.with_borrow_mut(|known| {
        let made = known.entry(pem.to_vec());
        made.or_insert_with(|| facts(pem, None).sha256).clone()
    })
}

/// Whether it is about what the volume holds, and hangs with it.
pub fn of_stack(query: &Query) -> bool {
    match query {
        Query::Path(path) | Query::Filesystem(path) => is_shared(path) || path == MOUNT,
        Query::Stack(_)
        | Query::StackNode(_)
        | Query::Image(_)
        | Query::Presented(_)
        | Query::Certificates(_)
        | Query::Tables(_) => true,
        _ => false,
    }
}

impl Cluster {
    /// The answer to a question of the stack; `None` for any other.
    pub fn stack_says(&self, h: usize, query: &Query) -> Option<Seen<Answer>> {
        Some(Seen::Is(match query {
            Query::Filesystem(path) if is_shared(path) || path == MOUNT => {
                return Some(self.space(h));
            }
            Query::Path(path) if is_shared(path) => match self.shared(h, path) {
                Ok(entry) => Answer::Path(super::says::path_state(entry)),
                Err(why) => return Some(Seen::Unknown(why)),
            },
            Query::Stack(_) => Answer::Stack(self.services_say(h)),
            Query::StackNode(_) => Answer::StackNode(self.node_says(h)),
            Query::Image(name) => {
                let has = self.swarm.hosts[h].running && self.containers[h].images.contains(name);
                Answer::Image(has.then(|| Image {
                    id: format!("sha256:{name}"),
                    repo_digests: None,
                }))
            }
            Query::Certificates(place) => match self.pair(h, place) {
                Ok(pair) => Answer::Certificates(pair),
                Err(why) => return Some(Seen::Unknown(why)),
            },
            Query::Presented(about) => Answer::Presented(self.presented(h, about)),
            Query::Tables(name) => {
                let own = &self.databases[h];
                match &own.data {
                    None => Answer::Tables(None),
                    Some(_) if !own.running => {
                        let why = "there is a data directory, and no server runs on it";
                        return Some(Seen::Unknown(why.into()));
                    }
                    Some(data) => {
                        let count = if data.key.is_some() { 37 } else { 0 };
                        Answer::Tables(data.databases.contains_key(name).then_some(count))
                    }
                }
            }
            _ => return None,
        }))
    }

    fn space(&self, h: usize) -> Seen<Answer> {
        let (place, kind) = match self.gluster[h].mounted {
            true if self.gluster[h].client_killed || self.bricks_from(h).is_empty() => {
                return Seen::Unknown("df: Transport endpoint is not connected".into());
            }
            true => (MOUNT, "fuse.glusterfs"),
            false => ("/", "xfs"),
        };
        Seen::Is(Answer::Filesystem(Filesystem {
            mount_point: place.into(),
            kind: kind.into(),
            free_bytes: 50 << 30,
            inodes_used_percent: 3,
        }))
    }

    fn services_say(&self, h: usize) -> Stack {
        if !self.swarm.hosts[h].running {
            return Stack {
                error: "docker.service is inactive".into(),
                ..Stack::default()
            };
        }
        let client = "26.1.5".to_owned();
        let Some(c) = self.swarm.speaks(h) else {
            return Stack {
                client,
                error: "This node is not a swarm manager.".into(),
                ..Stack::default()
            };
        };
        let Some(stack) = self.stacks.get(&c) else {
            return Stack {
                client,
                services: Some(BTreeMap::new()),
                ..Stack::default()
            };
        };
        let services = stack.services.iter().map(|(name, service)| {
            let update = match (service.updated, service.updating) {
                (false, _) => "",
                (true, 0) => "completed",
                (true, _) => "updating",
            };
            let told = Service {
                spec: service.spec.clone(),
                image: service.image.clone(),
                replicas: Some(service.replicas),
                most_per_node: if service.most > 1000 { 0 } else { service.most },
                environment: service.environment.clone(),
                configs: service.configs.clone(),
                update: update.into(),
                message: String::new(),
            };
            (name.clone(), told)
        });
        let nodes = &self.swarm.clusters[c].nodes;
        let told = |task: &Task| Told {
            name: format!("{}.{}", task.service, task.slot),
            node: nodes
                .get(&task.node)
                .map(|node| node.hostname.clone())
                .unwrap_or_default(),
            desired: if task.wanted { "running" } else { "shutdown" }.into(),
            state: match task.state {
                State::Pending => "pending",
                State::Preparing(_) => "preparing",
                State::Running => "running",
                State::Shutdown => "shutdown",
                State::Failed => "failed",
                State::Rejected => "rejected",
            }
            .into(),
            error: task.error.clone(),
        };
        let mut tasks: Vec<Told> = stack.tasks.iter().map(told).collect();
        tasks.sort();
        Stack {
            client,
            services: Some(services.collect()),
            tasks,
            configs: stack.configs.clone(),
            networks: stack.networks.keys().cloned().collect(),
            error: String::new(),
        }
    }

    fn node_says(&self, h: usize) -> Node {
        let own = &self.containers[h];
        let mut node = Node::default();
        if !self.swarm.hosts[h].running {
            return node;
        }
        for one in &own.running {
            *node.running.entry(one.service.clone()).or_default() += 1;
        }
        node.ended = own.ended;
        let of = self.swarm.hosts[h].disk.as_ref().map(|disk| disk.cluster);
        if let Some(stack) = of.and_then(|c| self.stacks.get(&c))
            && (self.swarm.speaks(h).is_some() || !own.running.is_empty())
        {
            node.networks = stack.networks.values().cloned().collect();
        }
        if own.runs(RABBITMQ) {
            node.listens.extend([4369, 25672]);
            if own.broker.as_ref().is_some_and(|broker| broker.up) {
                node.listens.extend([5671, 5672, 15692]);
            }
        }
        if let Some(broker) = &own.broker {
            let members = Members {
                all: broker.all.clone(),
                running: broker.running.clone(),
            };
            node.rabbitmq.insert(self.broker_name(h), members);
        }
        node
    }

    /// # Errors
    /// When the volume does not answer.
    pub fn pair(&self, h: usize, place: &Place) -> Result<Pair, String> {
        let folder = &place.folder;
        self.shared(h, folder)?;
        let file = |name: String| {
            let path = format!("{folder}/{name}");
            self.shared_bytes(h, &path).map(<[u8]>::to_vec)
        };
        let files = [
            file(format!("{}.crt", place.ca)),
            file(format!("{}.crt", place.server)),
            file(format!("{}.key", place.server)),
        ];
        let read = |[ca, server, key]: &[Option<Vec<u8>>; 3]| {
            let of = |pem: &Vec<u8>| facts(pem, ca.as_deref());
            Pair {
                now_s: NOW_S,
                ca: ca.as_ref().map(of),
                server: server.as_ref().map(of),
                key: key.as_ref().map(|pem| public_half(pem).unwrap_or_default()),
                ca_key: false,
            }
        };
        let pair = READ.with_borrow_mut(|known| {
            let made = known.entry(files);
            made.or_insert_with_key(read).clone()
        });
        Ok(pair)
    }

    /// The certificate that a server on this host would load.
    pub fn served_certificate(&self, h: usize) -> Option<Vec<u8>> {
        self.shared_bytes(h, &format!("{SSL}/server.key"))?;
        let path = format!("{SSL}/server.crt");
        self.shared_bytes(h, &path).map(<[u8]>::to_vec)
    }

    fn presented(&self, h: usize, about: &Shows) -> Presented {
        let mut told = Presented {
            file: self.shared_bytes(h, &about.file).map(print_of),
            listeners: BTreeMap::new(),
        };
        if !self.swarm.hosts[h].running {
            return told;
        }
        for (service, _) in &about.listeners {
            let own = self.containers[h].running.iter();
            for one in own.filter(|one| one.service == *service) {
                let shown = told.listeners.entry(service.clone()).or_default();
                shown.extend(one.loaded.as_deref().map(print_of));
            }
        }
        told
    }
}
