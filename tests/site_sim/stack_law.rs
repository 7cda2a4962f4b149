//! What no act of provision may do to a stack, and why a person is needed for one.

use super::cluster::Cluster;
use super::stack::{KOMPIRA, RABBITMQ, Service};
use super::stack_obeys::declared;
use super::stack_says::SSL;
use super::swarm_sim::starts::at_rest;
use provision::plan::StackAct;
use provision::probe::certificate::{Pair, Place};
use std::collections::{BTreeMap, BTreeSet};

/// What an act can only make better.
pub struct Before {
    key: Option<Vec<u8>>,
    serves: bool,
}

/// Whether more than half of RabbitMQ's nodes serve.
fn serves(cluster: &Cluster) -> bool {
    let up = cluster.brokers_up();
    let known = |h: &usize| {
        let broker = cluster.containers[*h].broker.as_ref();
        broker.map_or(0, |broker| broker.all.len())
    };
    up.iter()
        .map(known)
        .max()
        .is_some_and(|all| up.len() > all / 2)
}

impl Before {
    pub fn new(cluster: &Cluster) -> Self {
        Self {
            key: cluster.kept_key().map(<[u8]>::to_vec),
            serves: serves(cluster),
        }
    }

    /// After the act.
    pub fn check(&self, cluster: &Cluster, what: &str) {
        assert!(
            self.key.is_none() || self.key.as_deref() == cluster.kept_key(),
            "{what} changed the secret key"
        );
        assert!(
            !self.serves || serves(cluster),
            "{what} cost the majority of RabbitMQ's nodes"
        );
        check_key(cluster);
    }
}

/// The application never writes a second key over the first.
pub fn check_key(cluster: &Cluster) {
    assert_eq!(
        cluster.ledger.other_keys, 0,
        "another secret key was written over the one that is in use"
    );
}

/// What must be so before an act is begun.
pub fn permit(cluster: &Cluster, h: usize, act: &StackAct, dark: Option<usize>) {
    match act {
        StackAct::Deploy {
            stack, document, ..
        } => deploys(cluster, h, &declared(stack, document).services, dark),
        StackAct::Remove { .. } | StackAct::RemoveService { .. } => {
            panic!("{act:?} is done, and nobody allowed it")
        }
        StackAct::ForgetNode { node, .. } => {
            let of = cluster.hosts().find(|p| cluster.broker_name(*p) == *node);
            let has = of.is_some_and(|p| cluster.containers[p].broker.is_some());
            assert!(!has, "{node} is forgotten, and has its data");
        }
        StackAct::MakeKey { content, .. } => {
            let filled = cluster.databases.iter().any(|one| {
                let data = one.data.as_ref();
                data.is_some_and(|data| data.key.is_some())
            });
            assert!(
                !filled || !content.bytes.is_empty(),
                "an empty secret key is made for a database that is filled"
            );
        }
        _ => {}
    }
}

fn deploys(cluster: &Cluster, h: usize, new: &BTreeMap<String, Service>, dark: Option<usize>) {
    let Some(c) = cluster.swarm.speaks(h) else {
        return;
    };
    let takes = |p: &usize| {
        let disk = cluster.swarm.hosts[*p].disk.as_ref();
        disk.is_some_and(|disk| {
            let node = cluster.swarm.clusters[c].nodes.get(&disk.node);
            disk.cluster == c && node.is_some_and(|node| !node.drained && !node.given_up())
        })
    };
    for p in cluster.hosts().filter(takes) {
        let told = cluster.swarm.reachable(p) && !cluster.mute[p] && dark != Some(p);
        assert!(
            cluster.gluster[p].mounted || !told,
            "a deployment is done though {} has not mounted the share",
            cluster.name(p)
        );
    }
    let many = new.get(KOMPIRA).is_some_and(|it| it.replicas > 1);
    assert!(
        cluster.kept_key().is_some() || !many,
        "several tasks are deployed that would each write a secret key"
    );
    let old = cluster.stacks.get(&c).map(|stack| &stack.services);
    for (name, new) in new {
        let Some(old) = old.and_then(|old| old.get(name)) else {
            continue;
        };
        let same = (old.replicas, &old.configs) == (new.replicas, &new.configs);
        assert!(
            old.spec != new.spec || same,
            "a deployment takes back what was changed of {name} by hand"
        );
        assert!(
            new.replicas >= old.replicas || cluster.kept_key().is_none(),
            "a deployment leaves fewer tasks of {name}, though the secret key is there"
        );
    }
}

/// The codes that may be refused of a stack, by what is really there.
pub fn causes(cluster: &Cluster, codes: &mut BTreeSet<&'static str>) {
    let edited = |service: &Service| service.by_hand;
    for stack in cluster.stacks.values() {
        if stack.services.values().any(edited) {
            codes.insert("K14");
        }
    }
    let filled = cluster
        .databases
        .iter()
        .filter_map(|one| one.data.as_ref())
        .any(|data| data.key.is_some());
    if filled && cluster.kept_key().is_none() {
        codes.insert("K4");
    }
    let place = Place {
        folder: SSL.into(),
        ca: "local-ca".into(),
        server: "server".into(),
    };
    let mut pairs = cluster.hosts().filter_map(|h| cluster.pair(h, &place).ok());
    let differ = |pair: Pair| {
        pair.server
            .is_some_and(|server| pair.key.is_some_and(|key| key != server.public_key))
    };
    if pairs.any(differ) {
        codes.insert("K7");
    }
    let joined = cluster
        .hosts()
        .any(|h| cluster.swarm.hosts[h].disk.is_some());
    let rested = at_rest(&cluster.swarm);
    if joined && !cluster.hosts().any(|h| rested.speaks(h).is_some()) {
        codes.insert("K11");
    }
    if outnumbered(cluster, |_| true) {
        codes.insert("K24");
    }
    if minority(cluster) {
        codes.insert("no majority of RabbitMQ's nodes");
    }
    apart(cluster, codes);
}

/// Whether so many nodes lost their data, or are on drained hosts, that the others, who still know them, do not serve
/// (pause_minority).
pub fn minority(cluster: &Cluster) -> bool {
    // A drained node has no task.
    outnumbered(cluster, |h| {
        let disk = cluster.swarm.hosts[h].disk.as_ref();
        disk.is_some_and(|disk| {
            let node = cluster.swarm.clusters[disk.cluster].nodes.get(&disk.node);
            node.is_some_and(|node| !node.drained)
        })
    })
}

/// Whether the nodes with data on such hosts are no majority of those that are known.
fn outnumbered(cluster: &Cluster, of: impl Fn(usize) -> bool) -> bool {
    let brokers = cluster
        .containers
        .iter()
        .filter_map(|it| it.broker.as_ref());
    let newest = brokers.max_by_key(|broker| broker.version);
    newest.is_some_and(|newest| {
        let has = |h: &usize| {
            let own = cluster.containers[*h].broker.as_ref();
            of(*h) && own.is_some() && newest.all.contains(&cluster.broker_name(*h))
        };
        cluster.hosts().filter(has).count() <= newest.all.len() / 2
    })
}

/// Nodes of RabbitMQ with data that do not know each other, or one that serves without knowing another.
fn apart(cluster: &Cluster, codes: &mut BTreeSet<&'static str>) {
    let denies = |a: usize, b: usize| {
        let broker = cluster.containers[a].broker.as_ref();
        broker.is_some_and(|broker| !broker.all.contains(&cluster.broker_name(b)))
    };
    let runs = |h: &usize| cluster.containers[*h].runs(RABBITMQ);
    let running: Vec<usize> = cluster.hosts().filter(runs).collect();
    let up = cluster.brokers_up();
    let apart = |a: usize, b: usize| denies(a, b) && (up.contains(&a) || denies(b, a));
    if running
        .iter()
        .any(|a| running.iter().any(|b| apart(*a, *b)))
    {
        codes.insert("K21");
    }
}
