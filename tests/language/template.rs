use crate::support::{self, inventory};
use provision::playbook::{Registered, Scope, Val};
use provision::yaml::{self, Node, Source};
use serde_json::{Value as Json, json};
use std::sync::Arc;

fn node(text: &str) -> Node {
    yaml::load(&Arc::new(Source {
        name: "p.yml".into(),
        text: text.into(),
    }))
    .unwrap_or_else(|found| panic!("{found}"))
}

fn scope() -> Scope {
    let inventory = Arc::new(inventory(
        "\
all:
  hosts:
    a: {ansible_host: 10.0.0.1, number: 7, list: [x, y], map: {k: v}}
    b: {ansible_host: 10.0.0.2}
  vars:
    hosts_root: /srv
    root: \"{{ hosts_root }}/{{ inventory_hostname }}\"
    circle: \"{{ circle2 }}\"
    circle2: \"{{ circle }}\"
    broken: \"{{ hosts_rot }}/x\"
    waits: \"{{ hostvars.b.token.stdout }}\"
",
    ));
    let host = inventory.hosts()[0].name.clone();
    let registered: Arc<dyn Registered> = Arc::new(
        |host: &provision::inventory::HostName, name: &str| match (host.as_str(), name) {
            ("a", "seen") => Some(Val::Known(json!({"stdout": "ok", "rc": 0}))),
            ("b", "token") => Some(Val::Unknown("it is read from b".into())),
            _ => None,
        },
    );
    Scope::new(&inventory, &host).registered(&registered)
}

fn shown(text: &str) -> String {
    match scope().render(&node(text)) {
        Ok(Val::Known(node)) => node.to_json().to_string(),
        Ok(Val::Unknown(why)) => format!("unknown: {why}"),
        Err(diagnostic) => format!("error: {diagnostic}"),
    }
}

#[test]
fn explore() {
    for text in [
        "'{{ number }}'",
        "'{{ list }}'",
        "'x{{ number }}'",
        "'{{ root }}'",
        "'{{ circle }}'",
        "'{{ broken }}'",
        "'{{ waits }}'",
        "'{{ nope }}'",
        "x {{ number.foo.bar }}",
        "x {{ map.foo }}",
        "x {{ range(3) | list }} {{ map.foo }}",
        "x {{ number | nofilter }}",
        "x {{ number + 'x' }}",
        "x {{ hostvars.b.ansible_host }} {{ groups.all | join(',') }}",
        "'{{ hostvars.c.x }}'",
        "'{{ groups.nope }}'",
        "'{{ nope | default(3) }}'",
        "x {{ }}",
        "x {{ a b }}",
        "'{{ seen.rc == 0 }}'",
        "'{{ list | map(\"upper\") | list }}'",
        "|\n  l1\n  l2 {{ nope }}\n  l3\n",
        "x {{ seen.stdou }}",
        "{a: [1, 'b {{ list[5] }}']}",
        "'{{ 1 }} {{ 2 }}'",
        "x {% if nope %}y{% endif %}",
        "x {{ map.items() }}",
        "x {{ lookup('env','HOME') }}",
        "'{{ map }}'",
        "x {% include 'foo' %}",
        "'{{ {\"a\": number} }}'",
        "x {{ list }} {{ map }} {{ true }} {{ none }}",
        "'{{ list | to_json }}'",
        "x {{ ('a' * 3) }} {{ list[0] ~ list[1] }} {{ '%s-%02d' | format('a', 3) }} {{ 'a,b'.split(',') }} {{ 7 // 2 }} {{ 'X'.lower() }}",
    ] {
        println!("--- {text}\n{}", shown(text));
    }
}
