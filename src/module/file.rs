//! `file`: a file is there with this content, mode and owner, or it is not there.

use super::argument::{STATE, defaulted, optional};
use super::attributes::{GROUP, MODE, OWNER, Wanted};
use super::managed_file::{ManagedFile, Sight, in_the_way, object};
use super::origin::{self, COMES_WITH, Origin};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Class, Content, Decision, Step, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, PathState, Query, Seen};

/// A file that must be there, or must not.
#[derive(Clone, Debug)]
pub struct File {
    file: ManagedFile,
    absent: bool,
    origin: Origin,
}

impl Module for File {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "file",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            optional("path", ArgKind::Path, "Where."),
            optional("dest", ArgKind::Path, "Another name of `path`."),
            optional(
                "src",
                ArgKind::Text,
                "A file of the project, below `files/`.",
            ),
            optional(
                "content",
                ArgKind::Text,
                "The content itself, instead of `src`.",
            ),
            MODE,
            OWNER,
            GROUP,
            COMES_WITH,
            STATE,
            defaulted(
                "secret",
                ArgKind::Bool,
                "false",
                "Whether the content must not be shown in plans, diffs and logs.",
            ),
        ],
    };

    type State = (Sight, origin::Sight);

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let absent = args.text("state").as_deref() == Some("absent");
        let bytes = match (args.node("src"), args.text("content")) {
            (None, None) if absent => Vec::new(),
            _ if absent => {
                return Err(args.wrong("`state: absent` takes neither `src` nor `content`"));
            }
            (Some(src), None) => (context.file)(src)?,
            (None, Some(content)) => content.into_bytes(),
            (Some(_), Some(_)) => {
                return Err(args.wrong_at("content", "`file` takes `src` or `content`, not both"));
            }
            (None, None) => return Err(args.wrong("`file` needs `src` or `content`")),
        };
        Ok(Self {
            file: ManagedFile {
                module: "file",
                host: context.host.clone(),
                path: destination(args)?,
                content: Content {
                    bytes,
                    secret: args.flag("secret"),
                },
                wanted: Wanted::from_args(args)?,
            },
            absent,
            origin: Origin::from_args(args)?,
        })
    }

    fn foresee(args: &Args<'_>, _: &HostName) -> Vec<Query> {
        destination(args).map_or_else(|_| Vec::new(), |path| vec![Query::Path(path)])
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let sight = if self.absent {
            Sight {
                path: seen.path(&self.file.host, &*self.file.path),
                content: None,
            }
        } else {
            self.file.look(seen)
        };
        let origin = self.origin.look(&self.file.host, &sight.path, seen);
        seen.settle((sight, origin))
    }

    fn plan(&self, (state, origin): &Self::State) -> Decision {
        if !self.absent {
            return self.origin.correct(origin, self.file.plan(state));
        }
        let file = &self.file;
        match &state.path {
            Seen::Unknown(_) | Seen::Is(PathState::Absent) => Decision::default(),
            Seen::Is(found @ PathState::Directory { .. }) => {
                in_the_way(&file.host, &file.path, found).into()
            }
            Seen::Is(_) => {
                let act = Act::RemovePath {
                    path: file.path.clone(),
                };
                let id = StepId::new(&["file", "remove", object(&file.path)]);
                let step = Step::new(id, &file.host, Class::Repair, "it is there", act);
                Decision {
                    steps: vec![step],
                    ..Decision::default()
                }
            }
        }
    }
}

/// `path`, or `dest` as Ansible calls it.
pub(super) fn destination(args: &Args<'_>) -> Result<String, Unfit> {
    match (args.text("path"), args.text("dest")) {
        (Some(path), None) | (None, Some(path)) => Ok(path),
        (Some(_), Some(_)) => {
            Err(args.wrong_at("dest", "`path` and `dest` mean the same: give one"))
        }
        (None, None) => Err(args.wrong(format!("`{}` needs `path`", args.spec.name))),
    }
}
