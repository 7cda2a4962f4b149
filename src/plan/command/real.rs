//! The scripts for files, run for real in a temporary folder by every shell at hand.

use super::Phase;
use crate::plan::{Act, Content};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const SHELLS: [&str; 2] = ["bash", "dash"];

/// As the connection runs it: `eval` in a subshell of a shell that goes on.
fn run_in(shell: &str, before: &str, act: &Act, cut: usize) -> Output {
    let [Phase::Run { script, stdin, .. }] = &act.phases(None)[..] else {
        panic!("one phase: {act:?}")
    };
    let mut child = Command::new(shell)
        .args(["-c", &format!("umask 022; {before} ( eval \"$1\" )"), "x"])
        .arg(script)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = stdin.clone().unwrap_or_default();
    // A script that refuses does not read its input.
    let _ = child.stdin.take().unwrap().write_all(&bytes[cut..]);
    child.wait_with_output().unwrap()
}

fn write(path: &Path, new: &str, before: Option<&str>, mode: Option<u32>) -> Act {
    Act::WriteFile {
        path: path.to_str().unwrap().to_owned(),
        content: Content::plain(new),
        before: before.map(Content::plain),
        mode,
        owner: None,
        group: None,
    }
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn entries(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

#[test]
fn a_new_file_is_made_with_its_mode() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it's a \\ file");
        let text = "one\0two\nno newline at the end";
        let out = run_in(shell, "", &write(&path, text, None, None), 0);
        assert!(out.status.success(), "{shell}: {}", stderr(&out));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert_eq!(mode_of(&path), 0o644);
        let again = run_in(shell, "", &write(&path, text, None, None), 0);
        assert_eq!(again.status.code(), Some(75), "{shell}");
        assert!(stderr(&again).contains("it exists now"), "{shell}");
        let replaced = run_in(shell, "", &write(&path, "", Some(text), Some(0o4750)), 0);
        assert!(replaced.status.success(), "{shell}: {}", stderr(&replaced));
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        assert_eq!(mode_of(&path), 0o4750);
        assert_eq!(entries(dir.path()), 1, "no temporary file is left");
    }
}

#[test]
fn a_replaced_file_keeps_its_mode() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let out = run_in(shell, "", &write(&path, "new", Some("old"), None), 0);
        assert!(out.status.success(), "{shell}: {}", stderr(&out));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(mode_of(&path), 0o640);
    }
}

#[test]
fn what_changed_since_it_was_planned_is_left_alone() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "edited meanwhile").unwrap();
        let out = run_in(shell, "", &write(&path, "new", Some("old"), None), 0);
        assert_eq!(out.status.code(), Some(75));
        assert!(stderr(&out).contains("changed since it was planned"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "edited meanwhile");

        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        for before in [None, Some("edited meanwhile")] {
            let out = run_in(shell, "", &write(&link, "new", before, None), 0);
            assert_eq!(out.status.code(), Some(75));
        }
        std::fs::remove_file(&path).unwrap();
        let out = run_in(shell, "", &write(&link, "new", None, None), 0);
        assert_eq!(out.status.code(), Some(75), "a dangling link is something");
        let out = run_in(shell, "", &write(&path, "new", Some("old"), None), 0);
        assert_eq!(out.status.code(), Some(75), "it is gone");
        assert_eq!(entries(dir.path()), 1);
    }
}

#[test]
fn a_file_that_cannot_be_written_whole_leaves_the_old_one() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "old").unwrap();
        let big = "x".repeat(100_000);
        // The kernel refuses to let any file grow: as good as a full disk.
        let out = run_in(
            shell,
            "ulimit -f 8;",
            &write(&path, &big, Some("old"), None),
            0,
        );
        assert!(!out.status.success(), "{shell}");
        assert!(stderr(&out).contains("is as it was"), "{}", stderr(&out));
        let out = run_in(shell, "", &write(&path, &big, Some("old"), None), 1);
        assert_eq!(out.status.code(), Some(74), "{}", stderr(&out));
        assert!(stderr(&out).contains("incomplete"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(entries(dir.path()), 1, "no temporary file is left");

        let nowhere = dir.path().join("missing/a");
        let out = run_in(shell, "", &write(&nowhere, "new", None, None), 0);
        assert_eq!(out.status.code(), Some(66));
        assert!(stderr(&out).contains("there is no directory"));
    }
}

#[test]
fn what_a_killed_run_left_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".a.provision"), "half").unwrap();
    let path = dir.path().join("a");
    let out = run_in("bash", "", &write(&path, "new", None, None), 0);
    assert!(out.status.success(), "{}", stderr(&out));
    assert_eq!(entries(dir.path()), 1);
}

#[test]
fn directories_get_their_mode_new_or_old() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a b/c");
        let make = |mode| Act::MakeDirectory {
            path: path.to_str().unwrap().to_owned(),
            mode,
            owner: None,
            group: None,
        };
        for (mode, expected) in [(Some(0o700), 0o700), (None, 0o700), (Some(0o2750), 0o2750)] {
            let out = run_in(shell, "", &make(mode), 0);
            assert!(out.status.success(), "{shell}: {}", stderr(&out));
            assert_eq!(mode_of(&path), expected, "{shell}");
        }
        assert_eq!(mode_of(&dir.path().join("a b")), 0o755, "parents are usual");
        let remove = |path: &Path| Act::RemovePath {
            path: path.to_str().unwrap().to_owned(),
        };
        assert!(
            !run_in(shell, "", &remove(path.parent().unwrap()), 0)
                .status
                .success()
        );
        assert!(run_in(shell, "", &remove(&path), 0).status.success());
        assert!(
            run_in(shell, "", &remove(&path), 0).status.success(),
            "already gone"
        );
        assert!(!path.exists());
    }
}

#[test]
fn attributes_are_not_set_through_a_link() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "").unwrap();
        let set = |path: &Path| Act::SetAttributes {
            path: path.to_str().unwrap().to_owned(),
            mode: Some(0o600),
            owner: None,
            group: None,
        };
        assert!(run_in(shell, "", &set(&path), 0).status.success());
        assert_eq!(mode_of(&path), 0o600);
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(run_in(shell, "", &set(&link), 0).status.code(), Some(75));
    }
}
