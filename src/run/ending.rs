//! How a run ends: its exit code and the summary.

use super::apply::{PENDING, Run};
use super::outcome;
use crate::apply::{Engine, Remote};
use crate::cli::OutputFormat;
use crate::plan::{Plan, Refusal};
use crate::report::{Event, Outcome, Reporter, json, text};
use std::io::Write;

impl Run<'_> {
    /// A plan was shown, and nothing is done about it: the exit code.
    pub(super) fn end_without_acting(
        &self,
        engine: &Engine<'_, Remote>,
        plan: &Plan,
        report: &Reporter,
        interrupted: bool,
    ) -> u8 {
        for (host, why) in &plan.unreachable {
            report.emit(&Event::Unreachable {
                host: host.clone(),
                why: why.clone(),
            });
        }
        let outcome = outcome::without_acting(plan, interrupted, self.args.dry_run);
        // As text a dry run is the plan and nothing else: asked twice, it is the same byte for byte.
        if !self.args.dry_run || interrupted || self.console.format == OutputFormat::Json {
            self.summary(engine, plan, report, outcome, None);
        }
        if outcome == Outcome::Pending && self.args.detailed_exitcode {
            PENDING
        } else {
            outcome.exit_code()
        }
    }

    /// The last lines: counts, what was stopped, how it ended.
    pub(super) fn summary(
        &self,
        engine: &Engine<'_, Remote>,
        plan: &Plan,
        report: &Reporter,
        outcome: Outcome,
        log: Option<&str>,
    ) {
        engine.count_tasks(report);
        let tallies = report.tallies();
        report.close();
        if self.console.format == OutputFormat::Json {
            let line = json::summary(outcome, &tallies, &plan.refusals, self.began.elapsed());
            let _ = writeln!(std::io::stdout(), "{line}");
            return;
        }
        let changes: usize = tallies.values().map(|tally| tally.changed).sum();
        let mut out = String::new();
        if outcome != Outcome::Pending && !(self.console.quiet && outcome == Outcome::Converged) {
            out.push('\n');
            for (host, tally) in &tallies {
                let state = if tally.unreachable {
                    "  unreachable"
                } else {
                    ""
                };
                out.push_str(&format!(
                    "{host:<20} ok {:<4} changed {:<4} failed {:<4} skipped {:<4}{state}\n",
                    tally.ok, tally.changed, tally.failed, tally.skipped
                ));
            }
        }
        for (host, why) in engine.stopped_hosts() {
            if !plan.unreachable.contains_key(host) {
                out.push_str(&format!("{host}: stopped: {why}\n"));
            }
        }
        for (layer, why) in engine.stopped_layers() {
            out.push_str(&format!(
                "{}: stopped: {why}\n",
                engine.layers()[*layer].name
            ));
        }
        if outcome == Outcome::NotConverged || outcome == Outcome::Interrupted {
            out.push_str(&text::plan(plan, self.hosts.len(), self.console.styled));
        }
        for (layer, refusal) in plan.refusals.iter().filter(|_| changes > 0) {
            out.push_str(&refusal_line(layer, refusal));
        }
        out.push_str(&format!(
            "{}: {changes} changes in {:.1} s\n",
            outcome::sentence(outcome, self.args.dry_run),
            self.began.elapsed().as_secs_f64()
        ));
        if let Some(log) = log {
            out.push_str(&format!("log: {log}\n"));
        }
        self.console.say(&out);
    }
}

fn refusal_line(layer: &str, refusal: &Refusal) -> String {
    format!(
        "refused {} ({layer}): {}\n  {}\n",
        refusal.code, refusal.because, refusal.hint
    )
}
