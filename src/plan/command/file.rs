//! Acts on files and directories.

use super::{CHANGED, Phase};
use crate::plan::Content;
use crate::probe::shell::quote;

/// What a path is to have, as far as something is said about it.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a> {
    mode: Option<u32>,
    owner: Option<&'a str>,
    group: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(mode: Option<u32>, owner: Option<&'a str>, group: Option<&'a str>) -> Self {
        Self { mode, owner, group }
    }

    /// `owner:group`, `owner` or `:group`; `None` when nothing is said.
    fn ownership(&self) -> Option<String> {
        match (self.owner, self.group) {
            (None, None) => None,
            (owner, None) => owner.map(str::to_owned),
            (owner, Some(group)) => Some(format!("{}:{group}", owner.unwrap_or_default())),
        }
    }
}

/// A file that is new on a SELinux host has the label of its directory, which need not be its own.
const LABEL: &str = "[ ! -e /sys/fs/selinux/enforce ] || restorecon -- \"$f\"";

/// Name of the temporary file: fixed, so that the next try removes what a killed one left behind.
fn beside(path: &str) -> (String, String) {
    let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
    let directory = if directory.is_empty() { "/" } else { directory };
    let slash = if directory == "/" { "" } else { "/" };
    (
        directory.to_owned(),
        format!("{directory}{slash}.{name}.provision"),
    )
}

/// Four forks for a new file, five for one that is replaced. `install` copies, and sets mode and
/// owner, in one; it makes the file anew (`O_EXCL`) with mode 0600 and widens it only at the end.
/// The checksum of what arrived is compared as well: a connection that breaks cuts the input short.
pub(super) fn write(
    path: &str,
    content: &Content,
    before: Option<&Content>,
    attributes: Attributes<'_>,
) -> Phase {
    let (directory, temporary) = beside(path);
    let mut install = String::from("install");
    let mut script = format!(
        "f={} d={} t={}\n\
         die() {{ printf '%s\\n' \"$2\" >&2; exit \"$1\"; }}\n\
         [ -d \"$d\" ] || die 66 \"there is no directory $d to write $f into\"\n",
        quote(path),
        quote(&directory),
        quote(&temporary)
    );
    let all_given =
        attributes.mode.is_some() && attributes.owner.is_some() && attributes.group.is_some();
    if before.is_none() {
        script.push_str(&format!(
            "[ ! -e \"$f\" ] && [ ! -L \"$f\" ] || die {CHANGED} \"$f changed since it was planned: it exists now\"\n"
        ));
    } else {
        script.push_str(&format!(
            "[ -f \"$f\" ] && [ ! -L \"$f\" ] || die {CHANGED} \"$f changed since it was planned: it is no regular file now\"\n"
        ));
        if !all_given {
            script.push_str("set -- $(stat -c '%a %u %g' -- \"$f\") || exit\n");
        }
    }
    match attributes.mode {
        Some(mode) => install.push_str(&format!(" -m {mode:04o}")),
        None if before.is_some() => install.push_str(" -m \"$1\""),
        None => install.push_str(" -m 0644"),
    }
    match attributes.owner {
        Some(owner) => install.push_str(&format!(" -o {}", quote(owner))),
        None if before.is_some() => install.push_str(" -o \"$2\""),
        None => {}
    }
    match attributes.group {
        Some(group) => install.push_str(&format!(" -g {}", quote(group))),
        None if before.is_some() => install.push_str(" -g \"$3\""),
        None => {}
    }
    let (files, check) = match before {
        None => ("\"$t\"", String::new()),
        Some(before) => (
            "\"$t\" \"$f\"",
            // sha256sum prints one line a file; a backslash stands before the sum of an odd name.
            format!(
                "old=${{sums##*\"\n\"}} old=${{old%% *}}\n\
                 [ \"${{old#\\\\}}\" = {} ] || die {CHANGED} \"$f changed since it was planned: its content is another one\"\n",
                before.sha256()
            ),
        ),
    };
    // A sudoers file with a mistake in it takes sudo away from everybody.
    let valid = if path.starts_with("/etc/sudoers.d/") {
        "visudo -cqf \"$t\" >&2 || die 65 \"visudo does not accept it: $f is as it was\"\n"
    } else {
        ""
    };
    script.push_str(&format!(
        "trap 'rm -f -- \"$t\"' EXIT\n\
         {install} -T -- /dev/stdin \"$t\" && sync -- \"$t\" || die 73 \"$f was not written, and is as it was\"\n\
         sums=$(sha256sum -- {files}) || exit\n\
         new=${{sums%% *}}\n\
         [ \"${{new#\\\\}}\" = {} ] || die 74 \"the content arrived incomplete: $f was not written, and is as it was\"\n\
         {check}{valid}\
         mv -fT -- \"$t\" \"$f\" || exit\n\
         trap - EXIT\n\
         {LABEL}",
        content.sha256()
    ));
    Phase::feed(script, content.bytes.clone(), 120)
}

/// Attributes are for the last directory only; parents that are missing are made with the usual ones.
pub(super) fn make_directory(path: &str, attributes: Attributes<'_>) -> Phase {
    let mut make = String::from("mkdir -p");
    let mut mend = String::new();
    if let Some(mode) = attributes.mode {
        make.push_str(&format!(" -m {mode:04o}"));
        mend = format!("chmod {mode:04o} -- \"$f\" || exit\n");
    }
    let own = match attributes.ownership() {
        Some(ownership) => format!("chown {} -- \"$f\" || exit\n", quote(&ownership)),
        None => String::new(),
    };
    Phase::run(
        format!(
            "f={}\nif [ ! -d \"$f\" ]; then {make} -- \"$f\" || exit\n{LABEL} || exit\nelse :\n{mend}fi\n{own}:",
            quote(path)
        ),
        30,
    )
}

pub(super) fn set_attributes(path: &str, attributes: Attributes<'_>) -> Phase {
    let mut script = format!(
        "f={}\nif [ -L \"$f\" ] || [ ! -e \"$f\" ]; then echo \"$f changed since it was planned\" >&2; exit {CHANGED}; fi\n",
        quote(path)
    );
    // chown clears the set-id bits, so the mode comes after it.
    if let Some(ownership) = attributes.ownership() {
        script.push_str(&format!("chown {} -- \"$f\" || exit\n", quote(&ownership)));
    }
    if let Some(mode) = attributes.mode {
        script.push_str(&format!("chmod {mode:04o} -- \"$f\" || exit\n"));
    }
    script.push(':');
    Phase::run(script, 30)
}

/// An empty directory or a file: what holds anything stays.
pub(super) fn remove(path: &str) -> Phase {
    Phase::run(
        format!(
            "f={}\nif [ -d \"$f\" ] && [ ! -L \"$f\" ]; then rmdir -- \"$f\"; else rm -f -- \"$f\"; fi",
            quote(path)
        ),
        30,
    )
}
