//! Acts on a Docker Swarm: the client where it is safe, the engine's socket where a secret goes in.

use super::Phase;
use crate::plan::SwarmAct;
use crate::probe::docker::{DRAIN_MARK, SOCKET};
use crate::probe::shell::join;
use serde_json::json;

/// docker's word for what a node is.
pub(super) fn role(manager: bool) -> &'static str {
    if manager { "manager" } else { "worker" }
}

/// The words of the docker command, as a reviewer reads them; the token is only named.
pub(super) fn words(act: &SwarmAct) -> Vec<String> {
    let fixed = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match act {
        SwarmAct::Init {
            advertise_addr,
            data_path_port,
            default_addr_pool,
            subnet_size,
        } => {
            let mut words: Vec<String> = fixed(&[
                "docker",
                "swarm",
                "init",
                "--advertise-addr",
                advertise_addr,
            ]);
            words.extend(["--data-path-port".to_owned(), data_path_port.to_string()]);
            for pool in default_addr_pool {
                words.extend(["--default-addr-pool".to_owned(), pool.clone()]);
            }
            if !default_addr_pool.is_empty() {
                words.push("--default-addr-pool-mask-length".to_owned());
                words.push(subnet_size.to_string());
            }
            words
        }
        SwarmAct::Join {
            manager,
            advertise_addr,
            remote_addrs,
            drained,
            ..
        } => {
            let mut words: Vec<String> = fixed(&["docker", "swarm", "join", "--token"]);
            words.push(format!("<join token of a {}>", role(*manager)));
            if *drained {
                words.extend(fixed(&["--availability", "drain"]));
            }
            words.extend(["--advertise-addr".to_owned(), advertise_addr.clone()]);
            words.push(remote_addrs.join(","));
            words
        }
        SwarmAct::Mark => fixed(&["touch", DRAIN_MARK]),
        SwarmAct::Unmark => fixed(&["rm", "-f", DRAIN_MARK]),
        SwarmAct::Activate { id } => {
            fixed(&["docker", "node", "update", "--availability", "active", id])
        }
        SwarmAct::Leave => fixed(&["docker", "swarm", "leave", "--force"]),
        SwarmAct::Promote { id } => fixed(&["docker", "node", "promote", id]),
        SwarmAct::Demote { id } => fixed(&["docker", "node", "demote", id]),
        SwarmAct::Forget { id } => fixed(&["docker", "node", "rm", id]),
        SwarmAct::Label { id, labels } => {
            let mut words: Vec<String> = fixed(&["docker", "node", "update"]);
            for (key, value) in labels {
                words.extend(["--label-add".to_owned(), format!("{key}={value}")]);
            }
            words.push(id.clone());
            words
        }
    }
}

pub(super) fn phase(act: &SwarmAct, late: Option<&str>) -> Phase {
    let line = join(&words(act));
    match act {
        // It prints the workers' token.
        SwarmAct::Init { .. } => Phase::run(format!("{line} >/dev/null"), 90),
        SwarmAct::Join {
            advertise_addr,
            remote_addrs,
            drained,
            ..
        } => match late {
            None => Phase::run("echo 'no join token was asked for' >&2; exit 1", 10),
            Some(token) => {
                let body = json!({
                    "ListenAddr": "0.0.0.0:2377",
                    "AdvertiseAddr": advertise_addr,
                    "RemoteAddrs": remote_addrs,
                    "JoinToken": token.trim(),
                    "Availability": if *drained { "drain" } else { "active" },
                });
                Phase::feed(join_script(), body.to_string().into_bytes(), 90)
            }
        },
        // It must outlive a loss of power: without it the drain would be taken for a person's.
        SwarmAct::Mark => Phase::run(
            format!("mkdir -p \"$(dirname {DRAIN_MARK})\" && {line} && sync -f {DRAIN_MARK}"),
            30,
        ),
        SwarmAct::Unmark => Phase::run(
            format!("{line} && rmdir --ignore-fail-on-non-empty \"$(dirname {DRAIN_MARK})\""),
            30,
        ),
        _ => Phase::run(line, 60),
    }
}

/// The engine answers after 20 s that it goes on trying in the background: whether it gets there is
/// for the postcondition to say. Source: moby `daemon/cluster/errors.go`, `errSwarmJoinTimeoutReached`.
fn join_script() -> String {
    format!(
        "said=$(curl --silent --show-error --fail-with-body --max-time 60 --unix-socket {SOCKET} \
         -H 'Content-Type: application/json' --data-binary @- http://docker/swarm/join 2>&1) && exit\n\
         status=$?\n\
         printf '%s\\n' \"$said\" >&2\n\
         case $said in *'continue in the background'*) exit 0 ;; esac\n\
         exit $status"
    )
}
