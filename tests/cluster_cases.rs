//! Answers in, decision out: each file of `tests/cases/swarm`, `gluster_pool` and so on is one row of a decision
//! table. `PROVISION_BLESS=1` writes the decisions that are reached now into the files; read the diff.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

use provision::cluster::certificates::Certificates;
use provision::cluster::external_database::ExternalDatabase;
use provision::cluster::gluster_pool::GlusterPool;
use provision::cluster::gluster_volume::GlusterVolume;
use provision::cluster::postgres::Postgres;
use provision::cluster::preflight::Preflight;
use provision::cluster::replaced_hosts::ReplacedHosts;
use provision::cluster::secret_key::SecretKey;
use provision::cluster::shared_dir::SharedDir;
use provision::cluster::stack::StackImages;
use provision::cluster::swarm::Swarm;
use provision::inventory::{HostName, Inventory};
use provision::module::{Args, Context, Module, Unfit};
use provision::plan::{Act, Allow, Class, Decision, Reach, StackAct};
use provision::playbook::{Scope, Val};
use provision::probe::{Answer, Answers, Memory, Query, Seen};
use provision::yaml::{Entry, Node, Span, Value};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[path = "cluster_cases/stack.rs"]
mod stack;
#[path = "cluster_cases/vain.rs"]
mod vain;

#[test]
fn stack_images() {
    run_all::<StackImages>();
}

#[test]
fn replaced_hosts() {
    run_all::<ReplacedHosts>();
}

#[test]
fn swarm() {
    run_all::<Swarm>();
}

#[test]
fn shared_dir() {
    run_all::<SharedDir>();
}

#[test]
fn secret_key() {
    run_all::<SecretKey>();
}

#[test]
fn certificates() {
    run_all::<Certificates>();
}

#[test]
fn external_database() {
    run_all::<ExternalDatabase>();
}

#[test]
fn postgres() {
    run_all::<Postgres>();
}

#[test]
fn preflight() {
    run_all::<Preflight>();
}

#[test]
fn gluster_pool() {
    run_all::<GlusterPool>();
}

#[test]
fn gluster_volume() {
    run_all::<GlusterVolume>();
}

fn run_all<M: Module>() {
    run_all_of::<M>(&Map::clone);
}

/// A case with what its file leaves out.
type Whole<'a> = &'a dyn Fn(&Map<String, Json>) -> Map<String, Json>;

/// `whole` says what a case stands for, where its file leaves out what goes without saying.
fn run_all_of<M: Module>(whole: Whole<'_>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(M::SPEC.name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|file| run::<M>(file, whole))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What differs from the decision in the file.
fn run<M: Module>(file: &Path, whole: Whole<'_>) -> Option<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut case: Map<String, Json> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let reached = decide::<M>(&whole(&case), file);
    if case.get("then") == Some(&reached) {
        return None;
    }
    if std::env::var_os("PROVISION_BLESS").is_some() {
        case.insert("then".to_owned(), reached);
        std::fs::write(file, serde_json::to_string_pretty(&case).unwrap() + "\n").unwrap();
        return None;
    }
    let pretty = |json: &Json| serde_json::to_string_pretty(json).unwrap();
    let wanted = case.get("then").map(pretty).unwrap_or_default();
    let reached = pretty(&reached);
    let diff = similar::TextDiff::from_lines(&wanted, &reached);
    Some(format!("{}\n{}", file.display(), diff.unified_diff()))
}

fn decide<M: Module>(case: &Map<String, Json>, file: &Path) -> Json {
    let module = match build::<M>(case) {
        Ok(module) => module,
        Err(said) => return said,
    };
    let memory = memory(&case["answers"]);
    let seen = Answers::new(&memory);
    let state = module
        .look(&seen)
        .unwrap_or_else(|need| panic!("{}: also asks {:?}", file.display(), need.0));
    let decision = module.plan(&state);
    // Another task of the same run comes first.
    if !case.contains_key("earlier") {
        let vain = vain::begins_in_vain(&decision, &memory);
        assert_eq!(vain, None, "{}", file.display());
    }
    let mut then = readable(&decision);
    if let Some(health) = module.health(&state) {
        let lines: Vec<Json> = health
            .members
            .iter()
            .map(|member| {
                json!(format!(
                    "{} {:?}: {}",
                    member.host, member.light, member.says
                ))
            })
            .collect();
        then.insert("health".to_owned(), lines.into());
        if let Some(margin) = health.margin {
            let text = format!("can lose {}: {}", margin.can_lose, margin.because);
            then.insert("margin".to_owned(), text.into());
        }
    }
    if let Some(registered) = module.registered(&state) {
        then.insert("registered".to_owned(), registered);
    }
    Json::Object(then)
}

/// The module with the arguments of a case.
fn build<M: Module>(case: &Map<String, Json>) -> Result<M, Json> {
    let span = Span::builtin("case");
    let hosts: Vec<HostName> = case["hosts"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| HostName::new(&**name))
        .collect();
    let inventory = case.get("vars").map(|vars| inventory(vars, &case["hosts"]));
    let variable = |host: &HostName, name: &str| -> Result<Option<Node>, Unfit> {
        let Some(inventory) = &inventory else {
            return Ok(case["hosts"][host.as_str()]
                .get(name)
                .map(|json| node(json, &span)));
        };
        let known = inventory.host(host.as_str()).unwrap();
        if name == "ansible_host" {
            return Ok(Some(node(&json!(known.address), &span)));
        }
        let Some(variable) = known.var(name) else {
            return Ok(None);
        };
        match Scope::new(inventory, host).render(&variable.node)? {
            Val::Known(node) => Ok(Some(node)),
            Val::Unknown(why) => Err(Unfit::Unknown(why)),
        }
    };
    let allowed: Vec<Allow> = case
        .get("allow")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap().parse().unwrap())
        .collect();
    let context = Context {
        host: &hosts[0],
        group: &hosts,
        user: "root",
        variable: &variable,
        file: &|_| Ok(Vec::new()),
        template: &|_| Ok(String::new()),
        local: &|path| provision::module::Local {
            path: path.to_owned(),
            bytes: Ok(None),
        },
        allowed: &allowed,
    };
    let arguments = node(&case["module"], &span);
    let args = Args {
        spec: const { &M::SPEC },
        node: &arguments,
    };
    M::from_args(&args, &context).map_err(|unfit| match unfit {
        Unfit::Wrong(diagnostics) => json!({ "wrong": diagnostics.to_string() }),
        Unfit::Unknown(why) => json!({ "unknown": why }),
    })
}

/// The hosts of a case as an inventory, so that variables have their defaults.
fn inventory(vars: &Json, hosts: &Json) -> Arc<Inventory> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("inventory.yml");
    // JSON is YAML.
    let text = json!({ "all": { "vars": vars, "hosts": hosts } }).to_string();
    std::fs::write(&path, text).unwrap();
    Arc::new(Inventory::load_for(&path, &[], &Default::default()).unwrap())
}

/// The answers of a case: by host, by `question` or `question argument`; a text is why nobody knows.
fn memory(answers: &Json) -> Memory {
    let mut memory = Memory::default();
    for (host, answered) in answers.as_object().unwrap() {
        for (question, answer) in answered.as_object().unwrap() {
            let (kind, query) = match question.split_once(' ') {
                Some((kind, about)) if about.starts_with('{') => {
                    let about: Json = serde_json::from_str(about).unwrap();
                    (kind, json!({ kind: about }))
                }
                Some((kind, about)) => (kind, json!({ kind: about })),
                None => (&**question, json!(question)),
            };
            let query: Query = serde_json::from_value(query).unwrap();
            let seen = match answer {
                // The one answer that is a word: nothing is at a path.
                Json::String(why) if why != "absent" => Seen::Unknown(why.clone()),
                answer => Seen::Is(
                    serde_json::from_value::<Answer>(json!({ kind: answer }))
                        .unwrap_or_else(|error| panic!("{host}: {question}: {error}")),
                ),
            };
            memory.insert(&HostName::new(&**host), query, seen);
        }
    }
    memory
}

/// A decision as a person would tell it.
fn readable(decision: &Decision) -> Map<String, Json> {
    let mut then = Map::new();
    let mut list = |key: &str, lines: Vec<Json>| {
        if !lines.is_empty() {
            then.insert(key.to_owned(), lines.into());
        }
    };
    let steps = decision.steps.iter().map(|step| {
        let mut told = Map::new();
        let class = match &step.class {
            Class::Destroy(object) => format!("destroy {object}"),
            class => class.name().to_owned(),
        };
        told.insert(
            "step".to_owned(),
            json!(format!("{} for {} ({class})", step.id, step.subject)),
        );
        told.insert("why".to_owned(), json!(step.why));
        let act = match &step.act {
            // The document has tests of its own.
            Act::Stack(StackAct::Deploy { .. }) => json!(step.act.show()),
            act => json!(act),
        };
        told.insert("act".to_owned(), act);
        told.insert("via".to_owned(), json!(step.via));
        let needs: Vec<String> = step.needs.iter().map(ToString::to_string).collect();
        told.insert("needs".to_owned(), json!(needs));
        if !step.yields_to.is_empty() {
            let claims: Vec<String> = step.yields_to.iter().map(ToString::to_string).collect();
            told.insert("yields to".to_owned(), json!(claims));
        }
        told.insert(
            "done".to_owned(),
            json!(step.done.as_ref().map(ToString::to_string)),
        );
        if !step.assumes.is_empty() {
            told.insert("assumes".to_owned(), json!(step.assumes));
        }
        Json::Object(told)
    });
    list("steps", steps.collect());
    let waits = decision.waits.iter().map(|wait| {
        json!(format!(
            "{} ({} s; until {})",
            wait.what, wait.deadline_s, wait.until
        ))
    });
    list("waits", waits.collect());
    let refusals = decision.refusals.iter().map(|refusal| {
        let reach = match &refusal.reach {
            Reach::Hosts(hosts) => format!("{hosts:?}"),
            Reach::Layer => "the layer".to_owned(),
            Reach::LayerAfterWaits => "the layer, after its waits".to_owned(),
            Reach::Here => "nothing else".to_owned(),
        };
        json!({
            "refusal": format!("{}: {}", refusal.code, refusal.because),
            "evidence": refusal.evidence,
            "hint": refusal.hint,
            "stops": reach,
        })
    });
    list("refusals", refusals.collect());
    let advice = decision.advice.iter().map(|advice| {
        let about = advice.host.as_ref().map(|host| format!(" {host}"));
        json!(format!(
            "{}{}: {}",
            advice.code,
            about.unwrap_or_default(),
            advice.text
        ))
    });
    list("advice", advice.collect());
    then
}

fn node(json: &Json, span: &Span) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Int(number.as_i64().unwrap(), number.to_string()),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(|item| node(item, span)).collect()),
        Json::Object(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| Entry {
                    key: key.clone(),
                    key_span: span.clone(),
                    node: node(value, span),
                })
                .collect(),
        ),
    };
    Node {
        span: span.clone(),
        value,
    }
}
