//! `provision status`: how well each layer is, on one screen.

use super::setup;
use crate::apply::Mode;
use crate::cli::{OutputFormat, StatusArgs};
use crate::failure::Failure;
use crate::module::{Health, Light};
use crate::report::{Outcome, Reporter, health, json};
use std::cell::Cell;
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
            health::screen(&layers, &unreachable, styled)
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
