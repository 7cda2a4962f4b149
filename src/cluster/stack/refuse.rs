//! Why nothing is deployed. The codes are stable: `docs/kompira.md` lists them.

use super::Stack;
use crate::inventory::HostName;
use crate::plan::{Reach, Refusal};
use crate::probe::Seen;
use crate::probe::image::Image;
use crate::probe::stack::{Service, Task};
use std::collections::{BTreeMap, BTreeSet};

fn refusal(code: &str, because: String, evidence: Vec<String>, hint: String) -> Refusal {
    Refusal {
        code: code.to_owned(),
        because,
        evidence,
        hint,
        reach: Reach::Layer,
    }
}

/// K11: no manager tells what runs.
pub(super) fn no_manager(stack: &Stack, evidence: Vec<String>) -> Refusal {
    refusal(
        "K11",
        format!(
            "no manager of the Swarm tells what runs of the stack {}",
            stack.file.name()
        ),
        evidence,
        "bring the managers back (`provision status` shows them) and run again".to_owned(),
    )
}

/// K12: a client that drops `host.docker.internal` silently (docker/cli#4859).
pub(super) fn old_client(host: &HostName, version: &str) -> Refusal {
    refusal(
        "K12",
        format!(
            "the docker client of {host} is {version}, and before 25.0.4 it loses hosts' names of a stack"
        ),
        vec![format!("{host}: docker {version}")],
        "update docker-ce-cli on the managers (`docker_version`)".to_owned(),
    )
}

/// K13: the same name is another image elsewhere (ruling 11).
pub(super) fn different_images(
    image: &str,
    by_host: &BTreeMap<HostName, Seen<Option<Image>>>,
) -> Option<Refusal> {
    let have: Vec<(&HostName, &Image)> = by_host
        .iter()
        .filter_map(|(host, seen)| Some((host, seen.known()?.as_ref()?)))
        .collect();
    let ids: BTreeSet<&str> = have.iter().map(|(_, image)| &*image.id).collect();
    if ids.len() < 2 {
        return None;
    }
    // One digest may be several ids: of other platforms, or other stores.
    let digests = |image: &Image| -> BTreeSet<String> {
        image.repo_digests.iter().flatten().cloned().collect()
    };
    let common = have
        .iter()
        .map(|(_, image)| digests(image))
        .reduce(|a, b| a.intersection(&b).cloned().collect());
    if common.is_some_and(|common| !common.is_empty()) {
        return None;
    }
    let evidence = have
        .iter()
        .map(|(host, image)| format!("{host}: {}", image.id))
        .collect();
    Some(refusal(
        "K13",
        format!("{image} is not the same image on all hosts, so that the tasks would differ"),
        evidence,
        format!(
            "bring one image to all: `docker pull {image}`, or `docker save` on one host and `docker load` on the others"
        ),
    ))
}

/// K14: what was changed by hand.
pub(super) fn by_hand(name: &str, differences: Vec<String>) -> Refusal {
    refusal(
        "K14",
        format!(
            "{name} was changed by hand after it was deployed, and a deployment would take that back"
        ),
        differences,
        format!(
            "put the change into the inventory or the overlay, or take it back with --allow revert-service={name}"
        ),
    )
}

/// K15: an update that stopped half-way.
pub(super) fn stopped_update(name: &str, service: &Service, tasks: &[&Task]) -> Refusal {
    let mut evidence = vec![format!("{name}: {} ({})", service.update, service.message)];
    evidence.extend(
        tasks
            .iter()
            .filter(|task| !task.error.is_empty())
            .map(|task| format!("{} on {}: {}", task.name, task.node, task.error)),
    );
    refusal(
        "K15",
        format!("the last update of {name} stopped half-way"),
        evidence,
        format!(
            "see why (`docker service ps --no-trunc {name}`); then deploy over it with --allow resume-service={name}"
        ),
    )
}

/// K17: a removed stack that nodes do not let go of. It may pass by itself.
pub(super) fn left_over(network: &str, evidence: Vec<String>) -> Refusal {
    let mut refusal = refusal(
        "K17",
        "a stack of this name was removed, and nodes still have parts of it, which new tasks would get in the way of"
            .to_owned(),
        evidence,
        format!(
            "see what holds it on those nodes (`docker network inspect -v {network}`, `docker ps -a`); a restart of docker there ends it, and everything else that runs on the node"
        ),
    );
    refusal.reach = Reach::LayerAfterWaits;
    refusal
}

/// K21: nodes of RabbitMQ that do not know each other. While they start that may pass by itself.
pub(super) fn separate_clusters(evidence: Vec<String>) -> Refusal {
    let mut refusal = refusal(
        "K21",
        "RabbitMQ's nodes have formed more than one cluster, and none of them gives up its own by itself".to_owned(),
        evidence,
        "decide which one has the queues that matter; in each container of the others: `rabbitmqctl stop_app`, `rabbitmqctl reset` (its queues are lost), `rabbitmqctl start_app`".to_owned(),
    );
    refusal.reach = Reach::LayerAfterWaits;
    refusal
}

/// K24: too few of RabbitMQ's nodes have their data.
pub(super) fn no_majority(service: &str, volume: &str, evidence: Vec<String>) -> Refusal {
    let mut refusal = refusal(
        "K24",
        "most nodes of RabbitMQ have lost their data: those that are left are a minority, stand still, and cannot forget them"
            .to_owned(),
        evidence,
        format!(
            "bring the data back where it is only a disk that is missing; when the messages that are left may be lost: `docker service scale {service}=0`, `docker volume rm {volume}` on each host, and run again with --allow revert-service={service}"
        ),
    );
    refusal.reach = Reach::LayerAfterWaits;
    refusal
}

/// K22: RabbitMQ's data belongs to the name of its node.
pub(super) fn other_node_names(evidence: Vec<String>) -> Refusal {
    refusal(
        "K22",
        "RabbitMQ has data of a node of another name, and would begin with nothing beside it"
            .to_owned(),
        evidence,
        "give the hosts their former names back (`rabbitmq_use_longname`, `stack_project`), or move the data away by hand when nothing in it is wanted any more".to_owned(),
    )
}

/// K20: a stack is removed only when that is allowed.
pub(super) fn removal(name: &str, services: usize) -> Refusal {
    refusal(
        "K20",
        format!("the stack {name} is declared absent, and it runs {services} services"),
        Vec::new(),
        format!("allow it with --allow remove-stack={name}; volumes and the shared directory stay"),
    )
}
