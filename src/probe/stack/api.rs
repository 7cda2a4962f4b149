//! Services and other objects as the engine's API tells them.

use super::Service;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The names in a list of configs or networks.
pub(super) fn names(json: &str) -> BTreeSet<String> {
    let list: Vec<Named> = serde_json::from_str(json).unwrap_or_default();
    list.into_iter()
        .map(|one| {
            if one.name.is_empty() {
                one.spec.name
            } else {
                one.name
            }
        })
        .collect()
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Named {
    name: String,
    spec: NamedSpec,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct NamedSpec {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ApiService {
    spec: ApiSpec,
    update_status: Option<ApiUpdate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiSpec {
    name: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    task_template: ApiTemplate,
    #[serde(default)]
    mode: ApiMode,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiTemplate {
    container_spec: ApiContainer,
    #[serde(default)]
    placement: ApiPlacement,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ApiPlacement {
    max_replicas: u64,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ApiContainer {
    image: String,
    env: Option<Vec<String>>,
    configs: Option<Vec<ApiConfig>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiConfig {
    config_name: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ApiMode {
    replicated: Option<ApiReplicated>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ApiReplicated {
    replicas: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ApiUpdate {
    state: String,
    message: String,
}

impl ApiService {
    pub(super) fn flat(self) -> (String, Service) {
        let mut labels = self.spec.labels.unwrap_or_default();
        let template = self.spec.task_template;
        let container = template.container_spec;
        let update = self.update_status.unwrap_or_default();
        let mut variables = container.env.unwrap_or_default();
        variables.sort();
        let environment = Sha256::digest(variables.join("\0").as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let service = Service {
            spec: labels.remove("provision.spec").unwrap_or_default(),
            image: labels
                .remove("com.docker.stack.image")
                .unwrap_or(container.image),
            replicas: self
                .spec
                .mode
                .replicated
                .map(|mode| mode.replicas.unwrap_or(1)),
            most_per_node: template.placement.max_replicas,
            environment,
            configs: container
                .configs
                .unwrap_or_default()
                .into_iter()
                .map(|config| config.config_name)
                .collect(),
            update: update.state,
            message: update.message,
        };
        (self.spec.name, service)
    }
}
