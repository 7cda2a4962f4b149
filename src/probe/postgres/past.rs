//! What a stopped server committed past a place in its write-ahead log: of a former primary, what the present one lacks.

use super::Lsn;
use crate::probe::shell::quote;
use serde::{Deserialize, Serialize};

/// From where it is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct About {
    /// Folder of the programs.
    pub bin: String,
    /// The data directory.
    pub data: String,
    /// The timeline.
    pub timeline: u32,
    /// The place, `0/5000000`.
    pub at: Lsn,
}

/// What it committed there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// How many commits; `None` when that cannot be read.
    pub commits: Option<u64>,
    /// When the last of them was, as the server's clock told.
    pub last: String,
    /// Why it cannot be read.
    pub silent: String,
}

/// `pg_waldump` reads as far as the log is whole, and then says on stderr why it stops; a missing file is another matter.
pub(in crate::probe) fn script(about: &About) -> String {
    format!(
        r#"export LC_ALL=C
b={bin} d={data}
cd /
[ -x "$b/pg_waldump" ] || {{ echo "said $b/pg_waldump is missing"; exit 1; }}
{{ {{ timeout 120 "$b/pg_waldump" -p "$d/pg_wal" -t {timeline} -s {at} -r Transaction 3>&-; s=$?; [ $s -ne 124 ] || echo 'it took more than 120 s' >&2; }} 2>&1 >&3 | sed 's/^/said /'; }} 3>&1 |
awk '/^said / {{ print; next }} / desc: COMMIT/ {{ n++; last = $0 }} END {{ print "commits", n + 0; if (n) {{ sub(/.* desc: COMMIT[A-Z_]* /, "", last); split(last, w, ";"); print "last", w[1] }} }}'"#,
        bin = quote(&about.bin),
        data = quote(&about.data),
        timeline = about.timeline,
        at = about.at,
    )
}

/// The messages with which `pg_waldump` ends where a log ends. Source: xlogreader.c, pg_waldump.c of PostgreSQL 16 to 18.
const ENDS: [&str; 2] = [
    "error in WAL record at",
    "could not find a valid record after",
];

pub(in crate::probe) fn parse(status: i32, stdout: &str) -> Past {
    let mut past = Past::default();
    for line in stdout.lines() {
        match line.split_once(' ') {
            Some(("commits", count)) => past.commits = count.parse().ok(),
            Some(("last", when)) => when.trim().clone_into(&mut past.last),
            Some(("said", said)) if !ENDS.iter().any(|end| said.contains(end)) => {
                said.trim().clone_into(&mut past.silent);
            }
            _ => {}
        }
    }
    if status != 0 && past.silent.is_empty() {
        past.silent = format!("pg_waldump could not be run (status {status})");
    }
    if !past.silent.is_empty() {
        past.commits = None;
    }
    past
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_counted_and_a_missing_file_is_not_none() {
        let ended = "said pg_waldump: error: error in WAL record at 0/50001F8: invalid record length at 0/5000230: expected at least 24, got 0\ncommits 2\nlast 2026-11-21 09:00:01.123456 UTC\n";
        let past = parse(0, ended);
        assert_eq!(
            (past.commits, &*past.last),
            (Some(2), "2026-11-21 09:00:01.123456 UTC")
        );
        let none =
            "said pg_waldump: error: could not find a valid record after 0/5000000\ncommits 0\n";
        assert_eq!(parse(0, none).commits, Some(0));
        let gone = "said pg_waldump: error: could not find file \"000000010000000000000005\": No such file or directory\ncommits 0\n";
        assert_eq!(parse(0, gone).commits, None);
        assert_eq!(parse(1, "").commits, None);
    }
}
