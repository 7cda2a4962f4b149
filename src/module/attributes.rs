//! What differs between the mode and owner that a path has and those that it should have.

use crate::probe::path::Attributes;

/// The differences in words, or `None` when there are none.
pub fn difference(
    now: &Attributes,
    mode: Option<u32>,
    owner: Option<&str>,
    group: Option<&str>,
) -> Option<String> {
    let mut found = Vec::new();
    if let Some(mode) = mode.filter(|mode| *mode != now.mode) {
        found.push(format!("mode is {:04o}, not {mode:04o}", now.mode));
    }
    if let Some(owner) = owner.filter(|owner| *owner != now.owner) {
        found.push(format!("owner is {}, not {owner}", now.owner));
    }
    if let Some(group) = group.filter(|group| *group != now.group) {
        found.push(format!("group is {}, not {group}", now.group));
    }
    (!found.is_empty()).then(|| found.join(", "))
}
