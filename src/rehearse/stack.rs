//! A stack after a loss: the tasks of the lost nodes are shut down, and the Swarm starts those that it can elsewhere.

use super::Aftermath;
use super::fate::{Fate, told};
use super::swarm::NO_LEADER;
use crate::probe::stack::{Stack, Task};
use crate::probe::stack_node::{Node, is_idle};
use crate::probe::{Answer, Memory};

/// A task that may run on any node is started again, and nobody can tell on which; where no node may take one more of its
/// service, it waits for one. One that belongs to its node is not started. Without a majority of its managers the Swarm
/// starts nothing, and nobody tells what runs.
pub(super) fn tasks(fate: &Fate, stack: &mut Stack) {
    if fate.swarm.is_without_quorum() && stack.services.is_some() {
        *stack = Stack {
            client: std::mem::take(&mut stack.client),
            error: NO_LEADER.to_owned(),
            ..Stack::default()
        };
        return;
    }
    let mut elsewhere: Vec<Task> = Vec::new();
    for task in &mut stack.tasks {
        if task.node.is_empty() || !fate.is_lost(&task.node) {
            continue;
        }
        let services = stack.services.as_ref();
        let service = services.and_then(|all| all.get(task.service()));
        let replicated = service.is_some_and(|service| service.replicas.is_some());
        if task.runs() && replicated && !fate.survivors.is_empty() {
            elsewhere.push(Task {
                node: String::new(),
                ..task.clone()
            });
        }
        "shutdown".clone_into(&mut task.desired);
    }
    for mut task in elsewhere {
        if !has_room(fate, stack, task.service()) {
            "pending".clone_into(&mut task.state);
            "no suitable node".clone_into(&mut task.error);
        }
        stack.tasks.push(task);
    }
    stack.tasks.sort();
}

/// Whether the nodes that stay may take one more task of a service.
fn has_room(fate: &Fate, stack: &Stack, service: &str) -> bool {
    let services = stack.services.as_ref();
    let most = services.and_then(|all| all.get(service));
    let most = most.map_or(0, |service| service.most_per_node);
    let room = most * fate.swarm.active.len() as u64;
    most == 0 || (stack.running(service) as u64) < room
}

/// The nodes of RabbitMQ that stay write down that another one is gone, and go on knowing it. Those that are no majority any
/// more are paused (`pause_minority`): they close what clients connect to.
pub(super) fn node(fate: &Fate, node: &mut Node) {
    let mut paused = false;
    for members in node.rabbitmq.values_mut() {
        for host in fate.lost.keys() {
            members.running.remove(&format!("rabbit@mq-{host}"));
        }
        paused |= members.running.len() * 2 <= members.all.len();
    }
    if paused {
        node.listens.retain(|port| is_idle(*port));
    }
}

pub(super) fn aftermath(fate: &Fate, memory: &Memory) -> Vec<Aftermath> {
    let stack = fate
        .survivors
        .iter()
        .chain(fate.lost.keys())
        .find_map(|host| {
            told(memory, host, |answer| match answer {
                Answer::Stack(stack) if stack.services.is_some() => Some(stack),
                _ => None,
            })
        });
    let Some(stack) = stack else {
        return Vec::new();
    };
    let here = stack
        .tasks
        .iter()
        .filter(|task| task.runs() && fate.is_lost(&task.node));
    let mut names: Vec<&str> = here.map(Task::service).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Vec::new();
    }
    vec![Aftermath::open(
        "stack",
        format!(
            "tasks of {} end; the Swarm starts them elsewhere as far as their rules allow, while it has a quorum: on which host cannot be told before",
            names.join(", ")
        ),
    )]
}
