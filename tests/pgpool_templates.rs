//! Pgpool-II's files and scripts, rendered for each series of Pgpool-II and PostgreSQL, against golden files.
//! `PROVISION_BLESS=1` writes them; read the diff. shellcheck reads the same files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use provision::inventory::{HostName, Inventory, Variable, Vars};
use provision::playbook::{Scope, Val};
use provision::yaml::{self, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const COMBINATIONS: [(&str, &str); 3] = [("4.5", "16"), ("4.6", "17"), ("4.7", "18")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn source(path: &Path) -> Arc<Source> {
    Arc::new(Source {
        name: path.display().to_string(),
        text: std::fs::read_to_string(path).unwrap(),
    })
}

/// The variables of the play, so that what is tested is what is used.
fn play_vars() -> Arc<Vars> {
    let playbook = yaml::load(&source(&root().join("playbooks/pgpool.yml")))
        .unwrap_or_else(|found| panic!("{found}"));
    let yaml::Value::List(plays) = &playbook.value else {
        panic!("no plays")
    };
    let vars = plays[0].get("vars").unwrap();
    Arc::new(
        vars.entries()
            .iter()
            .map(|entry| {
                let variable = Variable {
                    key_span: entry.key_span.clone(),
                    node: entry.node.clone(),
                };
                (entry.key.clone(), Arc::new(variable))
            })
            .collect(),
    )
}

fn inventory(pgpool: &str, postgres: &str) -> Arc<Inventory> {
    let path = root().join("tests/golden/pgpool/inventory.yml");
    let extra = [
        format!("pgpool_version={pgpool}"),
        format!("postgres_version={postgres}"),
    ];
    Arc::new(Inventory::load(&path, &extra).unwrap_or_else(|found| panic!("{found}")))
}

fn templates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root().join("templates/pgpool"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    assert!(found.len() > 10);
    found
}

#[test]
fn files_and_scripts_are_as_approved() {
    let mut wrong = Vec::new();
    for (pgpool, postgres) in COMBINATIONS {
        let inventory = inventory(pgpool, postgres);
        let host = HostName::new("Db-1.example.org");
        let scope = Scope::new(&inventory, &host).vars(&play_vars());
        let folder = root().join(format!("tests/golden/pgpool/{pgpool}-pg{postgres}"));
        for template in templates() {
            let name = template.file_stem().unwrap().to_string_lossy().into_owned();
            let text = match scope.render_file(&source(&template)) {
                Ok(Val::Known(text)) => text,
                Ok(Val::Unknown(why)) => panic!("{name}: {why}"),
                Err(found) => panic!("{name}: {found}"),
            };
            let golden = folder.join(&name);
            if std::env::var_os("PROVISION_BLESS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&golden, &text).unwrap();
            }
            let approved = std::fs::read_to_string(&golden).unwrap_or_default();
            if approved != text {
                let diff = similar::TextDiff::from_lines(&approved, &text);
                wrong.push(format!("{}\n{}", golden.display(), diff.unified_diff()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every template is written by the play, and none that it names is missing.
#[test]
fn every_template_is_used() {
    let play = std::fs::read_to_string(root().join("playbooks/pgpool.yml")).unwrap();
    for template in templates() {
        let name = template.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(play.contains(&name), "{name}");
    }
}
