//! What needs no connection: `validate`, `inventory` and `docs`.

use super::setup;
use crate::cli::{InputArgs, InventoryArgs};
use crate::failure::Failure;
use crate::inventory::Inventory;
use crate::module::SPECS;
use crate::yaml::suggest;
use std::fmt::Write as _;
use std::io::Write;

/// `provision validate`
pub fn validate(input: &InputArgs) -> Result<u8, Failure> {
    let setup = setup::load(input)?;
    for advice in &setup.inventory.advice {
        let _ = writeln!(std::io::stdout(), "advice: {advice}\n");
    }
    let (hosts, tasks) = (setup.inventory.hosts().len(), setup.compiled.works.len());
    let layers: Vec<&str> = setup
        .compiled
        .layers
        .iter()
        .map(|layer| &*layer.name)
        .collect();
    let _ = writeln!(
        std::io::stdout(),
        "valid: {hosts} hosts, {tasks} tasks in the layers {}",
        layers.join(", ")
    );
    Ok(0)
}

/// `provision inventory`
pub fn inventory(args: &InventoryArgs) -> Result<u8, Failure> {
    let inventory = Inventory::load(&args.input.inventory, &args.input.extra_vars)?;
    let text = if args.list {
        format!("{:#}\n", inventory.to_list())
    } else {
        inventory.to_graph()
    };
    let _ = write!(std::io::stdout(), "{text}");
    Ok(0)
}

/// `provision docs`
pub fn docs(module: Option<&str>) -> Result<u8, Failure> {
    let mut out = String::new();
    match module {
        None => {
            for spec in SPECS {
                let args: Vec<&str> = spec.args.iter().map(|arg| arg.name).collect();
                let _ = writeln!(out, "{:<16} {}", spec.name, args.join(", "));
            }
        }
        Some(name) => {
            let Some(spec) = SPECS.iter().find(|spec| spec.name == name) else {
                let failure = Failure::usage(format!("there is no module `{name}`"));
                return Err(match suggest(name, SPECS.iter().map(|spec| spec.name)) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint("`provision docs` lists them"),
                });
            };
            let scope = if spec.cluster {
                "looks at the whole group"
            } else {
                "looks at one host at a time"
            };
            let _ = writeln!(out, "{name}: {scope}");
            for arg in spec.args {
                let required = if arg.required { ", required" } else { "" };
                let default = arg
                    .default
                    .map_or(String::new(), |default| format!(", default {default}"));
                let _ = writeln!(
                    out,
                    "  {}: {}{required}{default}\n      {}",
                    arg.name,
                    arg.kind.words(),
                    arg.doc
                );
            }
        }
    }
    let _ = write!(std::io::stdout(), "{out}");
    Ok(0)
}
