//! What is true of a stack that is well.

use super::cluster::Cluster;
use super::rabbitmq::Broker;
use super::stack::{KOMPIRA, NGINX, State};
use super::stack_law::minority;
use super::stack_says::SSL;
use provision::probe::certificate::Place;
use std::collections::BTreeSet;

/// What is wrong with the stack of a cluster that should be well.
pub fn wrong(cluster: &Cluster) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    // A node that a person drained takes none.
    let hosts = active(cluster);
    let c = cluster.swarm.hosts[0]
        .disk
        .as_ref()
        .map(|disk| disk.cluster);
    let stack = c.and_then(|c| cluster.stacks.get(&c));
    say(
        stack.is_some_and(|stack| stack.services.len() == 6),
        "six services",
    );
    for (name, service) in stack.into_iter().flat_map(|stack| &stack.services) {
        let wanted = service.replicas.min(hosts);
        let tasks = stack.into_iter().flat_map(|stack| &stack.tasks);
        let runs = tasks
            .filter(|task| task.service == *name && task.wanted && task.state == State::Running)
            .count();
        let containers = cluster.containers.iter().map(|one| {
            let own = one.running.iter();
            own.filter(|one| one.service == *name).count()
        });
        say(
            runs as u64 == wanted && containers.sum::<usize>() == runs,
            &format!("{wanted} tasks of {name}, not {runs}"),
        );
    }
    // A person drained so many nodes that those left do not serve.
    if !minority(cluster) {
        rabbitmq(cluster, &mut say);
    }
    key(cluster, &mut say);
    wrong
}

/// Nodes that take tasks.
fn active(cluster: &Cluster) -> u64 {
    let node = |h: usize| {
        let disk = cluster.swarm.hosts[h].disk.as_ref()?;
        cluster.swarm.clusters[disk.cluster].nodes.get(&disk.node)
    };
    let takes = |h: &usize| node(*h).is_some_and(|node| !node.drained);
    cluster.hosts().filter(takes).count() as u64
}

fn rabbitmq(cluster: &Cluster, say: &mut impl FnMut(bool, &str)) {
    let up = cluster.brokers_up();
    let wanted = active(cluster);
    say(
        up.len() as u64 == wanted,
        &format!("{wanted} nodes of RabbitMQ serve, not {up:?}"),
    );
    let names: BTreeSet<String> = up.iter().map(|h| cluster.broker_name(*h)).collect();
    let brokers = up
        .iter()
        .filter_map(|h| cluster.containers[*h].broker.as_ref());
    let one = |broker: &Broker| broker.running == names && broker.all.is_superset(&names);
    say(
        brokers.clone().all(one),
        &format!("one cluster of RabbitMQ: {:?}", brokers.collect::<Vec<_>>()),
    );
}

fn key(cluster: &Cluster, say: &mut impl FnMut(bool, &str)) {
    let key = cluster.kept_key();
    say(
        key.is_some() && key == cluster.ledger.key.as_deref(),
        "the secret key that was written first",
    );
    let p = cluster.served();
    let data = p.and_then(|p| cluster.databases[p].data.as_ref());
    // An application that runs on fills no new one; it does when it starts.
    let is_new = |key: &Option<Vec<u8>>| key.is_none() && cluster.ledger.database_gone;
    say(
        data.is_some_and(|data| data.key.as_deref() == key || is_new(&data.key)),
        "the database is of that key",
    );
    let place = Place {
        folder: SSL.into(),
        ca: "local-ca".into(),
        server: "server".into(),
    };
    for h in cluster.hosts() {
        let name = cluster.name(h);
        let pair = cluster.pair(h, &place).unwrap_or_default();
        let server = pair.server.as_ref();
        say(
            server.is_some_and(|it| it.signed && pair.key.as_ref() == Some(&it.public_key)),
            &format!("certificates on {name}"),
        );
        let file = cluster.served_certificate(h);
        for one in &cluster.containers[h].running {
            say(
                one.service != KOMPIRA || one.key.as_deref() == key,
                &format!("the application on {name} works with the key"),
            );
            say(
                one.service != NGINX || one.loaded == file,
                &format!("nginx on {name} presents the certificate"),
            );
        }
    }
}
