//! Stacks.

use super::Told;
use crate::probe::stack::{Service, Stack, Task};
use crate::probe::stack_node::{About, Members, Node};
use crate::probe::{Answer, Query, Seen};
use crate::rehearse::Scene;
use std::collections::{BTreeMap, BTreeSet};

fn task(name: &str, node: &str) -> Task {
    Task {
        name: name.to_owned(),
        node: node.to_owned(),
        desired: "running".to_owned(),
        state: "running".to_owned(),
        error: String::new(),
    }
}

fn told() -> Told {
    let service = |replicas| Service {
        replicas,
        ..Service::default()
    };
    let stack = Stack {
        services: Some(BTreeMap::from([
            ("ke2_kompira".to_owned(), service(Some(2))),
            ("ke2_nginx".to_owned(), service(None)),
        ])),
        tasks: vec![
            task("ke2_kompira.1", "ke2-server1"),
            task("ke2_kompira.2", "ke2-server2"),
            task("ke2_nginx.a", "ke2-server1"),
            task("ke2_nginx.b", "ke2-server2"),
        ],
        ..Stack::default()
    };
    Told::default().says(1, Query::Stack("ke2".to_owned()), Answer::Stack(stack))
}

#[test]
fn tasks_of_a_lost_node_are_shut_down_and_replicas_run_elsewhere() {
    let query = Query::Stack("ke2".to_owned());
    let seen = told().rehearsed(2, &[2], Scene::Down, 1, &query);
    let Some(Answer::Stack(stack)) = seen.known() else {
        panic!("{seen:?}");
    };
    assert_eq!(
        (stack.running("ke2_kompira"), stack.running("ke2_nginx")),
        (2, 1)
    );
    let there = stack.tasks.iter().filter(|task| task.node == "ke2-server2");
    assert!(there.clone().count() == 2 && there.clone().all(|task| task.desired == "shutdown"));
    let said = told().aftermath(2, &[2]);
    assert!(
        said[0]
            .0
            .starts_with("stack: tasks of ke2_kompira, ke2_nginx end"),
        "{said:?}"
    );
    assert!(!said[0].1, "where they run cannot be told");
}

#[test]
fn a_task_that_no_other_node_may_take_waits_for_one() {
    let query = Query::Stack("ke2".to_owned());
    let Seen::Is(Answer::Stack(mut stack)) = told().rehearsed(2, &[], Scene::Down, 1, &query)
    else {
        panic!("no stack");
    };
    let services = stack.services.as_mut().unwrap();
    services.get_mut("ke2_kompira").unwrap().most_per_node = 1;
    let told = Told::default().says(1, query.clone(), Answer::Stack(stack));
    let seen = told.rehearsed(2, &[2], Scene::Down, 1, &query);
    let Some(Answer::Stack(stack)) = seen.known() else {
        panic!("{seen:?}");
    };
    assert_eq!(stack.running("ke2_kompira"), 1);
    let waits = |task: &&Task| task.state == "pending" && task.node.is_empty();
    assert_eq!(stack.tasks.iter().filter(waits).count(), 1);
}

#[test]
fn rabbitmq_knows_the_lost_node_and_sees_it_no_more() {
    let about = About {
        stack: "ke2".to_owned(),
        network: "swarm_default".to_owned(),
        rabbitmq: "swarm_kompira_rmq".to_owned(),
    };
    let names = ["rabbit@mq-ke2-server1", "rabbit@mq-ke2-server2"].map(str::to_owned);
    let members = Members {
        all: BTreeSet::from(names.clone()),
        running: BTreeSet::from(names.clone()),
    };
    let node = Node {
        rabbitmq: BTreeMap::from([(names[0].clone(), members)]),
        ..Node::default()
    };
    let query = Query::StackNode(about);
    let told = Told::default().says(1, query.clone(), Answer::StackNode(node));
    let seen = told.rehearsed(2, &[2], Scene::Down, 1, &query);
    let Some(Answer::StackNode(node)) = seen.known() else {
        panic!("{seen:?}");
    };
    let members = &node.rabbitmq[&names[0]];
    assert_eq!((members.all.len(), members.running.len()), (2, 1));
    assert_eq!(
        told.rehearsed(2, &[2], Scene::Replaced, 2, &query).known(),
        Some(&Answer::StackNode(Node::default()))
    );
}
