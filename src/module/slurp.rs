//! `slurp`: reads a file.

use super::argument::optional;
use super::managed_file::present;
use super::refusal::{MISSING, refuse};
use super::{Args, Context, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::Decision;
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::path::Content;
use crate::probe::{Answers, Need, Seen};
use base64::Engine;
use serde_json::{Value, json};

/// A file that is read.
#[derive(Clone, Debug)]
pub struct Slurp {
    host: HostName,
    path: String,
}

impl Module for Slurp {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "slurp",
        cluster: false,
        registers: true,
        free_form: Some("path"),
        args: &[
            optional("path", ArgKind::Path, "The file."),
            optional("src", ArgKind::Path, "Another name of `path`."),
        ],
    };

    type State = Seen<Option<Content>>;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let path = args.text("path").or_else(|| args.text("src"));
        Ok(Self {
            host: context.host.clone(),
            path: path.ok_or_else(|| args.wrong("`slurp` needs `path`"))?,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = seen.content(&self.host, &*self.path);
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        match state {
            Seen::Unknown(_) => Decision::default(),
            Seen::Is(Some(content)) => match present(&self.host, &self.path, content) {
                Ok(_) => Decision::default(),
                Err(refusal) => (*refusal).into(),
            },
            Seen::Is(None) => refuse(
                &self.host,
                MISSING,
                format!("there is no {} on {} to read", self.path, self.host),
                vec![format!("{}: {} does not exist", self.host, self.path)],
                "put the task that brings it before this one, or ask with `stat` first",
            )
            .into(),
        }
    }

    /// Ansible's names, and `text`, which needs no decoding.
    fn registered(&self, state: &Self::State) -> Option<Value> {
        let content = state.known()?.as_ref()?;
        present(&self.host, &self.path, content).ok()?;
        Some(json!({
            "source": self.path,
            "encoding": "base64",
            "content": base64::engine::general_purpose::STANDARD.encode(&content.bytes),
            "text": String::from_utf8_lossy(&content.bytes),
        }))
    }
}
