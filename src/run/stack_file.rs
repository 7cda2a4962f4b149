//! `provision stack INVENTORY`: the stack's document and the files beside it, without a connection.

use super::setup;
use crate::apply::Built;
use crate::cli::{InputArgs, StackArgs};
use crate::cluster::stack::{Stack, StackFile};
use crate::failure::Failure;
use crate::module::{AnyModule, Module as _};
use crate::playbook::Play;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The playbook of the layer that has the stack.
const LAYER: &str = "playbooks/kompira.yml";

/// `provision stack`
pub fn stack(args: &StackArgs) -> Result<u8, Failure> {
    let mut found = find(&args.input)?;
    if found.is_none() && args.input.playbook.is_none() {
        // A site of the user's own that leaves the layer out.
        let mut input = args.input.clone();
        input.playbook = Some(LAYER.into());
        found = find(&input)?;
    }
    let Some(file) = found else {
        let failure = Failure::usage("the playbook has no stack for these hosts");
        return Err(failure.hint("hosts of the group `kompira` run it"));
    };
    match &args.out {
        None => {
            let _ = write!(std::io::stdout(), "{}", file.shown());
        }
        Some(folder) => write_all(folder, &file).map_err(|(path, error)| {
            Failure::internal(format!("{} cannot be written: {error}", path.display()))
        })?,
    }
    Ok(0)
}

/// The document of the playbook's stack, if it has one. Plays without a stack are left out: what they
/// need, such as the database's virtual address, rendering does not.
fn find(input: &InputArgs) -> Result<Option<StackFile>, Failure> {
    let has_stack = |play: &Play| {
        play.tasks
            .iter()
            .any(|task| task.module.name == Stack::SPEC.name)
    };
    let setup = setup::load_only(input, has_stack)?;
    let mut found = None;
    for work in &setup.compiled.works {
        match (work.build)() {
            Built::Module(module) => {
                if let AnyModule::Stack(stack) = *module {
                    found = Some(stack.file().clone());
                }
            }
            Built::Wrong(wrong) => return Err(wrong.into()),
            Built::Skipped | Built::Unknown(..) => {}
        }
    }
    Ok(found)
}

/// Only the owner can read the document: it has passwords.
fn write_all(folder: &Path, file: &StackFile) -> Result<(), (std::path::PathBuf, std::io::Error)> {
    let mut maker = DirBuilder::new();
    maker
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| (folder.to_owned(), error))?;
    let document = file.text();
    let files = file.files.iter().map(|(name, text)| (&**name, &**text));
    for (name, text) in files.chain([("docker-swarm.yml", &*document)]) {
        let path = folder.join(name);
        let new = folder.join(format!(".{name}.new"));
        let written = || {
            let _ = std::fs::remove_file(&new);
            let mut options = OpenOptions::new();
            let mut out = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            out.write_all(text.as_bytes())?;
            std::fs::rename(&new, &path)
        };
        written().map_err(|error| (path.clone(), error))?;
    }
    Ok(())
}
