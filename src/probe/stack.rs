//! A stack on a Swarm, asked of a manager: its services, their tasks, and the objects that carry its name.
//!
//! Services, configs and networks come from the engine's API; the tasks from `docker stack ps`, whose
//! lines are small, while the API repeats the whole specification with every task of the past.
//! An environment may hold passwords: only its hash is kept of it.

mod api;

use super::Seen;
use super::docker::SOCKET;
use super::shell::quote;
use api::{ApiService, names};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The label that `docker stack deploy` gives to all that it makes.
pub const NAMESPACE: &str = "com.docker.stack.namespace";

/// What is known of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stack {
    /// Version of the docker client: `26.1.5`.
    pub client: String,
    /// Its services by name; `None` when they could not be asked for.
    pub services: Option<BTreeMap<String, Service>>,
    /// The newest task of each place, and the last one that failed before it.
    pub tasks: Vec<Task>,
    /// Names of its configs.
    pub configs: BTreeSet<String>,
    /// Names of its networks.
    pub networks: BTreeSet<String>,
    /// What the engine said instead.
    pub error: String,
}

/// A service as it is declared to the Swarm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Label `provision.spec`; empty when another tool deployed it.
    pub spec: String,
    /// The image that was declared to the client.
    pub image: String,
    /// How many tasks; `None` for one on every node.
    pub replicas: Option<u64>,
    /// How many of them may be on one node; 0 when it does not matter.
    pub most_per_node: u64,
    /// Hash of its environment.
    pub environment: String,
    /// Names of the configs that it is given.
    pub configs: BTreeSet<String>,
    /// State of its last update: `updating`, `paused`, `rollback_paused` …; empty when there was none.
    pub update: String,
    /// What the Swarm says about that.
    pub message: String,
}

/// A task of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Task {
    /// `ke2_redis.1`, or `NAME.NODE` of a global service.
    pub name: String,
    /// Host name of the node; empty while there is none.
    pub node: String,
    /// `running`, `shutdown` …
    pub desired: String,
    /// `running`, `preparing`, `rejected` …
    pub state: String,
    /// Why it does not run.
    pub error: String,
}

impl Task {
    /// The service that it is a task of.
    pub fn service(&self) -> &str {
        self.name
            .rsplit_once('.')
            .map_or(&*self.name, |(name, _)| name)
    }

    /// Whether it runs, and is meant to.
    pub fn runs(&self) -> bool {
        self.desired == "running" && self.state == "running"
    }
}

impl Stack {
    /// Tasks of a service that run.
    pub fn running(&self, service: &str) -> usize {
        self.tasks
            .iter()
            .filter(|task| task.service() == service && task.runs())
            .count()
    }

    /// Whether nothing of it is there.
    pub fn is_gone(&self) -> bool {
        self.services.as_ref().is_some_and(BTreeMap::is_empty)
            && self.configs.is_empty()
            && self.networks.is_empty()
    }

    /// Without what changes by itself as tasks come and go.
    #[must_use]
    pub fn steady(&self) -> Option<Self> {
        let mut steady = self.clone();
        steady.tasks.clear();
        for service in steady.services.iter_mut().flat_map(BTreeMap::values_mut) {
            service.update.clear();
            service.message.clear();
        }
        steady.services.is_some().then_some(steady)
    }
}

pub(super) fn script(name: &str) -> String {
    let filter = serde_json::json!({ "label": [format!("{NAMESPACE}={name}")] });
    format!(
        "s=$(systemctl is-active docker.service); [ \"$s\" = active ] || {{ echo \"docker.service is $s\" >&2; exit 0; }}\n\
         docker --version; echo\n\
         for what in services configs networks; do\n\
         curl --silent --show-error --max-time 20 --unix-socket {SOCKET} -G --data-urlencode filters={} http://docker/$what | tr -d '\\n'; echo\n\
         done\n\
         docker stack ps --no-trunc --format '{{{{json .}}}}' {} 2>/dev/null\n\
         exit 0",
        quote(&filter.to_string()),
        quote(name)
    )
}

pub(super) fn parse(stdout: &str, stderr: &str) -> Seen<Stack> {
    let lines: Vec<&str> = stdout.lines().collect();
    let [version, _, services, configs, networks, tasks @ ..] = &lines[..] else {
        let error = if stderr.trim().is_empty() {
            "the look at the stack broke off".to_owned()
        } else {
            stderr.trim().to_owned()
        };
        return Seen::Is(Stack {
            error,
            ..Stack::default()
        });
    };
    let client = version
        .split_whitespace()
        .nth(2)
        .unwrap_or_default()
        .trim_end_matches(',')
        .to_owned();
    let parsed: Option<Vec<ApiService>> = serde_json::from_str(services).ok();
    let error = match &parsed {
        Some(_) => String::new(),
        None => super::docker::message(services),
    };
    Seen::Is(Stack {
        client,
        services: parsed.map(|list| list.into_iter().map(ApiService::flat).collect()),
        tasks: newest(tasks),
        configs: names(configs),
        networks: names(networks),
        error,
    })
}

/// `docker stack ps` lists the newest task of a place first, and its history below it.
fn newest(lines: &[&str]) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    for line in lines {
        let Ok(row) = serde_json::from_str::<Row>(line) else {
            continue;
        };
        let word = |text: &str| {
            let first = text.split_whitespace().next().unwrap_or_default();
            first.to_ascii_lowercase()
        };
        let task = Task {
            // Old tasks are drawn as a tree below the new one.
            name: row.name.trim_start_matches([' ', '\\', '_']).to_owned(),
            node: row.node,
            desired: word(&row.desired_state),
            state: word(&row.current_state),
            error: row.error.trim_matches('"').to_owned(),
        };
        let known = tasks.iter().filter(|other| other.name == task.name);
        let (count, told) = known.fold((0, false), |(count, told), other| {
            (count + 1, told || !other.error.is_empty())
        });
        if task.desired == "running" || count == 0 || (!told && !task.error.is_empty()) {
            tasks.push(task);
        }
    }
    tasks.sort();
    tasks
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    name: String,
    node: String,
    desired_state: String,
    current_state: String,
    error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_task_of_a_place_counts_and_the_last_error_is_kept() {
        let row = |name: &str, desired: &str, state: &str, error: &str| {
            format!(
                r#"{{"CurrentState":"{state} 5 seconds ago","DesiredState":"{desired}","Error":"{error}","ID":"x","Image":"redis","Name":"{name}","Node":"h1","Ports":""}}"#
            )
        };
        let lines = [
            row("ke2_a.1", "Ready", "Preparing", ""),
            row(" \\\\_ ke2_a.1", "Shutdown", "Rejected", "invalid mount"),
            row(" \\\\_ ke2_a.1", "Shutdown", "Rejected", "older"),
            row("ke2_b.1", "Running", "Running", ""),
        ];
        let lines: Vec<&str> = lines.iter().map(|line| &**line).collect();
        let tasks = newest(&lines);
        let told: Vec<String> = tasks
            .iter()
            .map(|task| format!("{} {} {}", task.service(), task.state, task.error))
            .collect();
        assert_eq!(
            told,
            [
                "ke2_a preparing ",
                "ke2_a rejected invalid mount",
                "ke2_b running "
            ]
        );
        assert!(tasks[2].runs() && !tasks[0].runs());
    }

    #[test]
    fn an_engine_that_is_no_manager_says_why() {
        let said = "Docker version 26.1.5, build a72d7cd\n\n{\"message\":\"This node is not a swarm manager.\"}\n[]\n[]\n";
        let Seen::Is(stack) = parse(said, "") else {
            panic!("unknown");
        };
        assert_eq!(stack.client, "26.1.5");
        assert_eq!(stack.services, None);
        assert_eq!(stack.error, "This node is not a swarm manager.");
        assert!(!stack.is_gone());
    }
}
