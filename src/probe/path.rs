//! Paths: metadata and checksums of many in two forks; contents of many in two more.

use super::shell::join;
use super::{Answer, Query, Seen};
use serde::{Deserialize, Serialize};

/// How much of a file [`Query::Content`] brings, in bytes. Managed files are configuration, not data.
pub const CONTENT_LIMIT: usize = 1 << 20;

/// What is at a path. Symbolic links are not followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathState {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// SHA-256 of the content, in hexadecimal; `None` when it could not be read.
        sha256: Option<String>,
        /// Size in bytes.
        size: u64,
        /// Mode, owner and group.
        attributes: Attributes,
    },
    /// A directory.
    Directory {
        /// Mode, owner and group.
        attributes: Attributes,
    },
    /// A symbolic link, a device, a socket …, in stat's words.
    Other(String),
}

/// Who may do what with a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Permission bits.
    pub mode: u32,
    /// Name of the owner, or the number when it has no name.
    pub owner: String,
    /// Name of the group, or the number when it has no name.
    pub group: String,
}

/// The content of a regular file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// At most [`CONTENT_LIMIT`] bytes.
    #[serde(with = "text")]
    pub bytes: Vec<u8>,
    /// Size of the whole file in bytes.
    pub size: u64,
}

/// Captured answers read as text in test cases; bytes that are not UTF-8 never occur there.
mod text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from).map(String::into_bytes)
    }
}

impl std::fmt::Debug for Content {
    /// A file may hold secrets, so its content is never in a debug message.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes)", self.size)
    }
}

pub(super) fn stat_script(paths: &[&str]) -> String {
    // Only regular files are read: a FIFO or a device would block.
    format!(
        "set -- {}\nstat --printf '%F|%a|%U|%G|%u|%g|%s|%n\\0' -- \"$@\"\nprintf '\\0'\n\
         for p; do shift; [ -f \"$p\" ] && [ ! -L \"$p\" ] && set -- \"$@\" \"$p\"; done\n\
         [ $# -eq 0 ] || sha256sum -z -- \"$@\"\nexit 0",
        join(paths)
    )
}

pub(super) fn stat_parse(
    paths: &[&str],
    stdout: &[u8],
    stderr: &str,
) -> Vec<(Query, Seen<Answer>)> {
    let text = String::from_utf8_lossy(stdout);
    let (stats, sums) = match text.split_once("\0\0") {
        Some(halves) => halves,
        // No path exists: only the separator was printed.
        None => ("", text.trim_start_matches('\0')),
    };
    let sum_of = |path: &str| {
        sums.split('\0').find_map(|line| {
            let (sum, name) = line.split_once("  ")?;
            (name == path).then(|| sum.to_owned())
        })
    };
    let state_of = |path: &str| {
        let line = stats
            .split('\0')
            .find(|line| line.splitn(8, '|').nth(7) == Some(path));
        match line {
            Some(line) => Seen::Is(state(line, sum_of(path))),
            None => absent(path, stderr),
        }
    };
    paths
        .iter()
        .map(|path| {
            let seen = state_of(path).map(Answer::Path);
            (Query::Path((*path).to_owned()), seen)
        })
        .collect()
}

fn state(line: &str, sha256: Option<String>) -> PathState {
    let field: Vec<&str> = line.splitn(8, '|').collect();
    let named = |name: &str, number: &str| {
        let name = if name == "UNKNOWN" { number } else { name };
        name.to_owned()
    };
    let attributes = Attributes {
        mode: u32::from_str_radix(field[1], 8).unwrap_or_default(),
        owner: named(field[2], field[4]),
        group: named(field[3], field[5]),
    };
    match field[0] {
        "regular file" | "regular empty file" => PathState::File {
            sha256,
            size: field[6].parse().unwrap_or_default(),
            attributes,
        },
        "directory" => PathState::Directory { attributes },
        other => PathState::Other(other.to_owned()),
    }
}

/// Only "no such file" and "not a directory" (of a parent) mean that there is nothing.
fn absent(path: &str, stderr: &str) -> Seen<PathState> {
    let nothing = |line: &str| {
        line.ends_with("No such file or directory") || line.ends_with("Not a directory")
    };
    let about = stderr
        .lines()
        .find(|line| line.starts_with("stat:") && line.contains(path) && !nothing(line));
    match about {
        Some(line) => Seen::Unknown(line.to_owned()),
        None if stderr.lines().any(nothing) => Seen::Is(PathState::Absent),
        None => Seen::Unknown(format!("stat said nothing of {path}: {}", stderr.trim())),
    }
}

pub(super) fn content_script(paths: &[&str]) -> String {
    format!(
        "set -- {}\nfor p; do shift; if [ -f \"$p\" ]; then set -- \"$@\" \"$p\"; elif [ -e \"$p\" ]; then printf 'other %s\\0' \"$p\"; fi; done\n\
         [ $# -eq 0 ] || stat -L --printf 'size %s %n\\0' -- \"$@\"\nprintf '\\0'\n\
         [ $# -eq 0 ] || head -q -c {CONTENT_LIMIT} -- \"$@\"",
        join(paths)
    )
}

pub(super) fn content_parse(
    paths: &[&str],
    status: i32,
    stdout: &[u8],
    stderr: &str,
) -> Vec<(Query, Seen<Answer>)> {
    let mut found = Vec::new();
    let mut others = Vec::new();
    let mut rest = stdout;
    loop {
        let Some(end) = rest.iter().position(|byte| *byte == 0) else {
            return unreadable(paths, stderr);
        };
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        } else if let Some(name) = line.strip_prefix("other ") {
            others.push(name.to_owned());
        } else if let Some((size, name)) =
            line.strip_prefix("size ").and_then(|l| l.split_once(' '))
        {
            found.push((name.to_owned(), size.parse::<u64>().unwrap_or_default()));
        }
    }
    let kept = |size: u64| {
        usize::try_from(size)
            .unwrap_or(CONTENT_LIMIT)
            .min(CONTENT_LIMIT)
    };
    let total: usize = found.iter().map(|(_, size)| kept(*size)).sum();
    // A file that grew or shrank between the two commands would shift all that follow.
    if status != 0 || total != rest.len() {
        return unreadable(
            paths,
            if stderr.is_empty() {
                "it changed while it was read"
            } else {
                stderr
            },
        );
    }
    let mut contents = std::collections::BTreeMap::new();
    for (name, size) in found {
        let (bytes, after) = rest.split_at(kept(size));
        rest = after;
        contents.insert(
            name,
            Content {
                bytes: bytes.to_vec(),
                size,
            },
        );
    }
    paths
        .iter()
        .map(|path| {
            let seen = if others.iter().any(|other| other == path) {
                Seen::Unknown(format!("{path} is not a regular file"))
            } else {
                Seen::Is(Answer::Content(contents.get(*path).cloned()))
            };
            (Query::Content((*path).to_owned()), seen)
        })
        .collect()
}

fn unreadable(paths: &[&str], why: &str) -> Vec<(Query, Seen<Answer>)> {
    paths
        .iter()
        .map(|path| {
            let seen = Seen::Unknown(format!("{path} cannot be read: {}", why.trim()));
            (Query::Content((*path).to_owned()), seen)
        })
        .collect()
}
