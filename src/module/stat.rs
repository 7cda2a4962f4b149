//! `stat`: reads what is at a path.

use super::argument::needed;
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::Decision;
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need, PathState, Seen};
use serde_json::{Value, json};

/// A look at a path.
#[derive(Clone, Debug)]
pub struct Stat {
    host: HostName,
    path: String,
}

impl Module for Stat {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "stat",
        cluster: false,
        registers: true,
        free_form: Some("path"),
        args: &[needed(
            "path",
            ArgKind::Path,
            "What to look at; links are not followed.",
        )],
    };

    type State = Seen<PathState>;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        Ok(Self {
            host: context.host.clone(),
            path: args.required("path")?,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = seen.path(&self.host, &*self.path);
        seen.settle(state)
    }

    fn plan(&self, _: &Self::State) -> Decision {
        Decision::default()
    }

    /// Ansible's names; `checksum` is SHA-256.
    fn registered(&self, state: &Self::State) -> Option<Value> {
        let mut stat = json!({
            "path": self.path,
            "exists": *state.known()? != PathState::Absent,
            "isreg": matches!(state.known()?, PathState::File { .. }),
            "isdir": matches!(state.known()?, PathState::Directory { .. }),
            "islnk": *state.known()? == PathState::Other("symbolic link".to_owned()),
        });
        let attributes = match state.known()? {
            PathState::File {
                sha256,
                size,
                attributes,
            } => {
                stat["size"] = json!(size);
                stat["checksum"] = json!(sha256);
                attributes
            }
            PathState::Directory { attributes } => attributes,
            PathState::Absent | PathState::Other(_) => return Some(json!({ "stat": stat })),
        };
        stat["mode"] = json!(format!("{:04o}", attributes.mode));
        for (name, value) in [
            ("owner", &attributes.owner),
            ("pw_name", &attributes.owner),
            ("group", &attributes.group),
            ("gr_name", &attributes.group),
        ] {
            stat[name] = json!(value);
        }
        Some(json!({ "stat": stat }))
    }
}
