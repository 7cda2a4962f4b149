//! How well the layers are, as text for people.

use crate::inventory::HostName;
use crate::module::{Health, Light};
use console::Style;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The hosts that do not answer, then the layers. `styled` adds colours.
pub fn screen(layers: &[Health], unreachable: &BTreeMap<HostName, String>, styled: bool) -> String {
    let style = |style: Style| style.force_styling(styled);
    let mut out = String::new();
    for (host, why) in unreachable {
        let _ = writeln!(
            out,
            "{} {why}",
            style(Style::new().red().bold()).apply_to(format!("{host} unreachable:"))
        );
    }
    out.push_str(&self::layers(layers, styled));
    out
}

/// Each layer with its quorum margin, and its members. `styled` adds colours.
pub fn layers(layers: &[Health], styled: bool) -> String {
    let style = |style: Style| style.force_styling(styled);
    let mut out = String::new();
    let widest = layers
        .iter()
        .flat_map(|layer| &layer.members)
        .map(|member| member.host.as_str().len())
        .max();
    for layer in layers {
        let margin = layer
            .margin
            .as_ref()
            .map_or(String::new(), |margin| match margin.can_lose {
                0 => format!("can lose 1 more host: no, because {}", margin.because),
                1 => format!("can lose 1 more host: yes, because {}", margin.because),
                more => format!("can lose {more} more hosts: {}", margin.because),
            });
        let _ = writeln!(
            out,
            "{}  {margin}",
            style(Style::new().bold()).apply_to(&layer.layer)
        );
        for member in &layer.members {
            let (mark, colour) = match member.light {
                Light::Green => ("ok", Style::new().green()),
                Light::Advised => ("advice", Style::new().yellow()),
                Light::Held => ("held", Style::new().yellow()),
                Light::Yellow => ("degraded", Style::new().yellow()),
                Light::Red => ("down", Style::new().red().bold()),
                Light::Unknown => ("unknown", Style::new().magenta()),
            };
            let width = widest.unwrap_or_default();
            let _ = writeln!(
                out,
                "  {:<width$}  {} {}",
                member.host,
                style(colour).apply_to(format!("{mark:<8}")),
                member.says
            );
        }
    }
    out
}
