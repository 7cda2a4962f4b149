//! Known secrets never reach a sink, whatever printed them.

use super::Event;

/// What stands in a message where a secret was.
const MASK: &str = "••••••";

/// The secrets of a run.
#[derive(Clone, Debug, Default)]
pub struct Redactor(Vec<String>);

impl Redactor {
    /// Very short secrets would mask half of every message, so they are left to the types that carry them.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets
            .into_iter()
            .filter(|secret| secret.len() >= 4)
            .collect();
        // The longest first: one secret may contain another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// `text` without the secrets.
    pub fn text(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }

    /// The event without the secrets.
    pub fn event(&self, event: &Event) -> Event {
        let mut event = event.clone();
        match &mut event {
            Event::StepStarted { shows, .. } => *shows = self.text(shows),
            Event::StepFailed { shows, said, .. } => {
                *shows = self.text(shows);
                *said = self.text(said);
            }
            Event::Unreachable { why, .. }
            | Event::HostStopped { why, .. }
            | Event::LayerStopped { why, .. } => {
                *why = self.text(why);
            }
            Event::Waiting { what: text, .. } | Event::Lock { text } | Event::Note { text } => {
                *text = self.text(text);
            }
            Event::Looking { .. }
            | Event::Connected { .. }
            | Event::Asked { .. }
            | Event::StepDone { .. }
            | Event::Verified { .. } => {}
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_longest_first() {
        let redactor = Redactor::new(["pass".to_owned(), "pass-word".to_owned(), "x".to_owned()]);
        assert_eq!(
            redactor.text("pass-word pass x"),
            format!("{MASK} {MASK} x")
        );
    }
}
