//! `block`: lines between two markers are in a file, or are not. The rules are those of Ansible's `blockinfile`.

use super::argument::{STATE, defaulted, needed, optional};
use super::attributes::{GROUP, MODE, OWNER, Wanted};
use super::edited_file::{EditedFile, Text};
use super::line::{bare, lines};
use super::origin::{self, COMES_WITH, Origin};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Decision, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, Query};
use regex::bytes::Regex;

/// The marker lines when none are given.
pub const MARKER: &str = "# {mark} PROVISION MANAGED BLOCK";

/// A block of a file.
#[derive(Clone, Debug)]
pub struct Block {
    file: EditedFile,
    markers: Markers,
    /// The marker without its ends: part of the step ids.
    label: String,
    block: Option<String>,
    drop: Option<Regex>,
    origin: Origin,
}

/// The lines before and after a block.
#[derive(Clone, Debug)]
pub(super) struct Markers {
    begin: String,
    end: String,
}

impl Markers {
    /// From a line with `{mark}` in it, and what stands in its place before and after the block.
    pub(super) fn new(marker: &str, begin: &str, end: &str) -> Self {
        Self {
            begin: marker.replace("{mark}", begin),
            end: marker.replace("{mark}", end),
        }
    }
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
                "src",
                ArgKind::Text,
                "A template of the project, below `templates/`, instead of `block`.",
            ),
            optional(
                "marker",
                ArgKind::Text,
                "The line before and after; `{mark}` becomes BEGIN and END. `# {mark} PROVISION MANAGED BLOCK` when not given.",
            ),
            defaulted(
                "marker_begin",
                ArgKind::Text,
                "BEGIN",
                "What `{mark}` becomes before the block.",
            ),
            defaulted(
                "marker_end",
                ArgKind::Text,
                "END",
                "What `{mark}` becomes after the block.",
            ),
            optional(
                "drop",
                ArgKind::Text,
                "A regular expression: lines outside the block that match it are removed.",
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
            COMES_WITH,
            STATE,
        ],
    };

    type State = (Text, origin::Sight);

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let marker = args.text("marker").unwrap_or_else(|| MARKER.to_owned());
        if !marker.contains("{mark}") || marker.contains('\n') {
            return Err(args.wrong_at(
                "marker",
                "`marker` is one line with `{mark}` in it, so that its two ends can be told apart",
            ));
        }
        let markers = Markers::new(
            &marker,
            &args.required("marker_begin")?,
            &args.required("marker_end")?,
        );
        if markers.begin == markers.end {
            return Err(args.wrong_at("marker_end", "the two ends of a block must differ"));
        }
        let drop = match args.text("drop").map(|pattern| Regex::new(&pattern)) {
            None => None,
            Some(Ok(regex)) => Some(regex),
            Some(Err(error)) => {
                return Err(args.wrong_at("drop", format!("no regular expression: {error}")));
            }
        };
        let text = match (args.text("block"), args.node("src")) {
            (Some(_), Some(_)) => {
                return Err(args.wrong_at("src", "`block` takes `block` or `src`, not both"));
            }
            (_, Some(src)) => (context.template)(src)?,
            (text, None) => text.unwrap_or_default(),
        };
        let present = args.text("state").as_deref() != Some("absent") && !text.is_empty();
        Ok(Self {
            file: EditedFile {
                module: "block",
                host: context.host.clone(),
                path: args.required("path")?,
                create: args.flag("create") || !present,
                wanted: Wanted::from_args(args)?,
            },
            markers,
            label: marker.replace("{mark}", ""),
            block: present.then_some(text),
            drop,
            origin: Origin::from_args(args)?,
        })
    }

    fn foresee(args: &Args<'_>, _: &HostName) -> Vec<Query> {
        EditedFile::foresee(args.text("path"))
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let text = self.file.look(seen);
        let origin = self.origin.look(&self.file.host, &text.path, seen);
        seen.settle((text, origin))
    }

    fn plan(&self, (text, origin): &Self::State) -> Decision {
        let label = self.label.trim_matches(|c: char| !c.is_alphanumeric());
        let why = match &self.block {
            Some(_) => format!("its block `{label}` is missing or differs"),
            None => format!("it has a block `{label}`"),
        };
        let file = EditedFile {
            create: self.file.create || Origin::is_coming(origin),
            ..self.file.clone()
        };
        let mut decision = file.plan(text, &why, |now| match &self.drop {
            None => set(now, &self.markers, self.block.as_deref()),
            Some(drop) => set(
                &without(now, &self.markers, drop),
                &self.markers,
                self.block.as_deref(),
            ),
        });
        for step in &mut decision.steps {
            step.id = StepId::new(&[step.id.as_str(), label]);
        }
        self.origin.correct(origin, decision)
    }
}

/// The text with the block in the place of the present one, else at the end; or without it.
pub(super) fn set(now: &[u8], markers: &Markers, block: Option<&str>) -> Vec<u8> {
    let Markers { begin, end } = markers;
    let all: Vec<&[u8]> = lines(now).collect();
    let last = |wanted: &str| all.iter().rposition(|line| bare(line) == wanted.as_bytes());
    let (before, after) = match (last(begin), last(end)) {
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

/// The text without the lines outside the block that match.
fn without(now: &[u8], markers: &Markers, drop: &Regex) -> Vec<u8> {
    let mut inside = false;
    let mut kept = Vec::new();
    for line in lines(now) {
        inside |= bare(line) == markers.begin.as_bytes();
        if inside || !drop.is_match(bare(line)) {
            kept.extend_from_slice(line);
        }
        inside &= bare(line) != markers.end.as_bytes();
    }
    kept
}

/// What is before and after the block.
pub(super) fn outside<'a>(now: &'a [u8], markers: &Markers) -> Vec<&'a [u8]> {
    let Markers { begin, end } = markers;
    let all: Vec<&[u8]> = lines(now).map(bare).collect();
    let last = |wanted: &str| all.iter().rposition(|line| *line == wanted.as_bytes());
    match (last(begin), last(end)) {
        (Some(one), Some(two)) => [&all[..one.min(two)], &all[one.max(two) + 1..]].concat(),
        _ => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(now: &str, block: Option<&str>) -> String {
        String::from_utf8(set(
            now.as_bytes(),
            &Markers::new("# {mark} X", "BEGIN", "END"),
            block,
        ))
        .unwrap()
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
    fn lines_that_match_are_dropped_outside_only() {
        let markers = Markers::new("# {mark} X", "BEGIN", "END");
        let drop = Regex::new("trust").unwrap();
        let now = b"a trust\nb\n# BEGIN X\nc trust\n# END X\nd trust\n";
        assert_eq!(
            without(now, &markers, &drop),
            b"b\n# BEGIN X\nc trust\n# END X\n"
        );
    }

    #[test]
    fn the_outside_is_what_is_not_ours() {
        let text = b"a\n# BEGIN X\nb\n# END X\nc";
        assert_eq!(
            outside(text, &Markers::new("# {mark} X", "BEGIN", "END")),
            [&b"a"[..], b"c"]
        );
    }
}
