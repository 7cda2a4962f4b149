//! Every node of RabbitMQ sees the same nodes.

use super::{Checks, Result};
use crate::inventory::HostName;
use crate::probe::shell::quote;
use futures_util::future::join_all;
use std::collections::BTreeSet;

const NAME: &str = "rabbitmq";

type Nodes = BTreeSet<String>;

pub(super) async fn check(checks: &Checks<'_>) -> Vec<Result> {
    let hosts = checks.kompira();
    let Some(first) = hosts.first() else {
        return vec![Result::off(NAME, super::NO_KOMPIRA)];
    };
    let replicas = checks
        .variable(first, "swarm_replicas")
        .and_then(|text| text.parse().ok())
        .unwrap_or(hosts.len());
    let wanted = hosts.len().min(replicas);
    let seen = join_all(hosts.iter().map(|host| one(checks, host))).await;
    let all: BTreeSet<&Nodes> = seen.iter().flatten().flatten().collect();
    let tell = |found: &Option<Nodes>| match found {
        // Not every host has a task, when there are fewer tasks than hosts.
        None if wanted < hosts.len() => Ok("no task of it runs here".to_owned()),
        None => Err("no task of it runs here".to_owned()),
        Some(nodes) => {
            let list: Vec<&str> = nodes.iter().map(String::as_str).collect();
            let list = list.join(", ");
            if all.len() > 1 {
                Err(format!("sees {list}, and others see other nodes"))
            } else if nodes.len() < wanted {
                Err(format!("sees {list}, {} of {wanted}", nodes.len()))
            } else {
                Ok(format!("sees {list}"))
            }
        }
    };
    hosts
        .iter()
        .zip(&seen)
        .map(|(host, found)| {
            let found = found.clone().and_then(|found| tell(&found));
            Result::of(NAME, host, found)
        })
        .collect()
}

async fn one(checks: &Checks<'_>, host: &HostName) -> std::result::Result<Option<Nodes>, String> {
    let stack = checks.variable(host, "stack_name").unwrap_or_default();
    let label = format!("label=com.docker.swarm.service.name={stack}_rabbitmq");
    let script = format!(
        "c=$(docker ps -q --filter {} | head -n 1); [ -n \"$c\" ] || exit 0\n\
         docker exec \"$c\" rabbitmqctl -q cluster_status --formatter json",
        quote(&label)
    );
    let said = checks.remote.check(host, script, Vec::new()).await?;
    if said.is_empty() {
        return Ok(None);
    }
    let status: serde_json::Value = serde_json::from_str(&said)
        .map_err(|error| format!("rabbitmqctl says what is not JSON: {error}"))?;
    let running = status["running_nodes"].as_array().into_iter().flatten();
    Ok(Some(
        running
            .filter_map(|node| node.as_str().map(str::to_owned))
            .collect(),
    ))
}
