//! `mount`: a file system is mounted, now and after a boot.

use super::argument::{defaulted, needed};
use super::attributes::Wanted;
use super::edited_file::{EditedFile, Text};
use super::line::{bare, lines};
use super::managed_file::{in_the_way, object};
use super::refusal::{OTHER_MOUNT, refuse};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Decision, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::machine::Filesystem;
use crate::probe::shell::CommandLine;
use crate::probe::{Answers, Need, PathState, Seen};

/// A file system and the place that it is mounted at.
#[derive(Clone, Debug)]
pub struct Mount {
    host: HostName,
    table: EditedFile,
    path: String,
    kind: String,
    /// The six fields of the line in /etc/fstab.
    fields: [String; 6],
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct State {
    table: Text,
    place: Seen<PathState>,
    mounted: Seen<Filesystem>,
}

impl Module for Mount {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "mount",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "path",
                ArgKind::Path,
                "Where; the directory is made when it is missing.",
            ),
            needed(
                "src",
                ArgKind::Text,
                "What: a device, `UUID=…`, `host:/export`.",
            ),
            needed(
                "fstype",
                ArgKind::Text,
                "The type: `xfs`, `nfs`, `glusterfs` …",
            ),
            defaulted("opts", ArgKind::Text, "defaults", "The options."),
            defaulted(
                "passno",
                ArgKind::Int,
                "0",
                "When it is checked at boot; 0 is never.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let path = args.required("path")?;
        let path = match path.trim_end_matches('/') {
            "" => return Err(args.wrong_at("path", "the root is mounted already")),
            path => path.to_owned(),
        };
        let fields = [
            args.required("src")?,
            path.clone(),
            args.required("fstype")?,
            args.required("opts")?,
            "0".to_owned(),
            args.required("passno")?,
        ]
        .map(|field| escape(&field));
        if fields.iter().any(String::is_empty) {
            return Err(args.wrong("`mount` takes no empty `src`, `fstype` or `opts`"));
        }
        Ok(Self {
            host: context.host.clone(),
            table: EditedFile {
                module: "mount",
                host: context.host.clone(),
                path: "/etc/fstab".to_owned(),
                create: true,
                wanted: Wanted::default(),
            },
            path,
            kind: args.required("fstype")?,
            fields,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = State {
            table: self.table.look(seen),
            place: seen.path(&self.host, &*self.path),
            mounted: seen.filesystem(&self.host, &*self.path),
        };
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let (Seen::Is(place), Seen::Is(filesystem)) = (&state.place, &state.mounted) else {
            return Decision::default();
        };
        let mounted = filesystem.mount_point == self.path;
        if mounted && !self.same_kind(&filesystem.kind) {
            return self.other(&filesystem.kind);
        }
        let mut steps = Vec::new();
        match place {
            PathState::Directory { .. } => {}
            PathState::Absent => steps.push(self.make_place()),
            other => return in_the_way(&self.host, &self.path, other).into(),
        }
        let why = format!("it has another line for {}, or none", self.path);
        let mut decision = self
            .table
            .plan(&state.table, &why, |now| set(now, &self.fields));
        for step in &mut decision.steps {
            step.id = StepId::new(&["mount", "keep", object(&self.path)]);
        }
        steps.append(&mut decision.steps);
        if !mounted && decision.refusals.is_empty() {
            steps.push(self.mount());
        }
        decision.steps = steps;
        decision
    }
}

impl Mount {
    /// df says `fuse.glusterfs` of what fstab calls `glusterfs`, and `nfs4` of `nfs`.
    fn same_kind(&self, kind: &str) -> bool {
        self.kind == "auto"
            || kind == self.kind
            || kind.strip_prefix("fuse.") == Some(self.kind.as_str())
            || (self.kind == "nfs" && kind == "nfs4")
    }

    fn make_place(&self) -> Step {
        let act = Act::MakeDirectory {
            path: self.path.clone(),
            mode: None,
            owner: None,
            group: None,
        };
        let id = StepId::new(&["mount", "directory", object(&self.path)]);
        Step::new(id, &self.host, Class::Create, "it does not exist", act)
    }

    fn mount(&self) -> Step {
        let act = Act::Command {
            line: CommandLine {
                words: vec!["mount".to_owned(), self.path.clone()],
                shell: false,
                chdir: None,
            },
            writes: None,
        };
        let id = StepId::new(&["mount", "mount", object(&self.path)]);
        Step::new(
            id,
            &self.host,
            Class::Repair,
            "nothing is mounted there",
            act,
        )
    }

    fn other(&self, kind: &str) -> Decision {
        refuse(
            &self.host,
            OTHER_MOUNT,
            format!(
                "{} on {} is a file system of another type, and is not taken away",
                self.path, self.host
            ),
            vec![format!(
                "{}: {} is {kind}, not {}",
                self.host, self.path, self.kind
            )],
            format!(
                "see what it is (`findmnt {}`), unmount it by hand and run again",
                self.path
            ),
        )
        .into()
    }
}

/// fstab(5): a space is `\040`, a tab `\011`, a backslash `\134`.
fn escape(field: &str) -> String {
    field
        .replace('\\', "\\134")
        .replace(' ', "\\040")
        .replace('\t', "\\011")
        .replace('\n', "\\012")
}

/// The table with the line in the place of the last one for the same mount point, else at the end.
fn set(now: &[u8], fields: &[String; 6]) -> Vec<u8> {
    let words = |line: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bare(line)).into_owned();
        let words = text.split_whitespace().map(str::to_owned);
        words.take_while(|word| !word.starts_with('#')).collect()
    };
    let ours = |line: &[u8]| {
        words(line)
            .get(1)
            .is_some_and(|place| place.trim_end_matches('/') == fields[1])
    };
    let same = |line: &[u8]| {
        let mut words = words(line);
        // Both numbers may be left out.
        while words.len() < 6 {
            words.push("0".to_owned());
        }
        words == *fields
    };
    let line = format!("{}\n", fields.join(" "));
    let all: Vec<&[u8]> = lines(now).collect();
    let Some(place) = all.iter().rposition(|line| ours(line)) else {
        let mut new = now.to_vec();
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend_from_slice(line.as_bytes());
        return new;
    };
    if same(all[place]) {
        return now.to_vec();
    }
    [
        &all[..place].concat(),
        line.as_bytes(),
        &all[place + 1..].concat(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::{escape, set};

    fn put(now: &str) -> String {
        let fields = ["/dev/sdb", "/data/my brick", "xfs", "defaults", "0", "0"].map(escape);
        String::from_utf8(set(now.as_bytes(), &fields)).unwrap()
    }

    #[test]
    fn a_mount_point_has_one_line() {
        let line = "/dev/sdb /data/my\\040brick xfs defaults 0 0\n";
        assert_eq!(put(""), line);
        assert_eq!(put(line), line);
        let spaced = "# x\n/dev/sdb\t/data/my\\040brick  xfs defaults\n/dev/sda / xfs defaults 0 1";
        assert_eq!(put(spaced), spaced);
        assert_eq!(
            put("/dev/sdc /data/my\\040brick xfs noatime\n/dev/sda / xfs defaults 0 1"),
            format!("{line}/dev/sda / xfs defaults 0 1")
        );
        assert_eq!(
            put("/dev/sda / xfs defaults 0 1"),
            format!("/dev/sda / xfs defaults 0 1\n{line}")
        );
    }
}
