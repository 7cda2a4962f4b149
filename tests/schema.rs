//! The JSON that other programs read keeps to its schemas.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use boon::{Compiler, Schemas};
use provision::inventory::HostName;
use provision::module::{Health, Light, Margin, MemberHealth};
use provision::plan::{
    Act, Advice, Claim, Class, Content, Expect, Plan, Planned, Reach, Refusal, Step, StepId,
    Unknown, Wait,
};
use provision::probe::Query;
use provision::rehearse::{Aftermath, Foretold};
use provision::report::json::JsonLines;
use provision::report::{Event, Outcome, Redactor, Reporter, Sink, json, rehearsal};
use serde_json::Value;
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

fn check(schema: &str, values: &[Value]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/report/schema")
        .join(schema);
    let mut schemas = Schemas::new();
    let index = Compiler::new()
        .compile(path.to_str().unwrap(), &mut schemas)
        .unwrap();
    for value in values {
        if let Err(error) = schemas.validate(value, index) {
            panic!("{error:#}\n{value:#}");
        }
    }
}

fn keeps(schema: &str, value: &Value) -> bool {
    std::panic::catch_unwind(|| check(schema, std::slice::from_ref(value))).is_ok()
}

fn host() -> HostName {
    HostName::from("ke2-server1")
}

/// A plan with one of everything.
fn plan() -> Plan {
    let write = Act::WriteFile {
        path: "/etc/hosts".into(),
        content: Content::plain("new\n"),
        before: Some(Content::plain("old\n")),
        mode: None,
        owner: None,
        group: None,
    };
    let remove = Act::RemovePath { path: "/x".into() };
    let planned = |act: Act, class: Class, blocked: Option<&str>| Planned {
        layer: "hosts".into(),
        task: "a task".into(),
        step: Step::new(
            StepId::new(&["file", "x"]),
            &host(),
            class,
            "it differs",
            act,
        )
        .assume("something"),
        blocked: blocked.map(str::to_owned),
    };
    let until = Claim::new(&host(), Query::Docker, Expect::EngineRuns);
    Plan {
        steps: vec![
            planned(write, Class::Repair, None),
            planned(remove, Class::Destroy("x".into()), Some("refused by S1")),
        ],
        waits: vec![(
            "swarm".into(),
            Wait {
                what: "it starts".into(),
                until,
                deadline_s: 10,
            },
        )],
        refusals: vec![(
            "swarm".into(),
            Refusal {
                code: "S1".into(),
                because: "no".into(),
                evidence: vec!["seen".into()],
                hint: "look".into(),
                reach: Reach::Layer,
            },
        )],
        advice: vec![Advice {
            code: "H1".into(),
            host: Some(host()),
            text: "know this".into(),
        }],
        unknown: vec![Unknown {
            layer: "x".into(),
            task: "y".into(),
            hosts: vec![host()],
            why: "z".into(),
        }],
        unreachable: [(host(), "silent".to_owned())].into(),
        left_out: 1,
        assumes_lost: Vec::new(),
    }
}

#[test]
fn plans_keep_to_their_schema() {
    check(
        "plan-1.json",
        &[json::plan(&Plan::default()), json::plan(&plan())],
    );
}

#[test]
fn rehearsals_keep_to_their_schema_and_are_no_plans() {
    let health = Health {
        layer: "swarm".into(),
        members: vec![MemberHealth {
            host: host(),
            light: Light::Unknown,
            says: "silent".into(),
        }],
        margin: Some(Margin::majority("managers", 3, 2)),
    };
    let assumed = Plan {
        assumes_lost: vec![host()],
        ..plan()
    };
    let foretold = Foretold {
        down: vec![health],
        refusals: assumed.refusals.clone(),
        aftermath: vec![Aftermath {
            about: "swarm".into(),
            says: "it stays".into(),
            decided: true,
        }],
        assumptions: vec!["something".into()],
        plan: assumed,
    };
    let document = rehearsal::json(&foretold);
    check("rehearsal-1.json", std::slice::from_ref(&document));
    assert!(
        !keeps("plan-1.json", &document),
        "it could be taken for a plan"
    );
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn events_and_the_summary_keep_to_their_schema_and_hold_no_secret() {
    let out = Shared::default();
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(JsonLines(out.clone()))];
    let report = Reporter::new(sinks, Redactor::new(["open-sesame".to_owned()]));
    let id = StepId::new(&["swarm", "init"]);
    let text = "with open-sesame in it".to_owned();
    let (what, why, shows, said) = (text.clone(), text.clone(), text.clone(), text.clone());
    for event in [
        Event::Looking { hosts: 3 },
        Event::Connected { host: host() },
        Event::Unreachable {
            host: host(),
            why: why.clone(),
        },
        Event::Asked {
            host: host(),
            questions: 7,
            kinds: ["docker"].into(),
        },
        Event::Lock { text: text.clone() },
        Event::StepStarted {
            host: host(),
            id: id.clone(),
            shows: shows.clone(),
        },
        Event::StepDone {
            host: host(),
            id: id.clone(),
            class: Class::Found,
            took: Duration::from_secs(1),
        },
        Event::StepFailed {
            host: host(),
            id,
            shows,
            said,
        },
        Event::Waiting {
            what,
            since: Duration::from_secs(2),
        },
        Event::HostStopped {
            host: host(),
            why: why.clone(),
        },
        Event::LayerStopped {
            layer: "swarm".into(),
            why,
        },
        Event::Verified { left: 0 },
        Event::Note { text },
    ] {
        report.emit(&event);
    }
    let summary = json::summary(
        Outcome::Failed,
        &report.tallies(),
        &plan().refusals,
        Duration::from_millis(1500),
    );
    let text = String::from_utf8(out.0.borrow().clone()).unwrap();
    assert!(!text.contains("open-sesame"), "{text}");
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 13);
    lines.push(summary);
    check("event-1.json", &lines);
}
