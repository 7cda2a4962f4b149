use provision::inventory::Inventory;
use provision::playbook::{ArgKind, ArgSpec, ModuleSpec};
use std::path::Path;

/// Writes a file into a folder of its own and loads it as an inventory.
pub fn try_inventory(text: &str, extra: &[&str]) -> Result<Inventory, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.yml");
    std::fs::write(&path, text).unwrap();
    load(&path, extra)
}

/// Loads an inventory; messages name files relative to its folder.
pub fn load(path: &Path, extra: &[&str]) -> Result<Inventory, String> {
    let extra: Vec<String> = extra.iter().map(|&text| text.to_owned()).collect();
    Inventory::load(path, &extra).map_err(|found| {
        let folder = format!("{}/", path.parent().unwrap().display());
        found.to_string().replace(&folder, "")
    })
}

pub fn inventory(text: &str) -> Inventory {
    try_inventory(text, &[]).unwrap_or_else(|found| panic!("{found}"))
}

const fn arg(name: &'static str, kind: ArgKind) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required: false,
        default: None,
        doc: "",
    }
}

const fn needed(name: &'static str, kind: ArgKind, doc: &'static str) -> ArgSpec {
    ArgSpec {
        required: true,
        doc,
        ..arg(name, kind)
    }
}

/// A table of modules that has every kind of argument.
pub static MODULES: &[ModuleSpec] = &[
    ModuleSpec {
        name: "command",
        cluster: false,
        registers: true,
        free_form: Some("cmd"),
        args: &[
            needed("cmd", ArgKind::Text, "The program and its arguments."),
            arg("chdir", ArgKind::Path),
        ],
    },
    ModuleSpec {
        name: "service",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed("name", ArgKind::Text, "Name of the unit."),
            arg("state", ArgKind::Choice(&["started", "stopped"])),
            ArgSpec {
                default: Some("true"),
                ..arg("enabled", ArgKind::Bool)
            },
            arg("password", ArgKind::Text),
        ],
    },
    ModuleSpec {
        name: "file",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed("path", ArgKind::Path, "The file."),
            ArgSpec {
                default: Some("0644"),
                ..arg("mode", ArgKind::Mode)
            },
            arg("port", ArgKind::Port),
        ],
    },
    ModuleSpec {
        name: "template",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[arg("src", ArgKind::Text), arg("dest", ArgKind::Path)],
    },
    ModuleSpec {
        name: "package",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            arg("names", ArgKind::List(&ArgKind::Text)),
            ArgSpec {
                default: Some("600"),
                ..arg("wait", ArgKind::Int)
            },
        ],
    },
    ModuleSpec {
        name: "swarm",
        cluster: true,
        registers: false,
        free_form: None,
        args: &[
            arg("join", ArgKind::Text),
            arg("labels", ArgKind::Map),
            arg("any", ArgKind::Any),
        ],
    },
];
