//! The stack of Kompira Enterprise, rendered natively: no detour by `docker compose config`, whose output
//! is another format, unquotes numbers and bakes the name of a folder into objects (KOMPIRA.md, DOMAIN 1.19).
//!
//! It is typed data rather than a text template: YAML that is put together as text has to quote every value
//! rightly at every place, and an overlay could only be merged after parsing it again.

mod configs;
pub mod database;
mod services;
mod settings;

pub(crate) use settings::Settings;

use super::file::{StackFile, short_hash};
use crate::module::{Context, Unfit};
use crate::yaml::{Node, Span, Value as Yaml};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The services that make the secret key of a new database, or wait for it.
pub(crate) const USE_THE_KEY: [&str; 3] = ["jobmngrd", "kengine", "kompira"];

/// The variables of the environment that hold secrets.
pub(crate) const SECRETS: [&str; 3] = ["DATABASE_URL", "AMQP_URL", "RABBITMQ_ERLANG_COOKIE"];

/// The document of these settings, the overlay not yet laid over it.
pub(crate) fn render(
    name: &str,
    settings: &Settings,
    context: &Context<'_>,
) -> Result<StackFile, Unfit> {
    let mut files = BTreeMap::new();
    let mut objects = Map::new();
    for config in &configs::CONFIGS {
        let text = if config.file == configs::CLUSTER {
            configs::cluster(settings)
        } else {
            let path = Node {
                span: Span::builtin("configuration of the stack"),
                value: Yaml::Text(format!("templates/kompira/{}", config.file)),
            };
            let template = (context.file)(&path)?;
            configs::fill(&String::from_utf8_lossy(&template), settings)
        };
        let object = format!(
            "{}_{}_{}",
            settings.project,
            config.key,
            short_hash(text.as_bytes())
        );
        objects.insert(
            config.key.to_owned(),
            json!({ "name": object, "file": format!("./{}", config.file) }),
        );
        files.insert(config.file.to_owned(), text);
    }
    let network = format!("{}_default", settings.project);
    let mut document = json!({
        "version": "3.8",
        "services": services::all(settings),
        "networks": { "default": { "name": network, "driver": "overlay" } },
    });
    if !settings.rabbitmq_data.starts_with('/') {
        let volume = format!("{}_{}", settings.project, settings.rabbitmq_data);
        document["volumes"] = json!({});
        document["volumes"][&settings.rabbitmq_data] = json!({ "name": volume });
    }
    document["configs"] = Value::Object(objects);
    Ok(StackFile::new(name, document, files))
}
