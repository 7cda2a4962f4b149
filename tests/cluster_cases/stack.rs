//! Cases of the stack: each says only in what it differs from a stack that was deployed and went well.
//!
//! `but` is laid over the answers of a converged cluster: objects are merged, `null` takes a thing away, an
//! object over a list names items by their number, and a text for a host means that it is silent. A question
//! is named by its kind alone. `"deployed": "first"` stands for the careful deployment of a new database.

use super::{build, run_all_of};
use provision::cluster::stack::{Stack, StackFile};
use serde_json::{Map, Value as Json, json};

#[test]
fn stack() {
    run_all_of::<Stack>(&whole);
}

fn whole(case: &Map<String, Json>) -> Map<String, Json> {
    let stack = build::<Stack>(case).unwrap_or_else(|said| panic!("{said}"));
    let hosts: Vec<&String> = case["hosts"].as_object().unwrap().keys().collect();
    let file = match case.get("deployed").and_then(Json::as_str) {
        Some("first") => stack.file().careful(),
        _ => stack.file().clone(),
    };
    let mut answers = Map::new();
    for host in &hosts {
        answers.insert((*host).clone(), of_host(host, &hosts, &file));
    }
    let first = answers[hosts[0]].as_object_mut().unwrap();
    first.insert("stack ke2".to_owned(), running(&file, &hosts));
    let node = |host: &&String| {
        json!({
            "id": format!("id-{host}"), "hostname": host, "state": "ready",
            "availability": "active", "role": "manager",
        })
    };
    let nodes: Vec<Json> = hosts.iter().map(node).collect();
    first.insert(
        "swarm_nodes".to_owned(),
        json!({ "nodes": nodes, "error": "" }),
    );
    if let Some(but) = case.get("but") {
        for (host, but) in but.as_object().unwrap() {
            let told = answers[host].as_object_mut().unwrap();
            match but {
                Json::String(_) => told.values_mut().for_each(|answer| *answer = but.clone()),
                but => differ(told, but.as_object().unwrap()),
            }
        }
    }
    let mut case = case.clone();
    case.insert("answers".to_owned(), Json::Object(answers));
    case
}

fn of_host(host: &str, hosts: &[&String], file: &StackFile) -> Json {
    let about =
        json!({ "stack": "ke2", "network": "swarm_default", "rabbitmq": "swarm_kompira_rmq" });
    let members: Vec<String> = hosts
        .iter()
        .map(|host| format!("rabbit@mq-{host}"))
        .collect();
    let first = *hosts[0] == host;
    let services = file.wanted().into_iter();
    let running: Map<String, Json> = services
        .filter(|want| first || want.replicas != Some(1))
        .map(|want| (want.name, json!(1)))
        .collect();
    let attributes = json!({ "mode": 0o600, "owner": "root", "group": "root" });
    let mut answers = json!({
        "filesystem /mnt/gluster": {
            "mount_point": "/mnt/gluster", "kind": "fuse.glusterfs", "free_bytes": 50,
            "inodes_used_percent": 50,
        },
        "path /mnt/gluster/var/.secret_key": {
            "file": { "sha256": null, "size": 51, "attributes": attributes },
        },
        "docker": {
            "installed": true,
            "engine": { "ServerVersion": "26.1.5", "Swarm": {
                "LocalNodeState": "active", "ControlAvailable": true,
            } },
        },
        format!("stack_node {about}"): {
            "running": running, "ended": 0, "networks": ["n1"],
            "listens": [4369, 5671, 5672, 15692, 25672],
            "rabbitmq": { format!("rabbit@mq-{host}"): { "all": members, "running": members } },
        },
    });
    for image in file.images() {
        answers[format!("image {image}")] = json!({ "Id": format!("sha256:{}", image.len()) });
    }
    answers
}

/// What a manager tells when this was deployed and went well.
fn running(file: &StackFile, hosts: &[&String]) -> Json {
    let mut services = Map::new();
    let mut tasks = Vec::new();
    for want in file.wanted() {
        for (slot, node) in hosts
            .iter()
            .enumerate()
            .take(want.replicas.unwrap() as usize)
        {
            tasks.push(json!({
                "name": format!("{}.{}", want.name, slot + 1), "node": node,
                "desired": "running", "state": "running", "error": "",
            }));
        }
        let service = json!({
            "spec": want.spec, "image": want.image, "replicas": want.replicas,
            "environment": want.environment, "configs": want.configs,
        });
        services.insert(want.name, service);
    }
    json!({
        "client": "26.1.5", "services": services, "tasks": tasks, "configs": file.configs(),
        "networks": ["swarm_default"], "error": "",
    })
}

fn differ(told: &mut Map<String, Json>, but: &Map<String, Json>) {
    for (key, but) in but {
        let name = told
            .keys()
            .find(|name| name.split(' ').next() == Some(key))
            .cloned();
        let name = if told.contains_key(key) {
            key.clone()
        } else {
            name.unwrap_or_else(|| key.clone())
        };
        match (told.get_mut(&name), but) {
            (_, Json::Null) => drop(told.remove(&name)),
            (Some(Json::Object(old)), Json::Object(new)) => differ(old, new),
            (Some(Json::Array(old)), Json::Object(new)) => items(old, new),
            _ => drop(told.insert(name, but.clone())),
        }
    }
}

fn items(list: &mut Vec<Json>, but: &Map<String, Json>) {
    let mut gone = Vec::new();
    for (number, but) in but {
        let number: usize = number.parse().unwrap();
        match (&mut list[number], but) {
            (_, Json::Null) => gone.push(number),
            (Json::Object(old), Json::Object(new)) => differ(old, new),
            (old, new) => *old = new.clone(),
        }
    }
    gone.sort_unstable();
    for number in gone.into_iter().rev() {
        list.remove(number);
    }
}
