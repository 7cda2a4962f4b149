//! The application answers over HTTPS on every host, and the certificate is one that clients of the
//! cluster's authority accept for that host's name.

use super::{Checks, Result};
use crate::inventory::HostName;
use crate::probe::shell::quote;
use futures_util::future::join_all;

const NAME: &str = "https";

pub(super) async fn check(checks: &Checks<'_>) -> Vec<Result> {
    let hosts = checks.kompira();
    if hosts.is_empty() {
        return vec![Result::off(NAME, super::NO_KOMPIRA)];
    }
    let found = join_all(hosts.iter().map(|host| one(checks, host))).await;
    let variable = |name: &str| checks.variable(&hosts[0], name);
    let replicas = variable("swarm_replicas").and_then(|text| text.parse().ok());
    let wanted = hosts.len().min(replicas.unwrap_or(hosts.len()));
    // Ports in host mode are only there where a task is, and there may be fewer tasks than hosts.
    let few = wanted < hosts.len() && variable("nginx_port_mode").as_deref() == Some("host");
    let enough = found.iter().filter(|found| found.is_ok()).count() >= wanted;
    hosts
        .iter()
        .zip(found)
        .map(|(host, found)| match found {
            Err(Fault::NoTask) if few && enough => {
                Result::of(NAME, host, Ok("no task of nginx runs here".to_owned()))
            }
            Err(Fault::NoTask) => {
                Result::of(NAME, host, Err("no task of nginx runs here".to_owned()))
            }
            Err(Fault::Answer(said)) => Result::of(NAME, host, Err(said)),
            Ok(says) => Result::of(NAME, host, Ok(says)),
        })
        .collect()
}

/// Why a host did not serve.
enum Fault {
    /// Its ports are published where tasks run, and none runs there.
    NoTask,
    /// What it answered.
    Answer(String),
}

async fn one(checks: &Checks<'_>, host: &HostName) -> std::result::Result<String, Fault> {
    let variable = |name: &str| checks.variable(host, name).unwrap_or_default();
    let authority = format!(
        "{}/{}.crt",
        variable("kompira_ssl_dir"),
        variable("ca_name")
    );
    let address = checks.address(host);
    let resolve = format!("{host}:443:{address}");
    let task = match &*variable("nginx_port_mode") {
        "host" => format!(
            "docker ps -q --filter {} | grep -q . || {{ printf none; exit 0; }}\n",
            quote(&format!(
                "label=com.docker.swarm.service.name={}_nginx",
                variable("stack_name")
            ))
        ),
        _ => String::new(),
    };
    // Some patience: after a deployment the application prepares itself while its tasks run already, and a task may
    // be on its way from one node to another.
    let script = format!(
        "{task}end=$(($(date +%s) + 40))\n\
         while :; do\n\
         said=$(curl --silent --show-error --max-time 10 --output /dev/null --write-out '%{{http_code}}' --cacert {} --resolve {} {} 2>&1)\n\
         [ \"$said\" != 200 ] && [ \"$(date +%s)\" -lt $end ] || break; sleep 1; done\n\
         printf %s \"$said\"; [ \"$said\" = 200 ]",
        quote(&authority),
        quote(&resolve),
        quote(&format!("https://{host}/.login"))
    );
    match checks.remote.check(host, script, Vec::new()).await {
        Ok(code) if code == "none" => Err(Fault::NoTask),
        Ok(code) => Ok(format!("https://{host}/.login at {address} answers {code}")),
        Err(said) => Err(Fault::Answer(format!(
            "https://{host}/.login at {address}: {said}"
        ))),
    }
}
