//! JSON: the plan as one document, events as one object a line.

use super::{Event, Outcome, Sink, Tally};
use crate::inventory::HostName;
use crate::module::Health;
use crate::plan::{Act, Plan, Refusal};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Version of the plan's format; it changes when a reader has to.
pub const PLAN_SCHEMA: u32 = 1;

/// The plan as a JSON document.
pub fn plan(plan: &Plan) -> Value {
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|planned| {
            let step = &planned.step;
            let mut object = json!({
                "id": step.id,
                "subject": step.subject,
                "via": step.via,
                "layer": planned.layer,
                "task": planned.task,
                "why": step.why,
                "class": step.class.name(),
                "disrupts": matches!(step.class, crate::plan::Class::Restart | crate::plan::Class::Destroy(_)),
                "assumes": step.assumes,
                "blocked": planned.blocked,
            });
            let (key, value) = match &step.act {
                Act::WriteFile { path, .. } => ("file", json!(path)),
                act => ("command", json!(act.show())),
            };
            object[key] = value;
            let diff = super::text::diff(&step.act);
            if !diff.is_empty() {
                object["diff"] = json!(diff.join("\n"));
            }
            object
        })
        .collect();
    let mut document = json!({
        "schema": PLAN_SCHEMA,
        "steps": steps,
        "waits": plan.waits.iter().map(|(layer, wait)| json!({
            "layer": layer, "what": wait.what, "deadline_s": wait.deadline_s,
        })).collect::<Vec<_>>(),
        "refusals": plan.refusals.iter().map(|(layer, refusal)| refused(layer, refusal)).collect::<Vec<_>>(),
        "advice": plan.advice.iter().map(|advice| json!({
            "code": advice.code, "host": advice.host, "text": advice.text,
        })).collect::<Vec<_>>(),
        "unknown": plan.unknown.iter().map(|unknown| json!({
            "layer": unknown.layer, "task": unknown.task, "hosts": unknown.hosts, "why": unknown.why,
        })).collect::<Vec<_>>(),
        "unreachable": plan.unreachable,
        "left_out": plan.left_out,
    });
    if !plan.assumes_lost.is_empty() {
        document["assumes_lost"] = json!(plan.assumes_lost);
    }
    document
}

pub(super) fn refused(layer: &str, refusal: &Refusal) -> Value {
    json!({
        "layer": layer,
        "code": refusal.code,
        "because": refusal.because,
        "evidence": refusal.evidence,
        "hint": refusal.hint,
    })
}

/// The last line of a run.
pub fn summary(
    outcome: Outcome,
    tallies: &BTreeMap<HostName, Tally>,
    refusals: &[(String, Refusal)],
    took: Duration,
) -> Value {
    let hosts: BTreeMap<&HostName, Value> = tallies
        .iter()
        .map(|(host, tally)| {
            let counts = json!({
                "ok": tally.ok, "changed": tally.changed, "failed": tally.failed,
                "skipped": tally.skipped, "unreachable": tally.unreachable,
            });
            (host, counts)
        })
        .collect();
    json!({
        "event": "summary",
        "time": now(),
        "outcome": outcome.word(),
        "hosts": hosts,
        "changes": tallies.values().map(|tally| tally.changed).sum::<usize>(),
        "refusals": refusals.iter().map(|(layer, refusal)| refused(layer, refusal)).collect::<Vec<_>>(),
        "duration_s": (took.as_secs_f64() * 1000.0).round() / 1000.0,
    })
}

/// The health of the layers.
pub fn status(layers: &[Health], unreachable: &BTreeMap<HostName, String>, healthy: bool) -> Value {
    json!({"schema": 1, "healthy": healthy, "layers": layers, "unreachable": unreachable})
}

/// Unix time in seconds, with milliseconds.
pub fn now() -> f64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}

/// One object a line.
pub struct JsonLines<W>(pub W);

impl<W: Write> Sink for JsonLines<W> {
    fn event(&mut self, event: &Event) {
        let mut object = object(event);
        object["time"] = json!(now());
        let _ = writeln!(self.0, "{object}");
        let _ = self.0.flush();
    }
}

fn object(event: &Event) -> Value {
    match event {
        Event::Looking { hosts } => json!({"event": "looking", "hosts": hosts}),
        Event::Connected { host } => json!({"event": "connected", "host": host}),
        Event::Unreachable { host, why } => {
            json!({"event": "unreachable", "host": host, "why": why})
        }
        Event::Asked {
            host, questions, ..
        } => {
            json!({"event": "asked", "host": host, "questions": questions})
        }
        Event::Lock { text } => json!({"event": "lock", "text": text}),
        Event::StepStarted { host, id, shows } => {
            json!({"event": "step_started", "host": host, "id": id, "command": shows})
        }
        Event::StepDone {
            host,
            id,
            class,
            took,
        } => json!({
            "event": "step_done", "host": host, "id": id, "class": class.name(), "duration_s": took.as_secs_f64(),
        }),
        Event::StepFailed {
            host,
            id,
            shows,
            said,
        } => json!({
            "event": "step_failed", "host": host, "id": id, "command": shows, "said": said,
        }),
        Event::Waiting { what, since } => {
            json!({"event": "waiting", "what": what, "since_s": since.as_secs()})
        }
        Event::HostStopped { host, why } => {
            json!({"event": "host_stopped", "host": host, "why": why})
        }
        Event::LayerStopped { layer, why } => {
            json!({"event": "layer_stopped", "layer": layer, "why": why})
        }
        Event::Verified { left } => json!({"event": "verified", "left": left}),
        Event::Note { text } => json!({"event": "note", "text": text}),
    }
}
