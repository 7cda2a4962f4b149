//! The swarm.

use super::{Told, engine};
use crate::probe::docker::{Node, Roster};
use crate::probe::{Answer, Query};
use crate::rehearse::Scene;

fn node(n: usize, role: &str, leader: bool) -> Node {
    Node {
        id: format!("n{n}"),
        hostname: format!("ke2-server{n}"),
        role: role.to_owned(),
        availability: "active".to_owned(),
        state: "ready".to_owned(),
        reachability: if role == "manager" { "reachable" } else { "" }.to_owned(),
        leader,
        ..Node::default()
    }
}

/// So many managers, the first of which leads, and a worker at the end.
fn told(managers: usize) -> Told {
    let mut nodes: Vec<Node> = (1..=managers).map(|n| node(n, "manager", n == 1)).collect();
    nodes.push(node(managers + 1, "worker", false));
    let roster = Roster {
        nodes: Some(nodes),
        error: String::new(),
    };
    let mut told = Told::default().says(managers + 1, Query::Docker, engine(managers + 1, false));
    for n in 1..=managers {
        told = told.says(n, Query::Docker, engine(n, true)).says(
            n,
            Query::SwarmNodes,
            Answer::SwarmNodes(roster.clone()),
        );
    }
    told
}

fn roster(told: &Told, all: usize, lost: &[usize], of: usize) -> Roster {
    match told
        .rehearsed(all, lost, Scene::Down, of, &Query::SwarmNodes)
        .known()
    {
        Some(Answer::SwarmNodes(roster)) => roster.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lost_manager_is_down_and_unreachable_and_leads_no_more() {
    let nodes = roster(&told(3), 4, &[1], 2).nodes.unwrap();
    let words: Vec<(&str, &str, bool)> = nodes
        .iter()
        .map(|node| (&*node.state, &*node.reachability, node.leader))
        .collect();
    assert_eq!(
        words,
        [
            ("down", "unreachable", false),
            ("ready", "reachable", false),
            ("ready", "reachable", false),
            ("ready", "", false),
        ]
    );
    assert_eq!(
        told(3).aftermath(4, &[1]),
        [(
            "swarm: 2 of 3 managers left; one of them is elected: ke2-server2 or ke2-server3, which cannot be told before".to_owned(),
            false
        )]
    );
}

#[test]
fn a_lost_worker_is_down_and_costs_no_quorum() {
    let nodes = roster(&told(3), 4, &[4], 2).nodes.unwrap();
    assert_eq!((&*nodes[3].state, &*nodes[3].reachability), ("down", ""));
    assert!(nodes[0].leader);
    let told = told(3).aftermath(4, &[4]);
    assert!(
        told[0].1 && told[0].0.contains("ke2-server1 goes on leading"),
        "{told:?}"
    );
}

#[test]
fn without_a_majority_nobody_tells_of_the_swarm() {
    let told = told(2);
    let left = roster(&told, 3, &[1], 2);
    assert_eq!(left.nodes, None);
    assert!(
        left.error.contains("does not have a leader"),
        "{}",
        left.error
    );
    let docker = told.rehearsed(3, &[1], Scene::Down, 2, &Query::Docker);
    let Some(Answer::Docker(docker)) = docker.known() else {
        panic!("{docker:?}");
    };
    let swarm = &docker.engine.as_ref().unwrap().swarm;
    assert!(swarm.control_available && swarm.error.contains("does not have a leader"));
    assert!(
        swarm
            .cluster
            .as_ref()
            .is_some_and(|cluster| cluster.id.is_empty())
    );
    // A worker does not notice.
    let worker = told.rehearsed(3, &[1], Scene::Down, 3, &Query::Docker);
    assert_eq!(worker.known(), Some(&engine(3, false)));
}
