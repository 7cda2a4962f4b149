//! `group_vars/` and `host_vars/` beside the inventory file.

use super::Vars;
use super::tree::Tree;
use crate::yaml::{self, Diagnostic, Node, Span, Value};
use indexmap::IndexMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The variables of each known name for which `folder` has a file or a folder of files.
pub(super) fn read<'n>(
    folder: &Path,
    names: impl Iterator<Item = &'n str>,
    tree: &mut Tree,
) -> IndexMap<String, Vars> {
    let mut result = IndexMap::new();
    if !folder.is_dir() {
        return result;
    }
    for name in names {
        let mut vars = Vars::new();
        // As in Ansible the first that exists is all that is read, a folder before NAME.yml.
        let mut candidates = ["", ".yml", ".yaml", ".json"]
            .map(|end| folder.join(format!("{name}{end}")))
            .into_iter()
            .filter(|path| path.exists());
        let Some(first) = candidates.next() else {
            continue;
        };
        for file in files(&first, 0, tree) {
            vars.extend(read_file(&file, tree));
        }
        for ignored in candidates {
            let span = Span::builtin(&ignored.display().to_string());
            let message = format!(
                "this file is not read, because there is {}",
                first.display()
            );
            tree.advice.push(Diagnostic::new(&span, message));
        }
        if !vars.is_empty() {
            result.insert(name.to_owned(), vars);
        }
    }
    result
}

/// The file itself, or the files in the folder, sorted by name so that the last one wins predictably.
fn files(path: &Path, depth: usize, tree: &mut Tree) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    // A link may lead back to a folder above.
    if !path.is_dir() || depth > 8 {
        return Vec::new();
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            let span = Span::builtin(&path.display().to_string());
            let message = format!("cannot read the folder: {error}");
            tree.found.push(Diagnostic::new(&span, message));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let wanted = path.is_dir() || matches!(&*ending, "" | "yml" | "yaml" | "json");
        wanted && !name.starts_with('.') && !name.ends_with('~')
    });
    paths.sort();
    paths
        .iter()
        .flat_map(|path| files(path, depth + 1, tree))
        .collect()
}

fn read_file(path: &Path, tree: &mut Tree) -> Vars {
    let source = match yaml::read(path) {
        Ok(source) => source,
        Err(diagnostic) => {
            tree.found.push(diagnostic);
            return Vars::new();
        }
    };
    if source.text.starts_with("$ANSIBLE_VAULT") {
        let span = Span::at_offset(&source, 0);
        let message = "files encrypted with Ansible Vault are not supported yet";
        let hint = "give the values with -e NAME=VALUE, or in a plain file that only you can read";
        tree.found.push(Diagnostic::new(&span, message).hint(hint));
        return Vars::new();
    }
    let node = yaml::load(&source).unwrap_or_else(|found| {
        tree.found.0.extend(found.0);
        Node {
            span: Span::at_offset(&source, 0),
            value: Value::Null,
        }
    });
    tree.vars_of(&node, "a file of variables")
}
