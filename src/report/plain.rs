//! Events as plain lines: for pipes, CI and logs.

use super::{Event, Sink};
use std::io::Write;
use std::time::Duration;

/// How many lines of a failed command's output are shown.
pub const TAIL_LINES: usize = 20;

/// Writes a line an event.
pub struct Plain<W> {
    out: W,
    /// Whether questions and connections are told too.
    verbose: bool,
    /// The last wait told, and when, so that a wait is told once in a while and not each second.
    waited: Option<(String, Duration)>,
}

impl<W: Write> Plain<W> {
    /// Lines to `out`.
    pub fn new(out: W, verbose: bool) -> Self {
        Self {
            out,
            verbose,
            waited: None,
        }
    }

    fn is_news(&mut self, what: &str, since: Duration) -> bool {
        let news = match &self.waited {
            Some((known, told)) => {
                known != what || since.saturating_sub(*told) > Duration::from_secs(15)
            }
            None => true,
        };
        if news {
            self.waited = Some((what.to_owned(), since));
        }
        news
    }
}

impl<W: Write> Sink for Plain<W> {
    fn event(&mut self, event: &Event) {
        if let Event::Waiting { what, since } = event
            && !self.is_news(what, *since)
        {
            return;
        }
        if let Some(text) = line(event, self.verbose) {
            // Nobody reads a closed pipe; the run goes on.
            let _ = writeln!(self.out, "{text}");
            let _ = self.out.flush();
        }
    }
}

/// The event in words; `None` for those that only a verbose reader wants.
pub fn line(event: &Event, verbose: bool) -> Option<String> {
    Some(match event {
        Event::Looking { hosts } => format!("looking at {hosts} hosts"),
        Event::Connected { host } if verbose => format!("{host}: connected"),
        Event::Asked {
            host,
            questions,
            kinds,
        } if verbose => {
            let kinds: Vec<&str> = kinds.iter().copied().collect();
            format!("{host}: {questions} questions ({})", kinds.join(", "))
        }
        Event::Connected { .. } | Event::Asked { .. } => return None,
        Event::Unreachable { host, why } => format!("{host}: unreachable: {why}"),
        Event::Lock { text } | Event::Note { text } => text.clone(),
        Event::StepStarted { host, id, shows } if verbose => format!("{host}: {id} …\n    {shows}"),
        Event::StepStarted { .. } => return None,
        Event::StepDone { host, id, took, .. } => {
            format!("{host}: {id}: done in {}", seconds(*took))
        }
        Event::StepFailed {
            host,
            id,
            shows,
            said,
        } => {
            let mut text = format!("{host}: {id}: failed\n    {shows}");
            for line in tail(said) {
                text.push_str("\n    | ");
                text.push_str(line);
            }
            text
        }
        Event::Waiting { what, since } => format!("waiting for {} s: {what}", since.as_secs()),
        Event::HostStopped { host, why } => format!("{host}: stopped: {why}"),
        Event::LayerStopped { layer, why } => format!("{layer}: stopped: {why}"),
        Event::Verified { left: 0 } => "verified: looked again, nothing is left to do".to_owned(),
        Event::Verified { left } => {
            format!("looked again: {left} would still be done or waited for")
        }
    })
}

/// The last lines of an output.
pub fn tail(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec()
}

/// `0.3 s`
pub fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_twenty_lines() {
        let text: String = (1..=30).map(|n| format!("{n}\n")).collect();
        assert_eq!((tail(&text).len(), tail(&text)[0]), (20, "11"));
    }
}
