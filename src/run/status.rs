//! `provision status`: how well each layer is, on one screen.

use super::setup;
use crate::apply::Mode;
use crate::cli::{OutputFormat, StatusArgs};
use crate::failure::Failure;
use crate::inventory::HostName;
use crate::module::{Health, Light};
use crate::report::{Outcome, Reporter, json};
use console::Style;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How often `--watch` looks.
const WATCH: Duration = Duration::from_secs(2);

/// `provision status`
pub async fn status(args: StatusArgs) -> Result<u8, Failure> {
    let styled = std::io::stdout().is_terminal();
    loop {
        let mut setup = setup::load(&args.input)?;
        // Only what tells of a layer's health.
        setup.compiled.works.retain(|work| work.tells_health);
        let remote = setup.remote(&args.connection)?;
        let report = Reporter::new(Vec::new(), setup.redactor());
        let (layers, unreachable) = {
            let mut engine = setup.engine(&remote, false);
            engine.drive(Mode::Look, &report, &Cell::new(false)).await;
            (engine.health(), engine.unreachable())
        };
        remote.close().await;
        let green = |health: &Health| {
            health
                .members
                .iter()
                .all(|member| member.light == Light::Green)
        };
        let healthy = unreachable.is_empty() && layers.iter().all(green);
        let screen = if args.output.output == Some(OutputFormat::Json) {
            format!("{}\n", json::status(&layers, &unreachable, healthy))
        } else {
            screen(&layers, &unreachable, styled)
        };
        if args.watch && styled {
            let _ = console::Term::stdout().clear_screen();
        }
        let _ = write!(std::io::stdout(), "{screen}");
        if !args.watch {
            return Ok(if healthy {
                0
            } else {
                Outcome::Refused.exit_code()
            });
        }
        tokio::time::sleep(WATCH).await;
    }
}

fn screen(layers: &[Health], unreachable: &BTreeMap<HostName, String>, styled: bool) -> String {
    let style = |style: Style| style.force_styling(styled);
    let mut out = String::new();
    for (host, why) in unreachable {
        let _ = writeln!(
            out,
            "{} {why}",
            style(Style::new().red().bold()).apply_to(format!("{host} unreachable:"))
        );
    }
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
