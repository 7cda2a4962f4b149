//! The parsers of stacks, of what is on their nodes and of certificates in use, on output that lab hosts gave to
//! the probe's own scripts, in the states that the names say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use provision::probe::ask::{Reply, lower};
use provision::probe::{Answer, Query, Seen, presented, stack_node};
use std::collections::BTreeSet;
use std::path::Path;

fn seen(name: &str, query: Query) -> Answer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured");
    let ask = lower(&[query].into()).remove(0);
    // How the files are made: the scripts, to be run on a host.
    if let Some(folder) = std::env::var_os("PROVISION_SCRIPTS") {
        std::fs::write(Path::new(&folder).join(name), &ask.script).unwrap();
    }
    let reply = Reply {
        stdout: std::fs::read(folder.join(format!("{name}.stdout"))).unwrap_or_default(),
        ..Reply::default()
    };
    match ask.read(&reply).remove(0).1 {
        Seen::Is(answer) => answer,
        Seen::Unknown(why) => panic!("{name}: {why}"),
    }
}

#[test]
fn a_stack_that_runs() {
    let Answer::Stack(stack) = seen("stack.runs", Query::Stack("ke2".into())) else {
        panic!("another answer");
    };
    assert_eq!(stack.client, "26.1.5+dfsg1");
    let services = stack.services.as_ref().unwrap();
    assert_eq!(services.len(), 6);
    for (name, service) in services {
        assert_eq!(service.spec.len(), 64, "{name}");
        let count = if name == "ke2_redis" { 1 } else { 3 };
        assert_eq!(
            (service.replicas, stack.running(name)),
            (Some(count), count as usize)
        );
        let most = if name == "ke2_redis" { 0 } else { 1 };
        assert_eq!(service.most_per_node, most, "{name}");
    }
    assert_eq!(services["ke2_rabbitmq"].configs.len(), 4);
    assert_eq!(stack.networks, BTreeSet::from(["swarm_default".to_owned()]));
    assert_eq!(stack.configs.len(), 7);
}

#[test]
fn a_node_of_it() {
    let about = stack_node::About {
        stack: "ke2".into(),
        network: "swarm_default".into(),
        rabbitmq: "swarm_kompira_rmq".into(),
    };
    let Answer::StackNode(node) = seen("stack_node.runs", Query::StackNode(about)) else {
        panic!("another answer");
    };
    assert!(node.runs("ke2_rabbitmq") && node.runs("ke2_nginx"));
    assert_eq!(
        (node.running.values().sum::<usize>(), node.networks.len()),
        (5, 1)
    );
    let nodes: BTreeSet<String> = (1..=3)
        .map(|number| format!("rabbit@mq-ke2-server{number}"))
        .collect();
    let members = &node.rabbitmq["rabbit@mq-ke2-server1"];
    assert_eq!((&members.all, &members.running), (&nodes, &nodes));
    assert_eq!(node.rabbitmq.len(), 1);
}

#[test]
fn the_certificates_in_use() {
    let about = presented::About {
        file: "/mnt/gluster/ssl/server.crt".into(),
        listeners: vec![("ke2_nginx".into(), 443), ("ke2_rabbitmq".into(), 5671)],
    };
    let Answer::Presented(shown) = seen("presented.runs", Query::Presented(about)) else {
        panic!("another answer");
    };
    assert_eq!(shown.file.as_ref().unwrap().len(), 64);
    for service in ["ke2_nginx", "ke2_rabbitmq"] {
        assert_eq!(shown.listeners[service].len(), 1);
        assert!(!shown.is_stale(service));
    }
}
