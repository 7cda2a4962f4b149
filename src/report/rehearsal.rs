//! A rehearsed loss: first what would be left, then the plan of the run after the hosts were replaced.

use super::{health, json, text};
use crate::plan::Plan;
use crate::rehearse::Foretold;
use console::Style;
use serde_json::{Value, json};
use std::fmt::Write;

/// Version of the document's format; it changes when a reader has to.
pub const REHEARSAL_SCHEMA: u32 = 1;

/// What a plan takes for granted that is not so; `None` for the plan of the hosts as they are.
pub fn assumed(plan: &Plan) -> Option<String> {
    let (is, machine) = match plan.assumes_lost.len() {
        0 => return None,
        1 => ("is", "a blank machine"),
        _ => ("are", "blank machines"),
    };
    let hosts = text::names(&plan.assumes_lost);
    Some(format!(
        "assumes that {hosts} {is} lost and replaced by {machine}"
    ))
}

/// The whole rehearsal. `styled` adds colours.
pub fn text(foretold: &Foretold, hosts: usize, styled: bool) -> String {
    let bold = Style::new().bold().force_styling(styled);
    let dim = Style::new().dim().force_styling(styled);
    let lost = text::names(&foretold.plan.assumes_lost);
    let (is, were) = match foretold.plan.assumes_lost.len() {
        1 => ("is", "was"),
        _ => ("are", "were"),
    };
    let mut out = format!("{}\n\n", bold.apply_to(format!("While {lost} {is} down")));
    out.push_str(&health::layers(&foretold.down, styled));
    if !foretold.aftermath.is_empty() {
        let _ = writeln!(out, "\n{}", bold.apply_to("What happens by itself"));
        for one in &foretold.aftermath {
            let open = if one.decided { "" } else { " (not decided)" };
            let _ = writeln!(out, "  {}: {}{}", one.about, one.says, dim.apply_to(open));
        }
    }
    if !foretold.refusals.is_empty() {
        let _ = writeln!(out, "\n{}", bold.apply_to("What would be refused then"));
        for (layer, refusal) in &foretold.refusals {
            let _ = writeln!(out, "  {layer}: {} {}", refusal.code, refusal.because);
        }
    }
    let _ = writeln!(
        out,
        "\n{}\n",
        bold.apply_to(format!("After {lost} {were} replaced"))
    );
    for assumption in &foretold.assumptions {
        let _ = writeln!(out, "{} {assumption}", dim.apply_to("assuming"));
    }
    if !foretold.assumptions.is_empty() {
        out.push('\n');
    }
    out.push_str(&text::plan(&foretold.plan, hosts, styled));
    out
}

/// The rehearsal as a JSON document. It has no steps of its own, so that nothing that reads plans takes it for one.
pub fn json(foretold: &Foretold) -> Value {
    json!({
        "rehearsal": REHEARSAL_SCHEMA,
        "assumes": assumed(&foretold.plan).unwrap_or_default(),
        "assumes_lost": foretold.plan.assumes_lost,
        "assumptions": foretold.assumptions,
        "while_lost": {
            "layers": foretold.down,
            "refusals": foretold.refusals.iter().map(|(layer, refusal)| json::refused(layer, refusal)).collect::<Vec<_>>(),
            "aftermath": foretold.aftermath,
        },
        "plan": json::plan(&foretold.plan),
    })
}
