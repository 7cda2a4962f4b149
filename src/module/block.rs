//! `block`: lines between two markers are in a file, or are not. The rules are those of Ansible's `blockinfile`.

use super::argument::{STATE, defaulted, needed, optional};
use super::attributes::{GROUP, MODE, OWNER, Wanted};
use super::edited_file::{EditedFile, Text};
use super::line::{bare, lines};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Decision, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, Query};

/// The marker lines when none are given.
pub const MARKER: &str = "# {mark} PROVISION MANAGED BLOCK";

/// A block of a file.
#[derive(Clone, Debug)]
pub struct Block {
    file: EditedFile,
    marker: String,
    block: Option<String>,
}

impl Module for Block {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "block",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed("path", ArgKind::Path, "The file."),
            optional("block", ArgKind::Text, "The lines; none removes the block."),
            optional(
                "marker",
                ArgKind::Text,
                "The line before and after; `{mark}` becomes BEGIN and END. `# {mark} PROVISION MANAGED BLOCK` when not given.",
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
        let marker = args.text("marker").unwrap_or_else(|| MARKER.to_owned());
        if !marker.contains("{mark}") || marker.contains('\n') {
            return Err(args.wrong_at(
                "marker",
                "`marker` is one line with `{mark}` in it, so that its two ends can be told apart",
            ));
        }
        let text = args.text("block").unwrap_or_default();
        let present = args.text("state").as_deref() != Some("absent") && !text.is_empty();
        Ok(Self {
            file: EditedFile {
                module: "block",
                host: context.host.clone(),
                path: args.required("path")?,
                create: args.flag("create") || !present,
                wanted: Wanted::from_args(args)?,
            },
            marker,
            block: present.then_some(text),
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
        let label = self.marker.replace("{mark}", "");
        let label = label.trim_matches(|c: char| !c.is_alphanumeric());
        let why = match &self.block {
            Some(_) => format!("its block `{label}` is missing or differs"),
            None => format!("it has a block `{label}`"),
        };
        let mut decision = self.file.plan(state, &why, |now| {
            set(now, &self.marker, self.block.as_deref())
        });
        for step in &mut decision.steps {
            step.id = StepId::new(&[step.id.as_str(), label]);
        }
        decision
    }
}

/// The text with the block in the place of the present one, else at the end; or without it.
pub(super) fn set(now: &[u8], marker: &str, block: Option<&str>) -> Vec<u8> {
    let begin = marker.replace("{mark}", "BEGIN");
    let end = marker.replace("{mark}", "END");
    let all: Vec<&[u8]> = lines(now).collect();
    let last = |wanted: &str| all.iter().rposition(|line| bare(line) == wanted.as_bytes());
    let (before, after) = match (last(&begin), last(&end)) {
        (Some(one), Some(two)) => (&all[..one.min(two)], &all[one.max(two) + 1..]),
        _ => (&all[..], &all[all.len()..]),
    };
    let mut new = before.concat();
    if let Some(block) = block {
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        let block = block.trim_end_matches('\n');
        new.extend_from_slice(format!("{begin}\n{block}\n{end}\n").as_bytes());
    }
    new.extend(after.concat());
    new
}

/// What is before and after the block.
pub(super) fn outside<'a>(now: &'a [u8], marker: &str) -> Vec<&'a [u8]> {
    let begin = marker.replace("{mark}", "BEGIN");
    let end = marker.replace("{mark}", "END");
    let all: Vec<&[u8]> = lines(now).map(bare).collect();
    let last = |wanted: &str| all.iter().rposition(|line| *line == wanted.as_bytes());
    match (last(&begin), last(&end)) {
        (Some(one), Some(two)) => [&all[..one.min(two)], &all[one.max(two) + 1..]].concat(),
        _ => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(now: &str, block: Option<&str>) -> String {
        String::from_utf8(set(now.as_bytes(), "# {mark} X", block)).unwrap()
    }

    #[test]
    fn a_block_is_added_at_the_end_and_then_kept_in_its_place() {
        let once = put("a", Some("one\ntwo\n"));
        assert_eq!(once, "a\n# BEGIN X\none\ntwo\n# END X\n");
        assert_eq!(put(&once, Some("one\ntwo")), once);
        let more = format!("{once}below\n");
        assert_eq!(
            put(&more, Some("three")),
            "a\n# BEGIN X\nthree\n# END X\nbelow\n"
        );
        assert_eq!(put(&more, None), "a\nbelow\n");
        assert_eq!(put("", Some("one")), "# BEGIN X\none\n# END X\n");
    }

    #[test]
    fn one_marker_alone_is_no_block() {
        assert_eq!(
            put("# BEGIN X\na\n", Some("one")),
            "# BEGIN X\na\n# BEGIN X\none\n# END X\n"
        );
        assert_eq!(put("# END X\na\n", None), "# END X\na\n");
        assert_eq!(put("# END X\na\n# BEGIN X", None), "", "swapped markers");
    }

    #[test]
    fn the_outside_is_what_is_not_ours() {
        let text = b"a\n# BEGIN X\nb\n# END X\nc";
        assert_eq!(outside(text, "# {mark} X"), [&b"a"[..], b"c"]);
    }
}
