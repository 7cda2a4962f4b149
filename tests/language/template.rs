use crate::support::{self, inventory};
use provision::inventory::{HostName, Inventory};
use provision::playbook::{Registered, Scope, Val};
use provision::yaml::{self, Node, Source};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn source(name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source {
        name: name.into(),
        text: text.into(),
    })
}

fn node(text: &str) -> Node {
    yaml::load(&source("p.yml", text)).unwrap_or_else(|found| panic!("{found}"))
}

const HOSTS: &str = "\
all:
  hosts:
    a: {ansible_host: 10.0.0.1, number: 7, list: [x, y], map: {k: v, 'n': 2}, mine: '{{ inventory_hostname }}'}
    b: {ansible_host: 10.0.0.2, mine: '{{ inventory_hostname }}!'}
  vars:
    hosts_root: /srv
    root: \"{{ hosts_root }}/{{ inventory_hostname }}\"
    nested: {dir: \"{{ root }}/x\", n: \"{{ number + 1 }}\"}
    waits: \"{{ hostvars.b.token.stdout }}\"
    ansible_become_password: hunter2
";

fn scope() -> Scope {
    let inventory = Arc::new(inventory(HOSTS));
    let host = inventory.hosts()[0].name.clone();
    let registered: Arc<dyn Registered> =
        Arc::new(|host: &HostName, name: &str| match (host.as_str(), name) {
            ("a", "seen") => Some(Val::Known(json!({"stdout": "ok", "rc": 0}))),
            ("a", "list") => Some(Val::Known(json!(["registered"]))),
            ("b", "token") => Some(Val::Unknown("it is read from b".into())),
            _ => None,
        });
    let hosts: Arc<[HostName]> = Arc::from([host.clone()]);
    Scope::new(&inventory, &host)
        .registered(&registered)
        .play_hosts(&hosts)
}

fn shown(scope: &Scope, text: &str) -> String {
    match scope.render(&node(text)) {
        Ok(Val::Known(node)) => node.to_json().to_string(),
        Ok(Val::Unknown(why)) => format!("unknown: {why}"),
        Err(diagnostic) => format!("error: {}", diagnostic.message),
    }
}

#[test]
fn strings_are_rendered_and_sole_expressions_keep_their_type() {
    let scope = scope();
    let table = [
        ("plain", r#""plain""#),
        ("'{{ number }}'", "7"),
        ("' {{ number }} '", "7"),
        ("'{{- number -}}'", "7"),
        ("'x{{ number }}'", r#""x7""#),
        ("'{{ 1 }} {{ 2 }}'", r#""1 2""#),
        (r#"'{{ "}}" }}'"#, r#""}}""#),
        (r#"'{{ {"a": {"b": number}} }}'"#, r#"{"a":{"b":7}}"#),
        ("'{{ seen.rc == 0 }}'", "true"),
        ("'{{ 7.5 }}'", "7.5"),
        ("'{{ none }}'", "null"),
        ("'{{ map }}'", r#"{"k":"v","n":2}"#),
        ("'{{ root }}'", r#""/srv/a""#),
        ("'{{ nested }}'", r#"{"dir":"/srv/a/x","n":8}"#),
        ("'{{ nested.dir }}'", r#""/srv/a/x""#),
        (
            "'{{ hostvars.b.mine }} {{ hostvars[\"a\"].mine }}'",
            r#""b! a""#,
        ),
        ("'{{ hostvars.b.root }}'", r#""/srv/b""#),
        (
            "'{{ groups.all | join(\",\") }} {{ groups.managers | length }}'",
            r#""a,b 2""#,
        ),
        ("'{{ groups.workers }}'", "[]"),
        ("'{{ group_names }}'", "[]"),
        ("'{{ play_hosts }}'", r#"["a"]"#),
        ("'{{ list }}'", r#"["registered"]"#),
        ("'{{ data_path_port + 1 }}'", "4790"),
        ("'{{ advertise_address }}'", r#""10.0.0.1""#),
        (
            "'{{ amqp_url }}'",
            r#""amqp://guest:guest@mq-{{.Node.Hostname}}:5672""#,
        ),
        ("'{{ nope | default(3) }}'", "3"),
        ("'{{ nope is defined }}'", "false"),
        (
            "{a: [1, 'n{{ number }}'], b: '{{ omit }}', c: '{{ nope | default(omit) }}'}",
            r#"{"a":[1,"n7"]}"#,
        ),
        (
            "'{% for h in groups.all %}{{ h }}={{ hostvars[h].ansible_host }};{% endfor %}'",
            r#""a=10.0.0.1;b=10.0.0.2;""#,
        ),
        (
            "'{{ [3, 1, 2] | sort | map(\"string\") | join(\"-\") }}'",
            r#""1-2-3""#,
        ),
        ("'{{ list is sequence and map is mapping }}'", "true"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&scope, text), expected, "{text}");
    }
}

#[test]
fn filters_of_ansible_are_there() {
    let scope = scope();
    let table = [
        ("'{{ \"a b\" | quote }}'", r#""'a b'""#),
        ("'{{ \"héllo\" | b64encode }}'", r#""aMOpbGxv""#),
        ("'{{ \"aMOpbGxv\" | b64decode }}'", r#""héllo""#),
        (
            "'{{ \"/a/b.c\" | basename }} {{ \"/a/b.c\" | dirname }} {{ \"/a\" | dirname }}'",
            r#""b.c /a /""#,
        ),
        (
            "'{{ \"ke2-server1\" | regex_replace(\"(\\\\w+)-\", \"\\\\1_\") }}'",
            r#""ke2_server1""#,
        ),
        (
            "'{{ \"a$b\" | regex_replace(\"b\", \"$1\") }}'",
            r#""a$$1""#,
        ),
        ("'{{ \"v26.1\" | regex_search(\"[0-9]+\") }}'", r#""26""#),
        (
            "'{{ \"abc\" is match(\"ab\") }} {{ \"abc\" is match(\"b\") }} {{ \"abc\" is search(\"b\") }}'",
            r#""True False True""#,
        ),
        (
            "'{{ {\"a\": [1, \"<\"]} | to_json }}'",
            r#""{\"a\": [1, \"<\"]}""#,
        ),
        (
            "'x{{ {\"a\": 1} | to_nice_json(indent=2) }}'",
            r#""x{\n  \"a\": 1\n}""#,
        ),
        ("'{{ (\"[1, 2]\" | from_json)[1] }}'", "2"),
        (
            "'{{ \"no\" | bool }} {{ \"True\" | bool }} {{ 0 | bool }}'",
            r#""False True False""#,
        ),
        (
            "'{{ \"maybe\" | bool }}'",
            "error: invalid operation: `maybe` is neither true nor false",
        ),
        (
            "'{{ [1, 2, 2] | union([3]) }} {{ [1, 2] | difference([1]) }} {{ [1, 2] | intersect([2]) }}'",
            r#""[1, 2, 3] [2] [2]""#,
        ),
        ("'{{ [1, [2, [3]]] | flatten }}'", "[1,2,3]"),
        ("'{{ true | ternary(\"a\", \"b\") }}'", r#""a""#),
        ("'{{ \"a,b\".split(\",\") }}'", r#"["a","b"]"#),
        ("'{{ map.items() | list | length }}'", "2"),
        ("'{{ [1, 1, 2] | unique }}'", "[1,2]"),
        (
            "'{{ \"x\" | nofilter }}'",
            "error: the filter nofilter is unknown",
        ),
        (
            "'{{ lookup(\"env\", \"HOME\") }}'",
            "error: the function lookup is unknown",
        ),
        (
            "x{% include \"/etc/passwd\" %}",
            "error: other templates cannot be included here",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&scope, text), expected, "{text}");
    }
}

#[test]
fn what_touches_the_unknown_is_unknown() {
    let scope = scope();
    let unknown = "unknown: it is read from b";
    let table = [
        ("'{{ hostvars.b.token }}'", unknown),
        ("'{{ waits }}'", unknown),
        ("x {{ waits }} {{ nope }}", unknown),
        ("'{{ hostvars.b.token.stdout | default(1) }}'", unknown),
        (
            "'{% for h in groups.all %}{{ hostvars[h].token | default(0) }}{% endfor %}'",
            unknown,
        ),
        ("{a: 1, b: ['{{ waits | length }}']}", unknown),
        ("'{{ 1 if number == 7 else waits }}'", "1"),
        ("'{{ number == 7 or waits }}'", "true"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&scope, text), expected, "{text}");
    }
}

#[test]
fn conditions_are_expressions() {
    let scope = scope();
    let table = [
        ("number == 7", "true"),
        ("'{{ number == 8 }}'", "false"),
        ("yes", "true"),
        ("[number == 7, seen.rc != 0]", "false"),
        ("[hostvars.b.token.rc == 0, false]", "false"),
        (
            "[true, hostvars.b.token.rc == 0]",
            "unknown: it is read from b",
        ),
        ("list", "true"),
        ("groups.workers", "false"),
        ("nope is defined and nope.x", "false"),
        (
            "'\"false\"'",
            "error: the condition is a string, neither true nor false",
        ),
        ("nope", "error: `nope` is undefined"),
        ("3", "error: a condition is an expression, not an integer"),
    ];
    for (text, expected) in table {
        let seen = match scope.condition(&node(text)) {
            Ok(Val::Known(value)) => value.to_string(),
            Ok(Val::Unknown(why)) => format!("unknown: {why}"),
            Err(diagnostic) => format!("error: {}", diagnostic.message),
        };
        assert_eq!(seen, expected, "{text}");
    }
}

#[test]
fn stronger_scopes_win() {
    let hosts = "all: {hosts: {a: {v: host, play: host, task: host, item: 1}}}\n";
    assert!(
        support::try_inventory(hosts, &[]).is_err(),
        "item is reserved"
    );
    let hosts = "all: {hosts: {a: {v: host, play: host, task: host, extra: host}}}\n";
    let inventory = Arc::new(support::try_inventory(hosts, &["extra=extra"]).unwrap());
    let vars = |text: &str| {
        let folder = support::inventory(&format!("all: {{hosts: {{a: {text}}}}}\n"));
        Arc::new(folder.hosts()[0].vars.clone())
    };
    let scope = Scope::new(&inventory, &inventory.hosts()[0].name)
        .vars(&vars("{play: play, task: play, extra: play}"))
        .vars(&vars("{task: task, extra: task}"))
        .item("each", &node("{k: item}"));
    let text = "'{{ v }} {{ play }} {{ task }} {{ extra }} {{ each.k }} {{ hostvars.a.play }}'";
    assert_eq!(shown(&scope, text), r#""host play task extra item host""#);
}

#[test]
fn secrets_of_the_connection_are_no_variables() {
    assert_eq!(
        shown(&scope(), "'{{ ansible_become_password }}'"),
        "error: `ansible_become_password` is undefined"
    );
}

#[test]
fn errors_in_files_name_line_and_column() {
    let scope = scope();
    let text = "# {{ inventory_hostname }}\n{% if number > 3 %}\nport = {{ data_path_prt }}\n{% endif %}\n";
    let error = scope
        .render_file(&source("templates/a.j2", text))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "\
templates/a.j2:3:11: `data_path_prt` is undefined
   |
 3 | port = {{ data_path_prt }}
   |           ^
 Hint: did you mean `data_path_port`?"
    );
    let broken = scope
        .render_file(&source("b.j2", "one\n{% if x %}\n"))
        .unwrap_err();
    assert!(broken.to_string().starts_with("b.j2:"), "{broken}");
    let good = scope.render_file(&source(
        "c.j2",
        "{% if true %}\nx={{ number }}\n{% endif %}\n",
    ));
    assert_eq!(good.unwrap(), Val::Known("\nx=7\n\n".to_owned()));
}

#[test]
fn a_variable_points_at_its_use() {
    let hosts = "all: {hosts: {a: {x: '{{ y }}', y: 'is {{ z.q }}', deep0: 1}}}\n";
    let inventory = Arc::new(inventory(hosts));
    let scope = Scope::new(&inventory, &inventory.hosts()[0].name);
    let error = scope.render(&node("{k: 'a {{ x }}'}")).unwrap_err();
    assert_eq!(error.span.to_string(), "p.yml:1:11");
    let message = error.message;
    assert!(
        message.starts_with("`z` is undefined, in the variable `y` at "),
        "{message}"
    );
    assert!(message.ends_with("inventory.yml:1:43"), "{message}");
}

#[test]
fn long_chains_end() {
    let mut text = String::from("all: {hosts: {a: }, vars: {v0: 1");
    for n in 1..200 {
        write!(text, ", v{n}: '{{{{ v{} }}}}'", n - 1).unwrap();
    }
    let inventory = Arc::new(inventory(&format!("{text}}}}}\n")));
    let scope = Scope::new(&inventory, &inventory.hosts()[0].name);
    assert_eq!(shown(&scope, "'{{ v30 }}'"), "1");
    assert_eq!(
        shown(&scope, "'{{ v199 }}'"),
        "error: more than 40 variables are defined by way of each other"
    );
}

/// 30 tasks for 200 hosts, each with a chain of variables and a value of another host.
#[test]
fn rendering_is_fast() {
    let text = "all:
  hosts: {'n[1:200]': }
  vars: {root: '{{ base }}/{{ inventory_hostname }}', base: /srv}
";
    let inventory: Arc<Inventory> = Arc::new(inventory(text));
    let tasks: Vec<Node> = (0..30)
        .map(|n| node(&format!("{{path: '{{{{ root }}}}/{n}', port: '{{{{ data_path_port + {n} }}}}', leader: 'x {{{{ hostvars[groups.managers[0]].root }}}}'}}")))
        .collect();
    let start = Instant::now();
    for host in inventory.hosts() {
        for task in &tasks {
            let scope = Scope::new(&inventory, &host.name);
            assert!(matches!(scope.render(task), Ok(Val::Known(_))));
        }
    }
    let per_host = start.elapsed() / 200;
    println!("{per_host:?} a host");
    assert!(
        per_host < Duration::from_millis(20),
        "{per_host:?} a host, unoptimised"
    );
}
