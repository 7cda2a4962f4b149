//! Shorthand for the tables of arguments.

use crate::playbook::{ArgKind, ArgSpec};

/// An argument without which a task is wrong.
pub const fn needed(name: &'static str, kind: ArgKind, doc: &'static str) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required: true,
        default: None,
        doc,
    }
}

/// An argument that may be left out.
pub const fn optional(name: &'static str, kind: ArgKind, doc: &'static str) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required: false,
        default: None,
        doc,
    }
}

/// An argument that means `default` when it is left out.
pub const fn defaulted(
    name: &'static str,
    kind: ArgKind,
    default: &'static str,
    doc: &'static str,
) -> ArgSpec {
    ArgSpec {
        name,
        kind,
        required: false,
        default: Some(default),
        doc,
    }
}

/// A list of strings.
pub const TEXTS: ArgKind = ArgKind::List(&ArgKind::Text);

/// A list of absolute paths.
pub const PATHS: ArgKind = ArgKind::List(&ArgKind::Path);

/// Whether something is to be there.
pub const STATE: ArgSpec = defaulted(
    "state",
    ArgKind::Choice(&["present", "absent"]),
    "present",
    "Whether it is to be there.",
);
