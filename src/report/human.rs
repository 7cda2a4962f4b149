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
    waiting: Option<ProgressBar>,
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
            waiting: None,
            verbose,
        }
    }

    fn spinner(&self) -> ProgressBar {
        let bar = self
            .bars
            .insert_before(&self.total, ProgressBar::new_spinner());
        // A line that is wrapped stays behind when it is redrawn: what is too long is cut off.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn spin(&mut self, host: &HostName, text: String) {
        if !self.running.contains_key(host) {
            let bar = self.spinner();
            self.running.insert(host.clone(), bar);
        }
        if let Some(bar) = self.running.get(host) {
            bar.set_message(text);
        }
    }

    fn wait(&mut self, text: String) {
        let bar = self.waiting.take().unwrap_or_else(|| self.spinner());
        bar.set_message(text);
        self.waiting = Some(bar);
    }

    fn waited(&mut self) {
        if let Some(bar) = self.waiting.take() {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
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
            Event::StepStarted { host, id, .. } => {
                self.waited();
                self.spin(host, format!("{host}: {id}"));
            }
            Event::StepDone { host, .. } => {
                self.clear(host);
                self.total.inc(1);
            }
            Event::LayerStopped { .. } | Event::Verified { .. } => self.waited(),
            Event::StepFailed { host, .. }
            | Event::HostStopped { host, .. }
            | Event::Unreachable { host, .. } => self.clear(host),
            Event::Waiting { what, since } => {
                self.wait(format!("waiting for {} s: {what}", since.as_secs()));
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
        for bar in self.running.values().chain(&self.waiting) {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
    }
}
