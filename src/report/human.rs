//! Events on a terminal: finished steps scroll by, what runs stays below with a bar.

use super::plain::line;
use super::{Event, Sink};
use crate::inventory::HostName;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// Draws on standard error, so that standard output stays for the plan.
pub struct Human {
    bars: MultiProgress,
    total: ProgressBar,
    running: BTreeMap<HostName, ProgressBar>,
    verbose: bool,
}

impl Human {
    /// A display for `steps` steps.
    pub fn new(steps: usize, verbose: bool) -> Self {
        let bars = MultiProgress::new();
        let total = bars.add(ProgressBar::new(steps as u64));
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30.green/dim} {pos}/{len} steps, {elapsed}")
        {
            total.set_style(style);
        }
        total.enable_steady_tick(Duration::from_millis(250));
        Self {
            bars,
            total,
            running: BTreeMap::new(),
            verbose,
        }
    }

    fn spin(&mut self, host: &HostName, text: String) {
        let bars = &self.bars;
        let total = &self.total;
        let bar = self.running.entry(host.clone()).or_insert_with(|| {
            let bar = bars.insert_before(total, ProgressBar::new_spinner());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(text);
    }

    fn clear(&mut self, host: &HostName) {
        if let Some(bar) = self.running.remove(host) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }
}

impl Sink for Human {
    fn event(&mut self, event: &Event) {
        match event {
            Event::StepStarted { host, id, .. } => self.spin(host, format!("{host}: {id}")),
            Event::StepDone { host, .. } => {
                self.clear(host);
                self.total.inc(1);
            }
            Event::StepFailed { host, .. }
            | Event::HostStopped { host, .. }
            | Event::Unreachable { host, .. } => self.clear(host),
            Event::Waiting { what, since } => {
                self.total
                    .set_message(format!("waiting for {} s: {what}", since.as_secs()));
                return;
            }
            _ => {}
        }
        if let Some(text) = line(event, self.verbose) {
            let _ = self.bars.println(text);
        }
    }
}

impl Drop for Human {
    fn drop(&mut self) {
        for bar in self.running.values() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
    }
}
