//! How well the stack is, node by node.

use super::{Stack, State, rabbitmq, watch};
use crate::inventory::HostName;
use crate::module::{Health, Light, MemberHealth};
use crate::probe::Seen;
use crate::probe::stack::Stack as Running;

/// The tasks on each host, and all in all.
pub(super) fn of(stack: &Stack, state: &State) -> Health {
    let name = stack.file.name();
    let running = state.stack.as_ref().and_then(Seen::known);
    let running = running.filter(|told| told.services.is_some());
    let wanted = stack.file.wanted();
    let expected = watch::expected(stack, state, &wanted);
    let counts = running.zip(expected.as_ref()).map(|(running, expected)| {
        expected
            .iter()
            .map(|(service, count)| {
                let short = service.strip_prefix(&format!("{name}_")).unwrap_or(service);
                format!("{short} {}/{count}", running.running(service))
            })
            .collect::<Vec<_>>()
            .join(", ")
    });
    let complete = running
        .zip(expected.as_ref())
        .is_some_and(|(running, expected)| {
            expected
                .iter()
                .all(|(service, count)| running.running(service) >= *count)
        });
    // What a held host will take is no fault of the others.
    let held = state.held(stack);
    let full = wanted.iter().all(|want| {
        let count = expected.as_ref().and_then(|counts| counts.get(&want.name));
        count.is_some_and(|count| (*count + held) as u64 >= want.replicas.unwrap_or_default())
    });
    let members = stack
        .members
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let (mut light, mut says) = member(state, running, host);
            if let (Light::Red, Some(_), Some(word)) = (light, running, state.taken_out(host)) {
                // Somebody wants it so: nothing there is broken.
                light = Light::Held;
                if !state.is_held(host) {
                    says = format!("{says}: its node is set to `{word}`");
                }
            }
            if let Some((words, whole)) = rabbitmq::says(stack, state, host) {
                says = format!("{says}; {words}");
                if !whole && light == Light::Green {
                    light = Light::Yellow;
                }
            } else if light == Light::Green && rabbitmq::is_missing(stack, state, host) {
                says = format!("{says}; no node of rabbitmq");
                light = Light::Yellow;
            }
            // What concerns the whole stack is told once.
            let light = match (index, complete, full) {
                (0, false, _) if light == Light::Green => Light::Red,
                (0, true, false) if light == Light::Green => Light::Yellow,
                _ => light,
            };
            if let (0, Some(counts)) = (index, &counts) {
                says = format!("{says}; all: {counts}");
            }
            MemberHealth {
                host: host.clone(),
                light,
                says,
            }
        })
        .collect();
    Health {
        layer: format!("stack {name}"),
        members,
        margin: rabbitmq::margin(stack, state),
    }
}

fn member(state: &State, running: Option<&Running>, host: &HostName) -> (Light, String) {
    if let Some(Seen::Unknown(why)) = state.engines.get(host) {
        return (Light::Unknown, format!("did not answer: {why}"));
    }
    let Some(running) = running else {
        return (Light::Red, "no manager tells what runs".to_owned());
    };
    let here = |node: &str| node == host.as_str();
    let mut runs: Vec<&str> = Vec::new();
    let mut troubles: Vec<String> = Vec::new();
    for task in running.tasks.iter().filter(|task| here(&task.node)) {
        let short = task
            .service()
            .split_once('_')
            .map_or(task.service(), |(_, name)| name);
        if task.runs() {
            runs.push(short);
        } else if task.desired != "shutdown" {
            troubles.push(format!("{short} {}", task.state));
        }
    }
    runs.dedup();
    let light = if runs.is_empty() {
        Light::Red
    } else if troubles.is_empty() {
        Light::Green
    } else {
        Light::Yellow
    };
    let mut says = if runs.is_empty() {
        "runs nothing".to_owned()
    } else {
        format!("runs {}", runs.join(", "))
    };
    if !troubles.is_empty() {
        says.push_str(&format!("; {}", troubles.join(", ")));
    }
    (light, says)
}
