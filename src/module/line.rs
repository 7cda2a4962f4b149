//! `line`: a line is in a file, or it is not. The rules are those of Ansible's `lineinfile`.

use super::argument::{STATE, defaulted, needed, optional};
use super::attributes::{GROUP, MODE, OWNER, Wanted};
use super::edited_file::{EditedFile, Text};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Decision, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, Query};
use regex::bytes::Regex;

/// A line of a file.
#[derive(Clone, Debug)]
pub struct Line {
    file: EditedFile,
    line: Option<String>,
    matching: Option<Regex>,
    absent: bool,
}

impl Module for Line {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "line",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed("path", ArgKind::Path, "The file."),
            optional("line", ArgKind::Text, "The whole line, without its end."),
            optional(
                "match",
                ArgKind::Text,
                "A regular expression: the last line that it matches is replaced (all of them are removed with `state: absent`).",
            ),
            defaulted(
                "create",
                ArgKind::Bool,
                "false",
                "Whether the file is made when it does not exist.",
            ),
            MODE,
            OWNER,
            GROUP,
            STATE,
        ],
    };

    type State = Text;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let absent = args.text("state").as_deref() == Some("absent");
        let line = args.text("line");
        let matching = match args.text("match") {
            None => None,
            Some(pattern) => Some(Regex::new(&pattern).map_err(|error| {
                args.wrong_at(
                    "match",
                    format!("`match` is no regular expression: {error}"),
                )
            })?),
        };
        if line.is_none() && (!absent || matching.is_none()) {
            return Err(args.wrong("`line` needs `line` (or, with `state: absent`, `match`)"));
        }
        if line.as_ref().is_some_and(|line| line.contains('\n')) {
            return Err(args.wrong_at("line", "`line` is one line: use `block` for more"));
        }
        Ok(Self {
            file: EditedFile {
                module: "line",
                host: context.host.clone(),
                path: args.required("path")?,
                create: args.flag("create") || absent,
                wanted: Wanted::from_args(args)?,
            },
            line,
            matching,
            absent,
        })
    }

    fn foresee(args: &Args<'_>, _: &HostName) -> Vec<Query> {
        EditedFile::foresee(args.text("path"))
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let text = self.file.look(seen);
        seen.settle(text)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let what = match (&self.line, &self.matching) {
            (Some(line), _) => line.clone(),
            (None, Some(matching)) => matching.as_str().to_owned(),
            (None, None) => String::new(),
        };
        let what = what.trim();
        let mut decision = match (&self.line, self.absent) {
            (Some(line), false) => {
                let why = format!("it lacks the line `{what}` or has another one in its place");
                self.file.plan(state, &why, |now| {
                    with(now, line.as_bytes(), self.matching.as_ref())
                })
            }
            _ => {
                let why = format!("it has lines like `{what}`");
                self.file.plan(state, &why, |now| self.without(now))
            }
        };
        for step in &mut decision.steps {
            step.id = StepId::new(&[step.id.as_str(), what]);
        }
        decision
    }
}

impl Line {
    fn without(&self, now: &[u8]) -> Vec<u8> {
        let goes = |line: &[u8]| match (&self.matching, &self.line) {
            (Some(matching), _) => matching.is_match(line),
            (None, Some(wanted)) => line == wanted.as_bytes(),
            (None, None) => false,
        };
        lines(now)
            .filter(|line| !goes(bare(line)))
            .flatten()
            .copied()
            .collect()
    }
}

/// Lines with their ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// A line without its end.
pub(super) fn bare(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The last line that matches, or that is the wanted one already, becomes the wanted one; without
/// any it is added at the end.
fn with(now: &[u8], wanted: &[u8], matching: Option<&Regex>) -> Vec<u8> {
    let place = lines(now)
        .enumerate()
        .filter(|(_, line)| {
            let line = bare(line);
            line == wanted || matching.is_some_and(|matching| matching.is_match(line))
        })
        .map(|(n, _)| n)
        .last();
    let mut new = Vec::with_capacity(now.len() + wanted.len() + 1);
    for (n, line) in lines(now).enumerate() {
        if Some(n) == place && bare(line) != wanted {
            new.extend_from_slice(wanted);
            new.push(b'\n');
        } else {
            new.extend_from_slice(line);
        }
    }
    if place.is_none() {
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend_from_slice(wanted);
        new.push(b'\n');
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(now: &str, line: &str, matching: Option<&str>) -> String {
        let matching = matching.map(|pattern| Regex::new(pattern).unwrap());
        String::from_utf8(with(now.as_bytes(), line.as_bytes(), matching.as_ref())).unwrap()
    }

    #[test]
    fn a_line_is_replaced_where_it_matches_last() {
        let text = "Port 22\n#Port 22\nPort 23\nX yes\n";
        assert_eq!(
            set(text, "Port 2222", Some("^Port ")),
            "Port 22\n#Port 22\nPort 2222\nX yes\n"
        );
        let once = set(text, "Port 2222", Some("^Port "));
        assert_eq!(set(&once, "Port 2222", Some("^Port ")), once);
    }

    #[test]
    fn a_line_that_is_there_already_counts_as_a_match() {
        assert_eq!(set("b\na\n", "a", Some("^nothing")), "b\na\n");
        assert_eq!(set("x=1\na\n", "a", Some("^x")), "x=1\na\n");
    }

    #[test]
    fn without_a_match_it_goes_to_the_end() {
        assert_eq!(set("", "a", None), "a\n");
        assert_eq!(set("x", "a", None), "x\na\n");
        assert_eq!(set("x\n", "a", Some("^y")), "x\na\n");
        assert_eq!(set("a", "a", None), "a", "the missing end is left alone");
        assert_eq!(set("x\r\na\r\n", "a", None), "x\r\na\r\n");
        assert_eq!(set("Port 1", "Port 2", Some("^Port")), "Port 2\n");
    }
}
