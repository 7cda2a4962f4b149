//! `template`: a file is there with the content of a rendered template.

use super::argument::{defaulted, needed, optional};
use super::attributes::{GROUP, MODE, OWNER, Wanted};
use super::file::destination;
use super::managed_file::{ManagedFile, Sight};
use super::origin::{self, COMES_WITH, Origin};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Content, Decision};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, Query};

/// A rendered template that must be there.
#[derive(Clone, Debug)]
pub struct Template {
    file: ManagedFile,
    origin: Origin,
}

impl Module for Template {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "template",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "src",
                ArgKind::Text,
                "A template of the project, below `templates/`.",
            ),
            optional("path", ArgKind::Path, "Where."),
            optional("dest", ArgKind::Path, "Another name of `path`."),
            MODE,
            OWNER,
            GROUP,
            COMES_WITH,
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
        let Some(src) = args.node("src") else {
            return Err(args.wrong("`template` needs `src`"));
        };
        Ok(Self {
            file: ManagedFile {
                module: "template",
                host: context.host.clone(),
                path: destination(args)?,
                content: Content {
                    bytes: (context.template)(src)?.into_bytes(),
                    secret: args.flag("secret"),
                },
                wanted: Wanted::from_args(args)?,
            },
            origin: Origin::from_args(args)?,
        })
    }

    fn foresee(args: &Args<'_>, _: &HostName) -> Vec<Query> {
        destination(args).map_or_else(|_| Vec::new(), |path| vec![Query::Path(path)])
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let sight = self.file.look(seen);
        let origin = self.origin.look(&self.file.host, &sight.path, seen);
        seen.settle((sight, origin))
    }

    fn plan(&self, (sight, origin): &Self::State) -> Decision {
        self.origin.correct(origin, self.file.plan(sight))
    }
}
