//! Answers in, decision out, for host modules: each `tests/cases/MODULE/CASE.yml` is one case.
//!
//! ```yaml
//! story: what happened, and why the decision is right
//! args: {…}                       # of the task; YAML as in a playbook
//! hosts: {NAME: {variable: …}}    # the group in order; the case is about the first one
//! files: {PATH: text}             # of the project: what `src:` names, templates rendered
//! answers:
//!   NAME:
//!     file /etc/hosts: text               # or {text, mode, owner, group}: both `path` and `content`
//!     package docker-ce: {evr: 3:26.1.5-1.el9}
//!     shell test -e /x: {status: 1, stdout: "", stderr: ""}
//!     unit docker.service: {unknown: timed out}
//! expect: [one line each]         # `PROVISION_BLESS=1` writes what is reached now; read the diff
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use provision::inventory::HostName;
use provision::module::{AnyModule, Args, Context, SPECS, Unfit};
use provision::plan::Content;
use provision::probe::{Answer, Answers, Memory, Query, Seen};
use provision::yaml::{self, Node, Source, Span};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[test]
fn every_case_reaches_its_decision() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut wrong = Vec::new();
    let mut count = 0;
    for spec in SPECS {
        for file in cases(&root.join(spec.name)) {
            count += 1;
            wrong.extend(differs(spec.name, &file));
        }
    }
    assert!(count > 0, "no cases in {}", root.display());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yml"))
        .collect();
    files.sort();
    files
}

fn load(name: &str, text: String) -> Node {
    let source = Source {
        name: name.to_owned(),
        text,
    };
    yaml::load(&Arc::new(source)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The difference between the expected and the reached decision.
fn differs(module: &str, file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let case = load(&file.display().to_string(), text.clone());
    let reached = decide(module, &case);
    let expected: Vec<String> = case.get("expect").map_or_else(Vec::new, |list| {
        serde_json::from_value(list.to_json()).unwrap()
    });
    if expected == reached && case.get("expect").is_some() {
        return None;
    }
    if std::env::var_os("PROVISION_BLESS").is_some() {
        let (above, _) = text.split_once("\nexpect:").unwrap_or((&text, ""));
        let lines: String = reached
            .iter()
            .map(|line| format!("\n  - {}", json!(line)))
            .collect();
        let lines = if lines.is_empty() {
            " []".to_owned()
        } else {
            lines
        };
        std::fs::write(file, format!("{}\nexpect:{lines}\n", above.trim_end())).unwrap();
        return None;
    }
    let (expected, reached) = (expected.join("\n") + "\n", reached.join("\n") + "\n");
    let diff = similar::TextDiff::from_lines(&expected, &reached);
    Some(format!("{}\n{}", file.display(), diff.unified_diff()))
}

fn decide(module: &str, case: &Node) -> Vec<String> {
    let empty = load("nothing", "{}".to_owned());
    let hosts = case.get("hosts").expect("a case has `hosts`");
    let group: Vec<HostName> = hosts
        .entries()
        .iter()
        .map(|entry| HostName::new(&*entry.key))
        .collect();
    let variable = |host: &HostName, name: &str| -> Result<Option<Node>, Unfit> {
        Ok(hosts
            .get(host.as_str())
            .and_then(|vars| vars.get(name))
            .cloned())
    };
    let read = |node: &Node| -> Result<String, Unfit> {
        let name = node.scalar().unwrap_or_default();
        let text = case
            .get("files")
            .and_then(|files| files.get(&name)?.scalar());
        text.ok_or_else(|| {
            yaml::Diagnostic::new(&node.span, format!("there is no `{name}`")).into()
        })
    };
    let context = Context {
        host: &group[0],
        group: &group,
        user: "root",
        variable: &variable,
        file: &|node| read(node).map(String::into_bytes),
        template: &read,
        local: &|path| provision::module::Local {
            path: path.to_owned(),
            bytes: Ok(None),
        },
        allowed: &[],
    };
    let spec = SPECS.iter().find(|spec| spec.name == module).unwrap();
    let arguments = match spec.complete(case.get("args").unwrap_or(&empty)) {
        Ok(arguments) => arguments,
        Err(wrong) => return said("wrong", &wrong.to_string()),
    };
    let args = Args {
        spec,
        node: &arguments,
    };
    let built = match AnyModule::build(&args, &context) {
        Ok(built) => built,
        Err(Unfit::Wrong(wrong)) => return said("wrong", &wrong.0[0].message),
        Err(Unfit::Unknown(why)) => return said("unknown", &why),
    };
    let memory = memory(case.get("answers").unwrap_or(&empty));
    match built.verdict(&Answers::new(&memory)) {
        Ok(verdict) => told(&verdict),
        Err(need) => need
            .0
            .iter()
            .map(|(host, query)| format!("asks | {host} | {}", json!(query)))
            .collect(),
    }
}

fn said(what: &str, text: &str) -> Vec<String> {
    vec![format!("{what} | {text}")]
}

fn told(verdict: &provision::module::Verdict) -> Vec<String> {
    let decision = &verdict.decision;
    let mut lines = Vec::new();
    for step in &decision.steps {
        lines.push(format!(
            "step | {} | {} | {} | {}",
            step.id,
            step.class.name(),
            step.subject,
            step.act.show()
        ));
        lines.push(format!("  because {}", step.why));
        lines.extend(step.assumes.iter().map(|text| format!("  assumes {text}")));
        lines.extend(step.done.iter().map(|claim| format!("  until {claim}")));
        if let provision::plan::Act::WriteFile { content, .. } = &step.act {
            let text = match content.secret {
                true => "(secret)".to_owned(),
                false => String::from_utf8_lossy(&content.bytes).into_owned(),
            };
            lines.extend(text.lines().map(|line| format!("  > {line}")));
        }
    }
    for wait in &decision.waits {
        lines.push(format!("wait | {} | {} s", wait.what, wait.deadline_s));
        lines.push(format!("  until {}", wait.until));
    }
    for refusal in &decision.refusals {
        lines.push(format!("refusal | {} | {}", refusal.code, refusal.because));
        lines.extend(refusal.evidence.iter().map(|text| format!("  seen {text}")));
        lines.push(format!("  hint {}", refusal.hint));
    }
    lines.extend(
        decision
            .advice
            .iter()
            .map(|advice| format!("advice | {} | {}", advice.code, advice.text)),
    );
    lines.extend(
        verdict
            .registered
            .iter()
            .map(|value| format!("registered | {value}")),
    );
    lines
}

fn memory(answers: &Node) -> Memory {
    let mut memory = Memory::default();
    for host in answers.entries() {
        for entry in host.node.entries() {
            let name = HostName::new(&*host.key);
            for (query, seen) in answer(&entry.key, &entry.node.to_json(), &entry.key_span) {
                memory.insert(&name, query, seen);
            }
        }
    }
    memory
}

/// A question and its answer as a case writes them.
fn answer(question: &str, value: &Json, at: &Span) -> Vec<(Query, Seen<Answer>)> {
    let (kind, about) = question.split_once(' ').unwrap_or((question, ""));
    let (kind, query) = match kind {
        "file" => return file(about, value, at),
        "shell" => (
            "command",
            json!({"command": {"words": [about], "shell": true}}),
        ),
        "argv" => {
            let words = shlex::split(about).unwrap();
            (
                "command",
                json!({"command": {"words": words, "shell": false}}),
            )
        }
        kind if about.is_empty() => (kind, json!(kind)),
        kind => (kind, json!({ kind: about })),
    };
    let query: Query = serde_json::from_value(query).unwrap_or_else(|e| panic!("{at}: {e}"));
    let seen = match value.get("unknown") {
        Some(why) => Seen::Unknown(why.as_str().unwrap().to_owned()),
        None => Seen::Is(
            serde_json::from_value(json!({ kind: value })).unwrap_or_else(|e| panic!("{at}: {e}")),
        ),
    };
    vec![(query, seen)]
}

/// A regular file, with the checksum of its text.
fn file(path: &str, value: &Json, at: &Span) -> Vec<(Query, Seen<Answer>)> {
    let text = value.as_str().or_else(|| value["text"].as_str());
    let text = text.unwrap_or_else(|| panic!("{at}: a file has a text"));
    let word = |key: &str, usual: &str| value[key].as_str().unwrap_or(usual).to_owned();
    let mode = u32::from_str_radix(&word("mode", "0644"), 8).unwrap();
    let state = json!({"path": {"file": {
        "sha256": Content::plain(text).sha256(),
        "size": text.len(),
        "attributes": {"mode": mode, "owner": word("owner", "root"), "group": word("group", "root")},
    }}});
    let content = json!({"content": {"bytes": text, "size": text.len()}});
    [("path", state), ("content", content)]
        .map(|(kind, answer)| {
            (
                serde_json::from_value(json!({ kind: path })).unwrap(),
                Seen::Is(serde_json::from_value(answer).unwrap()),
            )
        })
        .into()
}
