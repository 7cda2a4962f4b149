//! A file of which only a part is ours: read whole, edited here, written whole.

use super::attributes::Wanted;
use super::managed_file::{ManagedFile, Sight, in_the_way, present};
use super::refusal::{MISSING, refuse};
use crate::inventory::HostName;
use crate::plan::{Act, Content, Decision, Refusal};
use crate::probe::path;
use crate::probe::{Answers, PathState, Query, Seen};

/// A file that is edited.
#[derive(Clone, Debug)]
pub struct EditedFile {
    /// The module that it is for: the first word of the step ids.
    pub module: &'static str,
    /// Where.
    pub host: HostName,
    /// Absolute path.
    pub path: String,
    /// Whether it is made when it does not exist.
    pub create: bool,
    /// Mode and owner.
    pub wanted: Wanted,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its metadata.
    pub path: Seen<PathState>,
    content: Seen<Option<path::Content>>,
}

impl EditedFile {
    /// Looks; the caller settles.
    pub fn look(&self, seen: &Answers<'_>) -> Text {
        Text {
            path: seen.path(&self.host, &*self.path),
            content: seen.content(&self.host, &*self.path),
        }
    }

    /// What is asked of a file whatever is edited in it.
    pub fn foresee(path: Option<String>) -> Vec<Query> {
        path.map_or_else(Vec::new, |path| {
            vec![Query::Path(path.clone()), Query::Content(path)]
        })
    }

    /// What it holds: `None` when that is unknown; nothing when there is no file and one may be made.
    pub fn text<'a>(&self, text: &'a Text) -> Option<Result<&'a [u8], Box<Refusal>>> {
        match (text.path.known()?, &text.content) {
            (PathState::Absent, _) if self.create => Some(Ok(b"")),
            (PathState::Absent, _) => Some(Err(Box::new(self.missing()))),
            (PathState::File { .. }, Seen::Is(Some(content))) => {
                Some(present(&self.host, &self.path, content).map(Vec::as_slice))
            }
            (PathState::File { .. }, _) => None,
            (other, _) => Some(Err(Box::new(in_the_way(&self.host, &self.path, other)))),
        }
    }

    /// Plans the edit. `edit` turns the present content into the wanted one; `why` says what is wrong
    /// with a file that differs, as a sentence about the file as "it".
    pub fn plan(&self, text: &Text, why: &str, edit: impl FnOnce(&[u8]) -> Vec<u8>) -> Decision {
        let now = match self.text(text) {
            None => return Decision::default(),
            Some(Err(refusal)) => return (*refusal).into(),
            Some(Ok(now)) => now,
        };
        let new = edit(now);
        let absent = matches!(text.path, Seen::Is(PathState::Absent));
        // A file that nothing would be in is not made.
        if absent && new.is_empty() {
            return Decision::default();
        }
        let sight = Sight {
            path: text.path.clone(),
            content: (new != now && !absent).then(|| text.content.clone()),
        };
        let file = ManagedFile {
            module: self.module,
            host: self.host.clone(),
            path: self.path.clone(),
            content: Content::plain(new),
            wanted: self.wanted.clone(),
        };
        let mut decision = file.plan(&sight);
        for step in &mut decision.steps {
            if matches!(step.act, Act::WriteFile { .. }) && !absent {
                why.clone_into(&mut step.why);
            }
        }
        decision
    }

    fn missing(&self) -> Refusal {
        refuse(
            &self.host,
            MISSING,
            format!("there is no {} on {} to edit", self.path, self.host),
            vec![format!("{}: {} does not exist", self.host, self.path)],
            "say `create: true` when it may be made, or put the task that brings it before this one",
        )
    }
}
