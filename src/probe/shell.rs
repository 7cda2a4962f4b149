//! A command that the user declared to be read-only: a guard (`unless:`) or a registered reading.

use super::Seen;
use serde::{Deserialize, Serialize};

/// What to run for a reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandLine {
    /// The program and its arguments, or one script for `sh`.
    pub words: Vec<String>,
    /// Whether `words` is one script for the shell.
    pub shell: bool,
    /// Working directory.
    pub chdir: Option<String>,
}

impl CommandLine {
    /// The text that runs it in a POSIX shell.
    pub fn script(&self) -> String {
        let mut text = String::new();
        if let Some(dir) = &self.chdir {
            text.push_str(&format!("cd {} && ", quote(dir)));
        }
        if self.shell {
            text.push_str(&format!("sh -c {}", quote(&self.words.join(" "))));
        } else {
            text.push_str(&join(&self.words));
        }
        text
    }
}

/// How a reading ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Exit status.
    pub status: i32,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

pub(super) fn parse(status: i32, stdout: &[u8], stderr: &[u8]) -> Seen<Outcome> {
    Seen::Is(Outcome {
        status,
        stdout: String::from_utf8_lossy(stdout).into_owned(),
        stderr: String::from_utf8_lossy(stderr).into_owned(),
    })
}

/// `word` quoted for a POSIX shell. NUL cannot be quoted and is dropped: no path or argument holds one.
///
/// Words of plain characters stay as they are, so that plans read as people write commands. `=` is
/// plain in options only: `A=b` in the place of a program would be an assignment.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+:,./-".contains(c);
    let is_option = word.starts_with('-');
    if !word.is_empty() && word.chars().all(|c| plain(c) || (c == '=' && is_option)) {
        return word.to_owned();
    }
    let clean = word.replace('\0', "");
    match shlex::try_quote(&clean) {
        Ok(quoted) => quoted.into_owned(),
        Err(_) => String::from("''"),
    }
}

/// An argv as one line for a POSIX shell.
pub fn join<S: AsRef<str>>(words: &[S]) -> String {
    words
        .iter()
        .map(|word| quote(word.as_ref()))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell_and_plain_ones_stay_plain() {
        let words = [
            "", " ", "it's", "a\\b", "$HOME", "`id`", "\"", "\n", "*", "~", "!x", "-n", "é", "A=b",
        ];
        let script = format!("printf '%s\\0' {}", join(&words));
        let out = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), expected);
        for plain in [
            "--add-port=2377/tcp",
            "docker-ce-3:26.1.5-1.el9",
            "/etc/a_b",
        ] {
            assert_eq!(quote(plain), plain);
        }
        assert_ne!(quote("A=b"), "A=b");
    }
}
