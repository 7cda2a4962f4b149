use provision::yaml::{self, Node, Source, Value};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source {
        name: "a.yml".into(),
        text: text.into(),
    })
}

fn load(text: &str) -> Node {
    yaml::load(&source(text)).unwrap_or_else(|found| panic!("{found}"))
}

fn complaints(text: &str) -> String {
    match yaml::load(&source(text)) {
        Ok(node) => panic!("accepted: {node:?}"),
        Err(found) => found.to_string(),
    }
}

/// A compact rendering that tells the types apart: strings in quotes, numbers as written.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(_, text) | Value::Float(_, text) => text.clone(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|entry| format!("{}: {}", entry.key, shown(&entry.node)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[test]
fn values_have_their_types_and_places() {
    let node = load("---\n# c\na: yes\nb: 'yes'\nc: [1, {d: 0644}]\ne: |\n  x\n  y\nf:\n");
    assert_eq!(
        shown(&node),
        r#"{a: true, b: "yes", c: [1, {d: 0644}], e: "x\ny\n", f: null}"#
    );
    let place = |node: &Node| node.span.to_string();
    assert_eq!(place(node.get("a").unwrap()), "a.yml:3:4");
    assert_eq!(place(node.get("b").unwrap()), "a.yml:4:4");
    let Value::List(items) = &node.get("c").unwrap().value else {
        panic!("a list");
    };
    assert_eq!(place(&items[0]), "a.yml:5:5");
    assert_eq!(place(items[1].get("d").unwrap()), "a.yml:5:12");
    assert_eq!(node.entries()[3].key_span.to_string(), "a.yml:6:1");
    assert_eq!(place(node.get("e").unwrap()), "a.yml:7:3");
}

#[test]
fn columns_count_characters() {
    let node = load("日本: {語: x}\n");
    let inner = node.get("日本").unwrap().get("語").unwrap();
    assert_eq!(inner.span.to_string(), "a.yml:1:9");
}

#[test]
fn anchors_and_merge_keys() {
    let table = [
        ("a: &x {p: 1}\nb: *x\n", "{a: {p: 1}, b: {p: 1}}"),
        (
            "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n",
            "{a: {p: 1, q: 2}, b: {p: 1, q: 3}}",
        ),
        (
            "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y], r: 3}\n",
            "{a: {p: 1}, b: {p: 2, q: 2}, c: {p: 1, q: 2, r: 3}}",
        ),
        ("a: {'<<': 1}\n", "{a: {<<: 1}}"),
        ("a: {on: 1, 2: x}\n", "{a: {on: 1, 2: \"x\"}}"),
        (
            "a: !!str 1\nb: ! 1\nc: !!int '2'\n",
            "{a: \"1\", b: \"1\", c: 2}",
        ),
        ("", "null"),
        ("# only a comment\n", "null"),
        ("\u{feff}a: 1\n", "{a: 1}"),
        ("a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&load(text)), expected, "{text}");
    }
}

#[test]
fn every_problem_of_a_file_is_reported_with_its_place() {
    let text = "\
a: 1
b: !vault x
c: !env HOME
a: 2
d: {{ name }}
e: !!python/object x
f: {<<: 3}
? [x]
: y
";
    assert_eq!(
        complaints(text),
        "\
a.yml:2:4: values encrypted with Ansible Vault are not supported yet
   |
 2 | b: !vault x
   |    ^
 Hint: give the value with -e NAME=VALUE, or in plain text in a file that only you can read

a.yml:3:4: the tag !env is not supported yet
   |
 3 | c: !env HOME
   |    ^
 Hint: give the value with -e NAME=VALUE

a.yml:4:1: the key `a` is already there, at line 1, column 1
   |
 4 | a: 2
   | ^
 Hint: keep one of the two

a.yml:5:4: a value that starts with {{ must be in quotes
   |
 5 | d: {{ name }}
   |    ^
 Hint: write \"{{ … }}\"

a.yml:6:4: unknown tag !!python/object
   |
 6 | e: !!python/object x
   |    ^
 Hint: remove the tag

a.yml:7:9: << takes a mapping or a list of mappings, not an integer
   |
 7 | f: {<<: 3}
   |         ^

a.yml:8:3: a key must be a string, not a list or a mapping
   |
 8 | ? [x]
   |   ^"
    );
}

#[test]
fn what_is_not_yaml_says_where() {
    let first = |text: &str| complaints(text).lines().next().unwrap().to_owned();
    let table = [
        (
            "a:\n\tb: 1\n",
            "a.yml:2:1: a tab in the indentation; YAML allows only spaces",
        ),
        ("a: [1, 2\nb: 3\n", "a.yml:2:2: this is not YAML: "),
        (
            "a: 1\n---\nb: 2\n",
            "a.yml:2:1: a second YAML document starts here",
        ),
        ("a: *x\n", "a.yml:1:4: this is not YAML: "),
        (
            "a: &x [*x]\n",
            "a.yml:1:8: the alias stands inside the value that it names",
        ),
        ("\u{1}\u{2}ELF", "a.yml:1:1: "),
        ("a: \"x\n", "a.yml:1:4: this is not YAML: "),
        ("a: b: c\n", "a.yml:1:5: this is not YAML: "),
    ];
    for (text, expected) in table {
        let seen = first(text);
        assert!(seen.starts_with(expected), "{text:?} gave {seen}");
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let message = |name: &str| {
        let path = folder.path().join(name);
        let full = yaml::read(&path).unwrap_err().to_string();
        full.replace(&folder.path().display().to_string(), "D")
    };
    assert_eq!(
        message("none.yml"),
        "D/none.yml: there is no such file\n Hint: give the path of an existing file, relative to the current folder or absolute"
    );
    assert_eq!(
        message("."),
        "D/.: this is a folder, not a file\n Hint: name one YAML file in it"
    );
    std::fs::write(folder.path().join("sjis.yml"), b"a: 1\nb: \x93\xfa\x96{\n").unwrap();
    assert_eq!(
        message("sjis.yml"),
        "D/sjis.yml:2:4: not UTF-8 text: byte 0x93 here\n   |\n 2 | b: \u{fffd}\u{fffd}\u{fffd}{\n   |    ^\n Hint: save the file as UTF-8"
    );
}

#[test]
fn ten_megabytes_of_nesting_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.yml");
    std::fs::write(&path, "[".repeat(10_000_000)).unwrap();
    let start = Instant::now();
    let message = yaml::read(&path).unwrap_err().message;
    assert_eq!(
        message,
        "the file is longer than 4 MiB, the most that is read"
    );
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn budgets_hold_for_what_fits_the_size() {
    let bomb = "\
a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]
f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]
";
    let mut staircase = String::new();
    for depth in 0..2800 {
        writeln!(staircase, "{}a:", " ".repeat(depth)).unwrap();
    }
    let merges = {
        let keys = |name: char| -> String {
            let mut text = String::new();
            for n in 0..40_000 {
                write!(text, "{name}{n}: 1, ").unwrap();
            }
            text
        };
        format!(
            "a: &a {{{}}}\nb: &b {{{}}}\nc: {{<<: [*a, *b]}}\n",
            keys('x'),
            keys('y')
        )
    };
    let table = [
        ("[".repeat(4_000_000), "nest deeper than 64 levels"),
        ("{a: ".repeat(1_000_000), "nest deeper than 64 levels"),
        ("- ".repeat(2_000_000), "nest deeper than 64 levels"),
        (staircase, "nest deeper than 64 levels"),
        (bomb.to_owned(), "more than 200000 values"),
        (merges, ""),
        ("- a\n".repeat(1_000_000), "more than 200000 values"),
    ];
    for (text, expected) in table {
        let start = Instant::now();
        let result = yaml::load(&source(&text)).map_err(|found| found.to_string());
        let head: String = text.chars().take(20).collect();
        assert!(start.elapsed() < Duration::from_secs(50), "{head} was slow");
        match result {
            Ok(_) => assert_eq!(expected, "", "{head}"),
            Err(message) => assert!(message.contains(expected), "{head}: {message:.400}"),
        }
    }
}
