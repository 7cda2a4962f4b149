//! The rendered stack of every customisation: what it changes in the default document. `PROVISION_BLESS=1`
//! writes what is reached now; read the diff.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "stack/cases.rs"]
mod cases;

use cases::CASES;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stack")
}

fn render(
    place: &Path,
    variables: &str,
    overlay: &str,
    names: [&str; 3],
    words: &[&str],
) -> Output {
    let mut vars = format!("{{{variables}}}");
    if !overlay.is_empty() {
        std::fs::write(place.join("overlay.yml"), overlay).unwrap();
        vars = format!("{{{variables}, stack_overlay: overlay.yml}}");
    }
    let mut text = format!("all:\n  vars: {vars}\n  hosts:\n");
    for (index, name) in names.iter().enumerate() {
        text += &format!("    {name}: {{ ansible_host: 10.20.0.{} }}\n", index + 1);
    }
    std::fs::write(place.join("inventory.yml"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_provision"))
        .current_dir(place)
        .args(["stack", "inventory.yml"])
        .args(words)
        .output()
        .unwrap()
}

const NAMES: [&str; 3] = ["ke2-server1", "ke2-server2", "ke2-server3"];

fn shown(variables: &str, overlay: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    let output = render(place.path(), variables, overlay, NAMES, &[]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{variables}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

fn compare(name: &str, reached: &str) -> Option<String> {
    let path = folder().join(name);
    if std::env::var_os("PROVISION_BLESS").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, reached).unwrap();
        return None;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    (wanted != reached).then(|| {
        let diff = similar::TextDiff::from_lines(&wanted, reached);
        format!("{name}\n{}", diff.unified_diff())
    })
}

/// The hash of a service changes whenever anything of it does: it would be in every difference.
fn without_hashes(text: &str) -> String {
    let keep = |line: &&str| !line.contains("provision.spec: ");
    text.lines()
        .filter(keep)
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn every_customisation() {
    let default = shown("tz: Asia/Tokyo", "");
    let mut wrong: Vec<String> = compare("default.yml", &default).into_iter().collect();
    for (name, variables, overlay) in CASES {
        let custom = shown(variables, overlay);
        assert_ne!(custom, default, "{name} changes nothing");
        let (default, custom) = (without_hashes(&default), without_hashes(&custom));
        let diff = similar::TextDiff::from_lines(&*default, &*custom);
        let diff = diff.unified_diff().context_radius(1).to_string();
        assert!(!diff.is_empty(), "{name} changes only a hash");
        wrong.extend(compare(&format!("{name}.diff"), &diff));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn secrets_are_in_the_file_alone() {
    let hostile = "p@ss:w/rd?#%$'\\\"{{é";
    let quoted = hostile.replace('\'', "''");
    let variables = format!("pg_kompira_pass: '{quoted}', rabbitmq_erlang_cookie: '01234567'");
    let place = tempfile::tempdir().unwrap();
    let output = render(place.path(), &variables, "", NAMES, &["--out", "out"]);
    // A template of ours would be in it otherwise: the inventory's own braces are refused, not passed on.
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && err.contains("pg_kompira_pass"),
        "{err}"
    );
    assert!(!err.contains("p@ss"), "{err}");
    let hostile = "p@ss:w/rd?#%$'\\\" é";
    let quoted = hostile.replace('\'', "''");
    let variables = format!("pg_kompira_pass: '{quoted}', rabbitmq_erlang_cookie: '01234567'");
    let output = render(place.path(), &variables, "", NAMES, &["--out", "out"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = place.path().join("out/docker-swarm.yml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        text.contains("p%40ss%3Aw%2Frd%3F%23%25%24%27%5C%22%20%C3%A9@host.docker.internal:9999"),
        "{text}"
    );
    assert!(
        text.contains("RABBITMQ_ERLANG_COOKIE: \"01234567\""),
        "{text}"
    );
    let output = render(place.path(), &variables, "", NAMES, &[]);
    let shown = String::from_utf8(output.stdout).unwrap();
    for secret in ["01234567", "p%40ss", "p@ss", "guest:guest"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn wrong_input_is_told_at_its_place() {
    let place = tempfile::tempdir().unwrap();
    let long = ["a.example.com", "b.example.com", "c.example.com"];
    let mixed = ["a.example.com", "b", "c"];
    let output = render(place.path(), "tz: UTC", "", long, &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("RABBITMQ_USE_LONGNAME: \"true\""), "{text}");
    let cases = [
        ("tz: UTC", "", mixed, "do not find each other"),
        ("rabbitmq_use_longname: true", "", NAMES, "no domain"),
        ("rabbitmq_use_longname: false", "", long, "have a domain"),
        ("rabbitmq_erlang_cookie: \"a\\nb\"", "", NAMES, "one line"),
        ("database_url: nonsense", "", NAMES, "is a URL"),
        ("nginx_port_mode: mesh", "", NAMES, "nginx_port_mode"),
        ("ca_keytype: dsa", "", NAMES, "ca_keytype"),
        ("cert_san_altnames: 'ke2'", "", NAMES, "cert_san_altnames"),
        ("tz: UTC", "service: {}\n", NAMES, "has no `service`"),
        ("tz: UTC", "services: [", NAMES, "overlay.yml"),
    ];
    for (variables, overlay, names, says) in cases {
        let output = render(place.path(), variables, overlay, names, &[]);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(64),
            "{variables}{overlay}: {err}"
        );
        assert!(err.contains(says), "{variables}{overlay}: {err}");
    }
}
