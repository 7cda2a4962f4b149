//! The acts of a stack, with the refusals of docker and of the hosts.

use super::authority;
use super::cluster::Cluster;
use super::share::is_shared;
use super::stack::{RABBITMQ, Service};
use provision::plan::{Content, Reload, Request, StackAct};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a document declares.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    pub services: BTreeMap<String, Service>,
    configs: BTreeSet<String>,
    networks: BTreeSet<String>,
}

thread_local! {
    /// By checksum: the same document is given again and again.
    static READ: RefCell<BTreeMap<String, Declared>> = const { RefCell::new(BTreeMap::new()) };
}

fn hash_of(value: &Value) -> String {
    Content::plain(value.to_string()).sha256()
}

/// As the docker client reads it: `$$` is `$`.
fn read(stack: &str, document: &Content) -> Declared {
    let text = String::from_utf8(document.bytes.clone()).unwrap();
    let source = provision::yaml::Source {
        name: "docker-swarm.yml".into(),
        text: text.replace("$$", "$"),
    };
    let document = provision::yaml::load(&Arc::new(source)).unwrap().to_json();
    let name_of = |kind: &str, key: &str| {
        let named = document[kind][key]["name"].as_str();
        named.map_or_else(|| format!("{stack}_{key}"), str::to_owned)
    };
    let mut declared = Declared::default();
    for (key, service) in document["services"].as_object().into_iter().flatten() {
        let deploy = &service["deploy"];
        let mut environment: Vec<String> = service["environment"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| match value.as_str() {
                Some(text) => format!("{name}={text}"),
                None => format!("{name}={value}"),
            })
            .collect();
        environment.sort();
        let mut container = service.clone();
        container["deploy"] = deploy["placement"].clone();
        let configs = service["configs"].as_array().into_iter().flatten();
        let configs: BTreeSet<String> = configs
            .filter_map(|config| Some(name_of("configs", config["source"].as_str()?)))
            .collect();
        let binds = service["volumes"].as_array().into_iter().flatten();
        let binds = binds.filter(|one| one["type"] == "bind");
        let made_from = format!("{}{configs:?}", hash_of(&container));
        let made = Service {
            spec: deploy["labels"]["provision.spec"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            image: service["image"].as_str().unwrap_or_default().to_owned(),
            replicas: deploy["replicas"].as_u64().unwrap_or(1),
            most: deploy["placement"]["max_replicas_per_node"]
                .as_u64()
                .unwrap_or(u64::MAX),
            environment: Content::plain(environment.join("\0")).sha256(),
            binds: binds
                .filter_map(|bind| bind["source"].as_str().map(str::to_owned))
                .collect(),
            made_from,
            configs,
            updating: 0,
            updated: false,
            by_hand: false,
        };
        declared.configs.extend(made.configs.iter().cloned());
        declared.services.insert(format!("{stack}_{key}"), made);
    }
    let networks = document["networks"].as_object().into_iter().flatten();
    declared.networks = networks.map(|(key, _)| name_of("networks", key)).collect();
    declared
}

/// What a document declares for a stack.
pub fn declared(stack: &str, document: &Content) -> Declared {
    READ.with_borrow_mut(|known| {
        let made = known.entry(document.sha256());
        made.or_insert_with(|| read(stack, document)).clone()
    })
}

impl Cluster {
    /// Obeys; with `half` what has a middle breaks off there.
    ///
    /// # Errors
    /// In the host's words.
    pub fn stack_obey(&mut self, h: usize, act: &StackAct, half: bool) -> Result<(), String> {
        let of_share = matches!(act, StackAct::MakeKey { .. } | StackAct::Certify(_));
        if !of_share && !self.swarm.hosts[h].running {
            return Err("Cannot connect to the Docker daemon".into());
        }
        match act {
            StackAct::Deploy {
                stack, document, ..
            } => self.deploy(h, declared(stack, document), half),
            StackAct::PruneConfigs { names } => {
                let stack = self.stack_of(h)?;
                for name in names {
                    let mut users = stack.services.values();
                    if users.any(|service| service.configs.contains(name)) {
                        return Err(format!("config '{name}' is in use"));
                    }
                    stack.configs.remove(name);
                }
                Ok(())
            }
            StackAct::Remove { .. } => {
                *self.stack_of(h)? = super::stack::Stack::default();
                Ok(())
            }
            StackAct::RemoveService { name } => {
                self.stack_of(h)?.services.remove(name);
                Ok(())
            }
            StackAct::ForgetNode { node, .. } => {
                if !self.containers[h].runs(RABBITMQ) {
                    return Err("no container of it runs here".into());
                }
                self.forget_broker(h, node)
            }
            StackAct::Reload { service, how } => {
                let certificate = self.served_certificate(h);
                if certificate.is_none() && matches!(how, Reload::Rabbitmq(_)) {
                    return Err("install: cannot stat '/run/.kompira_ssl/server.crt'".into());
                }
                for one in &mut self.containers[h].running {
                    if one.service == *service && certificate.is_some() {
                        one.loaded.clone_from(&certificate);
                    }
                }
                Ok(())
            }
            StackAct::Pull { image } | StackAct::Load { image, .. } => {
                self.containers[h].images.insert(image.clone());
                Ok(())
            }
            StackAct::MakeKey { path, content } => {
                if !is_shared(path) || self.shared(h, path)?.is_some() {
                    return Err(format!("{path} exists already, and is left as it is"));
                }
                self.share_file(h, path, &content.bytes, 0o600)
            }
            StackAct::Certify(request) => self.certify(h, request, half),
        }
    }

    /// What the managers keep, through one of them.
    fn stack_of(&mut self, h: usize) -> Result<&mut super::stack::Stack, String> {
        let c = self
            .swarm
            .speaks(h)
            .ok_or("This node is not a swarm manager.")?;
        Ok(self.stacks.entry(c).or_default())
    }

    /// `docker stack deploy`: networks, configs, then one service after the other.
    fn deploy(&mut self, h: usize, declared: Declared, half: bool) -> Result<(), String> {
        let ids: Vec<(String, String)> = declared
            .networks
            .into_iter()
            .map(|name| (name, self.swarm.fresh("net")))
            .collect();
        let stack = self.stack_of(h)?;
        for (name, id) in ids {
            stack.networks.entry(name).or_insert(id);
        }
        stack.configs.extend(declared.configs);
        let count = declared.services.len();
        let reached = if half { count / 2 } else { count };
        for (name, mut new) in declared.services.into_iter().take(reached) {
            if let Some(old) = stack.services.get(&name) {
                new.updated = true;
                new.updating = u32::from(old.made_from != new.made_from) * 3;
            }
            stack.services.insert(name, new);
        }
        if half {
            return Err("connection lost".into());
        }
        Ok(())
    }

    /// The share gets three files, one after the other.
    fn certify(&mut self, h: usize, request: &Request, half: bool) -> Result<(), String> {
        let [ca, server, key] = authority::make(request)?;
        let place = |file: &str, kind: &str| format!("{}/{file}.{kind}", request.folder);
        let mut put = |file: &str, kind: &str, text: &str, mode| {
            self.share_file(h, &place(file, kind), text.as_bytes(), mode)
        };
        put(&request.ca.file, "crt", &ca, 0o644)?;
        put(&request.server.file, "key", &key, 0o600)?;
        if half {
            return Err("connection lost".into());
        }
        put(&request.server.file, "crt", &server, 0o644)
    }
}
