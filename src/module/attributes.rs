//! Mode and owner of a path: those that it should have, and what differs.

use super::argument::optional;
use super::{Args, Unfit};
use crate::playbook::{ArgKind, ArgSpec};
use crate::probe::path::Attributes;

/// The argument `mode`.
pub const MODE: ArgSpec = optional(
    "mode",
    ArgKind::Mode,
    "Permission bits; left as they are when not given (0644 for a new file).",
);

/// The argument `owner`.
pub const OWNER: ArgSpec = optional(
    "owner",
    ArgKind::Text,
    "Owner; left as it is when not given.",
);

/// The argument `group`.
pub const GROUP: ArgSpec = optional(
    "group",
    ArgKind::Text,
    "Group; left as it is when not given.",
);

/// What a path should have, as far as something is said about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner, by name.
    pub owner: Option<String>,
    /// Group, by name.
    pub group: Option<String>,
}

impl Wanted {
    /// From the arguments [`MODE`], [`OWNER`] and [`GROUP`].
    pub fn from_args(args: &Args<'_>) -> Result<Self, Unfit> {
        Ok(Self {
            mode: args.mode("mode")?,
            owner: args.text("owner"),
            group: args.text("group"),
        })
    }

    /// The differences in words, or `None` when there are none.
    pub fn difference(&self, now: &Attributes) -> Option<String> {
        let mut found = Vec::new();
        if let Some(mode) = self.mode.filter(|mode| *mode != now.mode) {
            found.push(format!("mode is {:04o}, not {mode:04o}", now.mode));
        }
        if let Some(owner) = self.owner.as_ref().filter(|owner| **owner != now.owner) {
            found.push(format!("owner is {}, not {owner}", now.owner));
        }
        if let Some(group) = self.group.as_ref().filter(|group| **group != now.group) {
            found.push(format!("group is {}, not {group}", now.group));
        }
        (!found.is_empty()).then(|| found.join(", "))
    }
}
