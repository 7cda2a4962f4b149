//! Each `NAME.yml` of a folder, and the exact text that it gives in `NAME.txt`.
//! After a change on purpose: `UPDATE_EXPECTED=1 cargo test --test language`, and read the difference.

use crate::support;
use provision::inventory::Inventory;
use provision::playbook::Playbook;
use provision::yaml::{self, Source};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn check(folder: &str, render: impl Fn(&Path) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/language")
        .join(folder);
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 10, "the cases are missing");
    let mut differing = String::new();
    for case in cases {
        let seen = format!("{}\n", render(&case).trim_end());
        let expected = case.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &seen).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != seen {
            let name = case.file_stem().unwrap().to_string_lossy();
            let diff = similar::TextDiff::from_lines(&wanted, &seen);
            write!(differing, "== {name}\n{}", diff.unified_diff()).unwrap();
        }
    }
    assert!(differing.is_empty(), "\n{differing}");
}

#[test]
fn inventories() {
    check("inventory", |path| match support::load(path, &[]) {
        Err(found) => found,
        Ok(inventory) => {
            let mut text = inventory.to_graph();
            let list = serde_json::to_string_pretty(&inventory.to_list()).unwrap();
            writeln!(text, "{list}").unwrap();
            for host in inventory.hosts() {
                writeln!(
                    text,
                    "{} at {}: {:?}",
                    host.name, host.address, host.connection
                )
                .unwrap();
            }
            for advice in &inventory.advice {
                writeln!(text, "\n{advice}").unwrap();
            }
            let folder = format!("{}/", path.parent().unwrap().display());
            text.replace(&folder, "")
        }
    });
}

#[test]
fn playbooks() {
    let hosts = Path::new("tests/language/hosts.yml");
    let inventory = Arc::new(Inventory::load(hosts, &[]).unwrap());
    check("playbook", |path| {
        let folder = path.parent().unwrap();
        let read = |name: &str| {
            let source = yaml::read(&folder.join(name)).map_err(|why| why.message)?;
            Ok(Arc::new(Source {
                name: name.to_owned(),
                text: source.text.clone(),
            }))
        };
        let source = read(path.file_name().unwrap().to_str().unwrap()).unwrap();
        match Playbook::load(&source, support::MODULES, &read) {
            Err(found) => found.to_string(),
            Ok(playbook) => {
                let found = playbook.check(&inventory);
                if found.0.is_empty() {
                    outline(&playbook)
                } else {
                    found.to_string()
                }
            }
        }
    });
}

fn outline(playbook: &Playbook) -> String {
    let mut text = String::new();
    for play in &playbook.plays {
        writeln!(
            text,
            "play {:?} on {} layer {:?} needs {:?} sudo {:?} tags {:?} at {}",
            play.name, play.hosts, play.layer, play.needs, play.use_sudo, play.tags, play.span
        )
        .unwrap();
        for task in &play.tasks {
            writeln!(
                text,
                "  {:?}: {} {} when {} loop {} as {} sudo {:?} tags {:?} register {:?} at {}",
                task.name,
                task.module.name,
                task.args.to_json(),
                task.when.len(),
                task.looped
                    .as_ref()
                    .map_or("-".into(), |node| node.to_json().to_string()),
                task.loop_var,
                task.use_sudo,
                task.tags,
                task.register,
                task.module_span
            )
            .unwrap();
        }
    }
    text
}
