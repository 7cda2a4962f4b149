//! A stack's document with the files beside it, and what of it can be compared with what runs.

use super::kompira::{SECRETS, USE_THE_KEY, database};
use super::{emit, overlay};
use crate::yaml::{Node, names_a_secret};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Label of a service: SHA-256 of what was declared for it. It changes when, and only when, the document does.
pub const LABEL: &str = "provision.spec";

/// What stands where a secret is.
const MASK: &str = "••••••";

/// A document for `docker stack deploy` and the files that it names.
#[derive(Clone)]
pub struct StackFile {
    name: String,
    document: Value,
    /// Content by file name.
    pub files: BTreeMap<String, String>,
    /// What the document asks for: read once, and asked for at every look.
    wanted: OnceLock<Vec<Wanted>>,
}

impl std::fmt::Debug for StackFile {
    /// The document holds secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StackFile({})", self.name)
    }
}

/// What one service should be, as far as it can be seen of a running one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Its name in the Swarm: `ke2_redis`.
    pub name: String,
    /// What its label must say.
    pub spec: String,
    /// The image as declared.
    pub image: String,
    /// How many tasks; `None` for one on every node.
    pub replicas: Option<u64>,
    /// At most so many of them on one node.
    pub most_per_node: Option<u64>,
    /// Hash of its environment, in the form of [`hash_environment`].
    pub environment: String,
    /// Names of the configs that it is given.
    pub configs: BTreeSet<String>,
    /// Ports that go through the routing mesh.
    pub ingress: Vec<u64>,
}

impl StackFile {
    pub(super) fn new(name: &str, document: Value, files: BTreeMap<String, String>) -> Self {
        Self {
            name: name.to_owned(),
            document,
            files,
            wanted: OnceLock::new(),
        }
    }

    /// Name of the stack.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lays the user's overlay over it.
    pub fn lay_over(&mut self, overlay: &Node) {
        overlay::merge(&mut self.document, overlay);
        self.wanted.take();
    }

    /// With one task of each service that uses the secret key: the first of them writes it, and two that
    /// start at the same time might write two.
    #[must_use]
    pub fn careful(&self) -> Self {
        let mut careful = self.clone();
        careful.wanted.take();
        for service in USE_THE_KEY {
            if careful.document["services"][service].is_object() {
                careful.document["services"][service]["deploy"]["replicas"] = json!(1);
            }
        }
        careful
    }

    /// The text for `docker stack deploy`. Holds secrets.
    pub fn text(&self) -> String {
        emit::yaml(&self.labelled())
    }

    /// The text for people: secrets are masked.
    pub fn shown(&self) -> String {
        let mut shown = self.labelled();
        let services = shown["services"].as_object_mut();
        for (_, service) in services.into_iter().flatten() {
            mask(&mut service["environment"]);
        }
        emit::yaml(&shown)
    }

    /// The document with each service's own hash as a label of it.
    fn labelled(&self) -> Value {
        let mut document = self.document.clone();
        let hashes: Vec<(String, String)> = self
            .services()
            .map(|(name, service)| (name.clone(), self.spec(service)))
            .collect();
        for (name, hash) in hashes {
            let deploy = &mut document["services"][&name]["deploy"];
            match &mut deploy["labels"] {
                Value::Array(list) => list.push(json!(format!("{LABEL}={hash}"))),
                labels => labels[LABEL] = json!(hash),
            }
        }
        document
    }

    fn services(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.document["services"].as_object().into_iter().flatten()
    }

    /// The hash of a service and of all objects that are shared: a network of another kind concerns it as well.
    fn spec(&self, service: &Value) -> String {
        let shared = json!([
            service,
            self.document["networks"],
            self.document["volumes"],
            self.configs_of(service),
        ]);
        hash(shared.to_string().as_bytes())
    }

    fn configs_of(&self, service: &Value) -> BTreeSet<String> {
        let references = service["configs"].as_array().into_iter().flatten();
        references
            .filter_map(|reference| {
                let key = reference
                    .as_str()
                    .or_else(|| reference["source"].as_str())?;
                let named = self.document["configs"][key]["name"].as_str();
                Some(named.map_or_else(|| format!("{}_{key}", self.name), str::to_owned))
            })
            .collect()
    }

    /// What each service should be.
    pub fn wanted(&self) -> Vec<Wanted> {
        self.wanted.get_or_init(|| self.read_wanted()).clone()
    }

    fn read_wanted(&self) -> Vec<Wanted> {
        self.services()
            .map(|(name, service)| {
                let deploy = &service["deploy"];
                let global = deploy["mode"] == "global";
                Wanted {
                    name: format!("{}_{name}", self.name),
                    spec: self.spec(service),
                    image: service["image"].as_str().unwrap_or_default().to_owned(),
                    replicas: (!global).then(|| deploy["replicas"].as_u64().unwrap_or(1)),
                    most_per_node: deploy["placement"]["max_replicas_per_node"].as_u64(),
                    environment: hash_environment(environment(&service["environment"])),
                    configs: self.configs_of(service),
                    ingress: ingress(service),
                }
            })
            .collect()
    }

    /// All images, each once, sorted.
    pub fn images(&self) -> BTreeSet<String> {
        self.wanted()
            .into_iter()
            .map(|service| service.image)
            .collect()
    }

    /// Names of all configs.
    pub fn configs(&self) -> BTreeSet<String> {
        self.services()
            .flat_map(|(_, service)| self.configs_of(service))
            .collect()
    }
}

/// `NAME=VALUE` of a mapping or a list.
fn environment(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => format!("{name}={text}"),
                Value::Null => name.clone(),
                other => format!("{name}={other}"),
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// A hash of `NAME=VALUE`s in any order, so that an environment can be compared without being kept.
pub fn hash_environment(mut variables: Vec<String>) -> String {
    variables.sort();
    hash(variables.join("\0").as_bytes())
}

fn ingress(service: &Value) -> Vec<u64> {
    let ports = service["ports"].as_array().into_iter().flatten();
    ports
        .filter(|port| port["mode"] != "host")
        .filter_map(|port| port["published"].as_u64())
        .collect()
}

fn mask(environment: &mut Value) {
    let hide = |text: &str| {
        if text.contains("://") {
            database::masked(text, MASK)
        } else {
            MASK.to_owned()
        }
    };
    let secret = |name: &str| SECRETS.contains(&name) || names_a_secret(name);
    match environment {
        Value::Object(map) => {
            for (_, value) in map.iter_mut().filter(|(name, _)| secret(name)) {
                *value = json!(hide(value.as_str().unwrap_or_default()));
            }
        }
        Value::Array(items) => {
            for item in items {
                let Some((name, text)) = item.as_str().and_then(|item| item.split_once('=')) else {
                    continue;
                };
                if secret(name) {
                    *item = json!(format!("{name}={}", hide(text)));
                }
            }
        }
        _ => {}
    }
}

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The first eight digits, for names.
pub fn short_hash(bytes: &[u8]) -> String {
    let mut hash = hash(bytes);
    hash.truncate(8);
    hash
}
