//! What the steps of a task are called by when its module has no better name for them: the task's own name.

use crate::inventory::HostName;
use crate::playbook::Task;
use std::collections::BTreeSet;

/// The names that are taken, by host and module.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<(HostName, &'static str, String)>);

impl Names {
    /// The name of the next task for a host; of two equal ones the second gets a number. A task that nobody
    /// named has none.
    pub(super) fn next(&mut self, task: &Task, item: &str, host: &HostName) -> Option<String> {
        if task.name == task.module.name {
            return None;
        }
        let name = slug(&format!("{} {item}", task.name));
        if name.is_empty() {
            return None;
        }
        let module = task.module.name;
        let mut free = |name: &String| self.0.insert((host.clone(), module, name.clone()));
        if free(&name) {
            return Some(name);
        }
        (2..).map(|more| format!("{name}-{more}")).find(free)
    }
}

/// `Repository CRB: on` → `repository-crb-on`. Letters of every script are kept.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_and_what_is_between_them_is_not() {
        assert_eq!(slug("repository CRB on"), "repository-crb-on");
        assert_eq!(slug("  a/b: \"c\" [d] "), "a-b-c-d");
        assert_eq!(slug("鍵を作る"), "鍵を作る");
        assert_eq!(slug("--"), "");
    }
}
