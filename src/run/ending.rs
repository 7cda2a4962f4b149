//! How a run ends: the outcome, its exit code, and the summary.

use super::apply::{PENDING, Run};
use crate::apply::{Drove, Engine, Remote};
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
        let pending = plan.open().next().is_some();
        let outcome = if interrupted {
            Outcome::Interrupted
        } else if !plan.refusals.is_empty() {
            Outcome::Refused
        } else if !plan.unreachable.is_empty() {
            Outcome::Unreachable
        } else if pending {
            Outcome::Pending
        } else if !plan.unknown.is_empty() && !self.args.dry_run {
            Outcome::Failed
        } else {
            Outcome::Converged
        };
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
            sentence(outcome, self.args.dry_run),
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

/// How the run ended, in words.
fn sentence(outcome: Outcome, dry_run: bool) -> &'static str {
    match outcome {
        Outcome::Unreachable if dry_run => "some host was unreachable",
        Outcome::Converged => "nothing to do",
        Outcome::Changed => "done and verified",
        Outcome::Pending => "changes are pending",
        Outcome::Failed => "failed; running the same command again continues safely",
        Outcome::Refused => "refused",
        Outcome::Unreachable => "some host was unreachable, what is safe without it is done",
        Outcome::Drifted => "the hosts are not what they were when the plan was saved",
        Outcome::NotConverged => "not converged: after all steps there would still be some",
        Outcome::Interrupted => "interrupted; running the same command again continues safely",
    }
}

/// How the run ended. Precedence: 130 > 1 > 5 > 3 > 6 > 4 > 0.
pub(super) fn outcome(drove: &Drove, last: &Plan, engine: &Engine<'_, Remote>) -> Outcome {
    if drove.interrupted {
        Outcome::Interrupted
    } else if drove.failed {
        Outcome::Failed
    } else if !drove.drifted.is_empty() {
        Outcome::Drifted
    } else if !last.refusals.is_empty() {
        Outcome::Refused
    } else if last.open().next().is_some() {
        Outcome::NotConverged
    } else if !engine.unreachable().is_empty() {
        Outcome::Unreachable
    } else if drove.changed.is_empty() {
        Outcome::Converged
    } else {
        Outcome::Changed
    }
}
