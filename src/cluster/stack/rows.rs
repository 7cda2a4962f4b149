//! The rows of the decision table, each as what is seen and what follows.

use super::file::StackFile;
use super::{Stack, State, table};
use crate::inventory::HostName;
use crate::plan::{Act, Allow, Class, Decision, StackAct};
use crate::probe::docker::{Docker, Engine, Node, Roster, Swarm};
use crate::probe::path::Attributes;
use crate::probe::stack::{Image, Service, Stack as Running, Task};
use crate::probe::{PathState, Seen};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const HOSTS: [&str; 3] = ["a", "b", "c"];

fn file(level: &str, config: &str) -> StackFile {
    let service = |image: &str, replicas: u64| {
        json!({
            "image": image,
            "environment": { "LEVEL": level, "DATABASE_URL": "pgsql://u:s3cret@h/d" },
            "configs": [{ "source": "conf", "target": "/conf" }],
            "deploy": { "replicas": replicas, "placement": { "max_replicas_per_node": 1 } },
        })
    };
    let document = json!({
        "services": { "kompira": service("app:1", 3), "nginx": service("web:1", 3) },
        "configs": { "conf": { "name": config, "file": "./conf" } },
    });
    StackFile::new("ke2", document, BTreeMap::new())
}

fn stack() -> Stack {
    let hosts: Vec<HostName> = HOSTS.map(HostName::new).into();
    Stack {
        file: file("INFO", "swarm_conf_00000001"),
        present: true,
        folder: "/etc/kompira/ke2".into(),
        project: "swarm".into(),
        members: hosts.clone(),
        managers: hosts,
        key: "/mnt/gluster/var/.secret_key".into(),
        archives: None,
        allowed: Vec::new(),
    }
}

fn key(size: u64) -> Seen<PathState> {
    Seen::Is(PathState::File {
        sha256: None,
        size,
        attributes: Attributes {
            mode: 0o600,
            owner: "root".into(),
            group: "root".into(),
        },
    })
}

/// What runs when this was deployed and went well.
fn running(file: &StackFile) -> Running {
    let mut running = Running {
        client: "26.1.5".into(),
        services: Some(BTreeMap::new()),
        configs: file.configs(),
        networks: BTreeSet::from(["swarm_default".to_owned()]),
        ..Running::default()
    };
    for want in file.wanted() {
        for slot in 0..want.replicas.unwrap() {
            running.tasks.push(Task {
                name: format!("{}.{}", want.name, slot + 1),
                node: HOSTS[usize::try_from(slot).unwrap()].to_owned(),
                desired: "running".into(),
                state: "running".into(),
                error: String::new(),
            });
        }
        let service = Service {
            spec: want.spec,
            image: want.image,
            replicas: want.replicas,
            environment: want.environment,
            configs: want.configs,
            ..Service::default()
        };
        running
            .services
            .as_mut()
            .unwrap()
            .insert(want.name, service);
    }
    running
}

fn engine() -> Seen<Docker> {
    Seen::Is(Docker {
        installed: true,
        engine: Some(Engine {
            server_version: "26.1.5".into(),
            swarm: Swarm {
                local_node_state: "active".into(),
                control_available: true,
                ..Swarm::default()
            },
            ..Engine::default()
        }),
        ..Docker::default()
    })
}

fn state(running: Running) -> State {
    let hosts: Vec<HostName> = HOSTS.map(HostName::new).into();
    let node = |name: &str| Node {
        hostname: name.into(),
        state: "ready".into(),
        availability: "active".into(),
        ..Node::default()
    };
    let image = |name: &str| {
        let one = Image {
            id: format!("sha256:{name}"),
            repo_digests: None,
        };
        let on = |host: &HostName| (host.clone(), Seen::Is(Some(one.clone())));
        (name.to_owned(), hosts.iter().map(on).collect())
    };
    State {
        engines: hosts.iter().map(|host| (host.clone(), engine())).collect(),
        speakers: hosts.clone(),
        stack: Some(Seen::Is(running)),
        roster: Some(Seen::Is(Roster {
            nodes: Some(HOSTS.map(node).into()),
            error: String::new(),
        })),
        images: ["app:1", "web:1"].map(image).into(),
        key: Some((hosts[0].clone(), key(12))),
    }
}

/// Ids of the steps with their classes, codes of refusals, waits and advice.
fn told(decision: &Decision) -> String {
    let steps = decision
        .steps
        .iter()
        .map(|step| format!("{} {}", step.id, step.class.name()));
    let refusals = decision.refusals.iter().map(|refusal| refusal.code.clone());
    let waits = decision
        .waits
        .iter()
        .map(|wait| format!("wait: {}", wait.what));
    let advice = decision
        .advice
        .iter()
        .map(|advice| format!("advice {}", advice.code));
    steps
        .chain(refusals)
        .chain(waits)
        .chain(advice)
        .collect::<Vec<_>>()
        .join("\n")
}

fn decide(stack: &Stack, state: &State) -> String {
    told(&table::decide(stack, state))
}

#[test]
fn converged_deploys_nothing() {
    let stack = stack();
    assert_eq!(decide(&stack, &state(running(&stack.file))), "");
}

#[test]
fn absent_is_deployed_at_once_when_the_key_is_there() {
    let stack = stack();
    let nothing = Running {
        services: Some(BTreeMap::new()),
        ..Running::default()
    };
    assert_eq!(decide(&stack, &state(nothing)), "stack/deploy/ke2 create");
}

#[test]
fn a_new_database_begins_with_one_task_and_waits_for_its_key() {
    let stack = stack();
    let mut seen = state(Running {
        services: Some(BTreeMap::new()),
        ..Running::default()
    });
    seen.key = Some((HostName::new("a"), key(0)));
    let first = table::decide(&stack, &seen);
    assert_eq!(
        told(&first),
        "stack/first/ke2 create\nstack/deploy/ke2 create"
    );
    let documents: Vec<&StackAct> = first
        .steps
        .iter()
        .filter_map(|step| match &step.act {
            Act::Stack(act) => Some(act),
            _ => None,
        })
        .collect();
    let shown = |act: &StackAct| match act {
        StackAct::Deploy { shown, .. } => shown.matches("replicas: 1\n").count(),
        _ => 0,
    };
    assert_eq!((shown(documents[0]), shown(documents[1])), (1, 0));
    // The rest of the plan is left, and waits.
    seen.stack = Some(Seen::Is(running(&stack.file.careful())));
    let then = decide(&stack, &seen);
    assert_eq!(
        then,
        "stack/deploy/ke2 restart\nwait: the application writes its secret key into /mnt/gluster/var/.secret_key"
            .replace("restart", "repair")
    );
    seen.key = Some((HostName::new("a"), key(51)));
    assert_eq!(decide(&stack, &seen), "stack/deploy/ke2 repair");
}

#[test]
fn a_changed_declaration_is_deployed_and_its_old_config_pruned() {
    let stack = stack();
    let mut old = running(&file("DEBUG", "swarm_conf_00000000"));
    old.configs.insert("swarm_by-hand".to_owned());
    assert_eq!(
        decide(&stack, &state(old)),
        "stack/deploy/ke2 restart\nstack/prune/ke2 repair"
    );
}

#[test]
fn what_another_tool_deployed_is_taken_over() {
    let stack = stack();
    let mut theirs = running(&stack.file);
    for service in theirs.services.as_mut().unwrap().values_mut() {
        service.spec.clear();
    }
    let decision = table::decide(&stack, &state(theirs));
    assert_eq!(told(&decision), "stack/deploy/ke2 restart");
    assert!(decision.steps[0].why.contains("deployed by another tool"));
}

#[test]
fn a_service_that_was_changed_by_hand_is_reported() {
    let mut stack = stack();
    let mut scaled = running(&stack.file);
    scaled
        .services
        .as_mut()
        .unwrap()
        .get_mut("ke2_nginx")
        .unwrap()
        .replicas = Some(2);
    let seen = state(scaled);
    assert_eq!(decide(&stack, &seen), "K14");
    stack.allowed = vec!["revert-service=ke2_kompira".parse::<Allow>().unwrap()];
    assert_eq!(decide(&stack, &seen), "K14");
    stack.allowed = vec!["revert-service=ke2_nginx".parse().unwrap()];
    assert_eq!(decide(&stack, &seen), "stack/deploy/ke2 restart");
}

#[test]
fn an_update_that_stopped_is_not_deployed_over() {
    let mut stack = stack();
    let mut stopped = running(&stack.file);
    stopped
        .services
        .as_mut()
        .unwrap()
        .get_mut("ke2_nginx")
        .unwrap()
        .update = "paused".into();
    let seen = state(stopped);
    assert_eq!(decide(&stack, &seen), "K15");
    stack.allowed = vec!["resume-service=ke2_nginx@paused".parse().unwrap()];
    assert_eq!(decide(&stack, &seen), "stack/deploy/ke2 restart");
}

#[test]
fn tasks_that_do_not_run_are_waited_for_with_their_errors() {
    let stack = stack();
    let mut seen = running(&stack.file);
    let task = &mut seen.tasks[0];
    task.state = "rejected".into();
    task.error = "invalid mount config".into();
    assert_eq!(
        decide(&stack, &state(seen)),
        "wait: the tasks of ke2 run (ke2_kompira.1 rejected on a: invalid mount config)"
    );
}

#[test]
fn a_node_that_is_down_costs_its_tasks_and_no_more() {
    let stack = stack();
    let mut seen = running(&stack.file);
    seen.tasks.retain(|task| task.node != "c");
    let mut seen = state(seen);
    let Some(Seen::Is(roster)) = &mut seen.roster else {
        panic!("no roster");
    };
    roster.nodes.as_mut().unwrap()[2].state = "down".into();
    assert_eq!(decide(&stack, &seen), "advice K18\nadvice K18");
}

#[test]
fn an_image_that_is_missing_or_another_one() {
    let mut stack = stack();
    let mut seen = state(running(&stack.file));
    let host = HostName::new("b");
    let app = seen.images.get_mut("app:1").unwrap();
    app.insert(host.clone(), Seen::Is(None));
    assert_eq!(decide(&stack, &seen), "stack/pull/app:1 create");
    stack.archives = Some("/images".into());
    assert_eq!(decide(&stack, &seen), "stack/load/app:1 create");
    let other = |digests: Option<Vec<String>>| {
        Seen::Is(Some(Image {
            id: "sha256:other".into(),
            repo_digests: digests,
        }))
    };
    let app = seen.images.get_mut("app:1").unwrap();
    app.insert(host.clone(), other(None));
    assert_eq!(decide(&stack, &seen), "K13");
}

#[test]
fn an_old_client_a_silent_manager_and_an_orphan() {
    let stack = stack();
    let mut old = running(&stack.file);
    old.client = "24.0.9".into();
    assert_eq!(decide(&stack, &state(old)), "K12");
    let mut seen = state(running(&stack.file));
    seen.stack = Some(Seen::Unknown("timed out".into()));
    assert_eq!(decide(&stack, &seen), "K11");
    seen.speakers.clear();
    assert_eq!(decide(&stack, &seen), "K11");
    let mut orphan = running(&stack.file);
    let extra = Service::default();
    orphan
        .services
        .as_mut()
        .unwrap()
        .insert("ke2_old".into(), extra);
    assert_eq!(decide(&stack, &state(orphan)), "advice K16");
}

#[test]
fn blank_hosts_have_a_complete_plan() {
    let stack = stack();
    let mut seen = state(Running::default());
    seen.speakers.clear();
    seen.stack = None;
    seen.roster = None;
    seen.images.values_mut().for_each(BTreeMap::clear);
    for engine in seen.engines.values_mut() {
        *engine = Seen::Is(Docker::default());
    }
    let decision = table::decide(&stack, &seen);
    assert_eq!(decision.steps.len(), 2 * 3 + 2);
    assert!(decision.refusals.is_empty());
    // One silent host: the Swarm may be there.
    seen.engines
        .insert(HostName::new("c"), Seen::Unknown("timed out".into()));
    assert_eq!(decide(&stack, &seen), "K11");
}

#[test]
fn removal_is_allowed_by_name_alone() {
    let mut stack = stack();
    stack.present = false;
    let seen = state(running(&stack.file));
    assert_eq!(decide(&stack, &seen), "K20");
    stack.allowed = vec!["remove-stack=ke3".parse().unwrap()];
    assert_eq!(decide(&stack, &seen), "K20");
    stack.allowed = vec!["remove-stack=ke2".parse().unwrap()];
    let decision = table::decide(&stack, &seen);
    assert_eq!(decision.steps[0].class, Class::Destroy("stack ke2".into()));
    let gone = Running {
        services: Some(BTreeMap::new()),
        ..Running::default()
    };
    assert_eq!(decide(&stack, &state(gone)), "");
}
