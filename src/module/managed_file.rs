//! A file whose whole content is known: shared by all modules that write one.

use super::attributes::Wanted;
use super::refusal::{SOMETHING_ELSE, TOO_LARGE, UNREADABLE, refuse};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Content, Decision, Step, StepId};
use crate::probe::path::{self, Attributes};
use crate::probe::{Answers, PathState, Seen};

/// A path without its first slash: how step ids name it.
pub fn object(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// A file that must be there with this content.
#[derive(Clone, Debug)]
pub struct ManagedFile {
    /// The module that it is for: the first word of the step ids.
    pub module: &'static str,
    /// Where.
    pub host: HostName,
    /// Absolute path.
    pub path: String,
    /// What it must hold.
    pub content: Content,
    /// Mode and owner.
    pub wanted: Wanted,
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Metadata and checksum.
    pub path: Seen<PathState>,
    /// The content, asked for only when the checksum is another one: a converged host sends none.
    pub content: Option<Seen<Option<path::Content>>>,
}

impl ManagedFile {
    /// Looks; the caller settles.
    pub fn look(&self, seen: &Answers<'_>) -> Sight {
        let path = seen.path(&self.host, &*self.path);
        let differs = match &path {
            Seen::Is(PathState::File { sha256, .. }) => {
                sha256.is_some() && *sha256 != Some(self.content.sha256())
            }
            _ => false,
        };
        Sight {
            path,
            content: differs.then(|| seen.content(&self.host, &*self.path)),
        }
    }

    /// Decides. Unknown answers decide nothing.
    pub fn plan(&self, sight: &Sight) -> Decision {
        let mut decision = Decision::default();
        match (&sight.path, &sight.content) {
            (Seen::Unknown(_), _) => {}
            (Seen::Is(PathState::Absent), _) => {
                let step = self.write(None, Class::Create, "it does not exist");
                decision.steps.push(step);
            }
            (Seen::Is(PathState::File { sha256: None, .. }), _) => {
                return unreadable(&self.host, &self.path).into();
            }
            (Seen::Is(PathState::File { attributes, .. }), None) => {
                decision.steps.extend(self.mend(attributes));
            }
            (Seen::Is(PathState::File { attributes, .. }), Some(Seen::Is(Some(now)))) => {
                match present(&self.host, &self.path, now) {
                    Ok(now) if *now == self.content.bytes => {
                        decision.steps.extend(self.mend(attributes));
                    }
                    Ok(now) => {
                        let before = Content {
                            bytes: now.clone(),
                            secret: self.content.secret,
                        };
                        let why = match self.wanted.difference(attributes) {
                            Some(more) => format!("its content differs, and its {more}"),
                            None => "its content differs".to_owned(),
                        };
                        let step = self.write(Some(before), Class::Repair, &why);
                        decision.steps.push(step);
                    }
                    Err(refusal) => return (*refusal).into(),
                }
            }
            // It went away between the two questions, or its content is unknown.
            (Seen::Is(PathState::File { .. }), Some(_)) => {}
            (Seen::Is(other), _) => return in_the_way(&self.host, &self.path, other).into(),
        }
        decision
    }

    fn write(&self, before: Option<Content>, class: Class, why: &str) -> Step {
        let act = Act::WriteFile {
            path: self.path.clone(),
            content: self.content.clone(),
            before,
            mode: self.wanted.mode,
            owner: self.wanted.owner.clone(),
            group: self.wanted.group.clone(),
        };
        let id = StepId::new(&[self.module, "write", object(&self.path)]);
        Step::new(id, &self.host, class, why, act)
    }

    fn mend(&self, now: &Attributes) -> Option<Step> {
        let why = self.wanted.difference(now)?;
        let act = Act::SetAttributes {
            path: self.path.clone(),
            mode: self.wanted.mode,
            owner: self.wanted.owner.clone(),
            group: self.wanted.group.clone(),
        };
        let id = StepId::new(&[self.module, "attributes", object(&self.path)]);
        Some(Step::new(
            id,
            &self.host,
            Class::Repair,
            format!("its {why}"),
            act,
        ))
    }
}

/// The whole content, or why it is not at hand.
pub fn present<'a>(
    host: &HostName,
    path: &str,
    content: &'a path::Content,
) -> Result<&'a Vec<u8>, Box<crate::plan::Refusal>> {
    if content.size <= path::CONTENT_LIMIT as u64 {
        return Ok(&content.bytes);
    }
    Err(Box::new(refuse(
        host,
        TOO_LARGE,
        format!("{path} on {host} is too large to be a file that is managed as a whole"),
        vec![format!(
            "{host}: {path} has {} bytes; the limit is {}",
            content.size,
            path::CONTENT_LIMIT
        )],
        format!("look at it, move it away by hand (`mv {path} {path}.old`) and run again"),
    )))
}

/// What to say of a file that even its checksum cannot be taken of.
pub fn unreadable(host: &HostName, path: &str) -> crate::plan::Refusal {
    refuse(
        host,
        UNREADABLE,
        format!("{path} on {host} cannot be read, so whether it must change cannot be told"),
        vec![format!("{host}: {path} is a file without a checksum")],
        "run the task with `become: true`, or look at the file's permissions and attributes (`lsattr`)",
    )
}

/// What to say of something that is no regular file.
pub fn in_the_way(host: &HostName, path: &str, found: &PathState) -> crate::plan::Refusal {
    let what = match found {
        PathState::Directory { .. } => "a directory".to_owned(),
        PathState::Other(kind) => format!("a {kind}"),
        PathState::File { .. } => "a file".to_owned(),
        PathState::Absent => "nothing".to_owned(),
    };
    refuse(
        host,
        SOMETHING_ELSE,
        format!("{path} on {host} is {what}, and what is there is not replaced"),
        vec![format!("{host}: {path} is {what}")],
        format!("look at it, move it away by hand (`mv {path} {path}.old`) and run again"),
    )
}
