//! `stack_images`: each host gets the images of the stack before anything is deployed, all hosts at once.
//! Otherwise the tasks of a host would wait for them one after the other, and an error would come late.

use super::document;
use crate::inventory::HostName;
use crate::module::{Args, Context, Module, Unfit};
use crate::plan::{Act, Claim, Class, Decision, Expect, StackAct, StackExpect, Step, StepId};
use crate::playbook::{ArgKind, ArgSpec, ModuleSpec};
use crate::probe::docker::Docker;
use crate::probe::image::Image;
use crate::probe::{Answers, Need, Query, Seen};
use std::collections::BTreeMap;

/// The images of a stack on one host.
#[derive(Clone, Debug)]
pub struct StackImages {
    host: HostName,
    images: Vec<String>,
    /// Folder of this machine with images in files.
    archives: Option<String>,
}

/// What the host has.
#[derive(Clone, Debug)]
pub struct State {
    docker: Seen<Docker>,
    images: BTreeMap<String, Seen<Option<Image>>>,
}

impl Module for StackImages {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "stack_images",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            super::text("name", "Name of the stack.", Some("ke2")),
            super::OVERLAY,
            ArgSpec {
                name: "archives",
                kind: ArgKind::Text,
                required: false,
                default: None,
                doc: "A folder of this machine with the images as `docker save` writes them, NAME-TAG.tar each; without it they come from their registry.",
            },
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let (file, _) = document(args, context, context.group)?;
        Ok(Self {
            host: context.host.clone(),
            images: file.images().into_iter().collect(),
            archives: args
                .text("archives")
                .filter(|folder| !folder.is_empty())
                .map(|folder| (context.local)(&format!("{folder}/")).path),
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<State, Need> {
        let docker = seen.docker(&self.host);
        let runs = docker.known().is_some_and(|docker| docker.engine.is_some());
        let asked = self.images.iter().filter(|_| runs);
        let images = asked
            .map(|image| (image.clone(), seen.image(&self.host, &**image)))
            .collect();
        seen.settle(State { docker, images })
    }

    fn plan(&self, state: &State) -> Decision {
        // One that was in a swarm before has what it ran there, and one that hangs may have it: that is looked at once it
        // answers.
        let no_engine = state.docker.known().is_some_and(|docker| {
            docker.engine.is_none() && !docker.hangs && docker.trace.is_empty()
        });
        let missing = self
            .images
            .iter()
            .filter(|image| match state.images.get(*image) {
                Some(seen) => *seen == Seen::Is(None),
                None => no_engine,
            });
        Decision {
            steps: missing.map(|image| self.bring(image, no_engine)).collect(),
            ..Decision::default()
        }
    }
}

impl StackImages {
    fn bring(&self, image: &str, no_engine: bool) -> Step {
        let object = image.rsplit('/').next().unwrap_or(image);
        let (verb, act) = match &self.archives {
            None => (
                "pull",
                StackAct::Pull {
                    image: image.to_owned(),
                },
            ),
            Some(folder) => {
                let name = object.split('@').next().unwrap_or(object);
                let archive = format!(
                    "{}/{}.tar",
                    folder.trim_end_matches('/'),
                    name.replace(':', "-")
                );
                let image = image.to_owned();
                ("load", StackAct::Load { image, archive })
            }
        };
        let step = Step::new(
            StepId::new(&["stack_images", verb, object]),
            &self.host,
            Class::Create,
            "the host does not have it",
            Act::Stack(act),
        )
        .done(Claim::new(
            &self.host,
            Query::Image(image.to_owned()),
            Expect::Stack(StackExpect::HasImage),
        ));
        if no_engine {
            step.assume("the engine runs by then, and has no image yet")
        } else {
            step
        }
    }
}
