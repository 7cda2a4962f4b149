use crate::support::{inventory, load, try_inventory};
use provision::inventory::{HostName, Inventory, variables};
use provision::yaml::{Diagnostic, Span};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

const HOSTS: &str = "\
all:
  hosts:
    web1: {ansible_host: 10.0.0.1}
    web2: {ansible_host: 10.0.0.2}
    db1: {ansible_host: 10.0.0.3}
    db2: {ansible_host: 10.0.0.4}
web: {hosts: {web2: , web1: }}
db: {hosts: {db1: , db2: }}
prod: {children: {web: }, hosts: {db1: }}
managers: {hosts: {web1: }}
nobody:
";

fn value(inventory: &Inventory, host: &str, name: &str) -> String {
    let variable = inventory.host(host).unwrap().var(name);
    variable.map_or("none".into(), |variable| {
        variable.node.to_json().to_string()
    })
}

#[test]
fn patterns_choose_hosts_in_the_order_of_the_file() {
    let inventory = inventory(HOSTS);
    let span = Span::builtin("--limit");
    let table = [
        ("all", "web1 web2 db1 db2"),
        ("*", "web1 web2 db1 db2"),
        ("web", "web1 web2"),
        ("db2", "db2"),
        ("db2,web1", "web1 db2"),
        ("db2:web1", "web1 db2"),
        ("web:db", "web1 web2 db1 db2"),
        ("prod:&db", "db1"),
        ("prod:!web", "db1"),
        ("!web", "db1 db2"),
        ("all:!web:&prod", "db1"),
        ("w*", "web1 web2"),
        ("*2", "web2 db2"),
        ("db?", "db1 db2"),
        ("db[0]", "db1"),
        ("web[-1]", "web2"),
        ("all[1:2]", "web2 db1"),
        ("all[2:]", "db1 db2"),
        ("w*[0]:db[1]", "web1 db2"),
        ("[dw]*1", "web1 db1"),
        ("*[!1]", "web1 web2 db1 db2"),
        ("~(web|db)2", "web2 db2"),
        ("web, db1", "web1 web2 db1"),
        ("managers:workers", "web1"),
        ("database", ""),
        ("database:!web", ""),
    ];
    for (pattern, expected) in table {
        let chosen = inventory
            .select(pattern, &span)
            .unwrap_or_else(|why| panic!("{pattern}: {why}"));
        let names: Vec<&str> = chosen.iter().map(HostName::as_str).collect();
        assert_eq!(names.join(" "), expected, "{pattern}");
    }
}

#[test]
fn patterns_that_match_nothing_say_so() {
    let inventory = inventory(HOSTS);
    let span = Span::builtin("--limit");
    let table = [
        (
            "webb",
            "--limit: no host and no group is called `webb`\n Hint: did you mean `web`?",
        ),
        (
            "zz*",
            "--limit: no host and no group is called `zz*`\n Hint: `provision inventory FILE --graph` shows what there is",
        ),
        ("db:&web", "--limit: the pattern `db:&web` matches no host"),
        (
            "web1:!web",
            "--limit: the pattern `web1:!web` matches no host",
        ),
        ("", "--limit: the pattern of hosts is empty"),
        (
            "~(",
            "--limit: cannot read the pattern `~(`: error: unclosed group",
        ),
    ];
    for (pattern, expected) in table {
        let seen = inventory.select(pattern, &span).unwrap_err().to_string();
        assert_eq!(seen, expected, "{pattern}");
    }
    let empty = inventory.select("nobody", &span).unwrap_err().to_string();
    assert!(
        empty.starts_with("--limit: the group `nobody` has no hosts\n Hint: list its hosts at ")
    );
}

#[test]
fn group_vars_and_host_vars_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "hosts.yml",
        &format!("{HOSTS}  vars: {{v: file group, w: file group, x: file group}}\n"),
    );
    write(
        "group_vars/all.yml",
        "v: all file\nw: all file\nu: all file\n",
    );
    write("group_vars/web.yaml", "w: web file\n");
    write("group_vars/db/1.yml", "w: db file 1\nx: 1\n");
    write("group_vars/db/2.yml", "x: 2\n");
    write("group_vars/db/ignored.txt", "{{{");
    write("host_vars/db2", "u: host file\n");
    write("group_vars/stranger.yml", "- not read");
    let inventory = load(&folder.path().join("hosts.yml"), &["v=extra"]).unwrap();
    let table = [
        ("web1", "u", r#""all file""#),
        ("web1", "w", r#""web file""#),
        ("db1", "w", r#""db file 1""#),
        ("db1", "x", "2"),
        ("db2", "u", r#""host file""#),
        ("db2", "v", r#""extra""#),
    ];
    for (host, name, expected) in table {
        assert_eq!(value(&inventory, host, name), expected, "{host} {name}");
    }
    // As in Ansible a folder hides the file of the same name; here that is said.
    write("group_vars/db.yml", "x: 9\n");
    let inventory = load(&folder.path().join("hosts.yml"), &[]).unwrap();
    assert_eq!(value(&inventory, "db1", "x"), "2");
    let hidden = |advice: &Diagnostic| advice.message.starts_with("this file is not read");
    assert!(inventory.advice.iter().any(hidden));
    write("host_vars/db1.yml", "[1]");
    write("group_vars/web.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n");
    let found = load(&folder.path().join("hosts.yml"), &[]).unwrap_err();
    assert_eq!(
        found,
        "\
group_vars/web.yml:1:1: files encrypted with Ansible Vault are not supported yet
   |
 1 | $ANSIBLE_VAULT;1.1;AES256
   | ^
 Hint: give the values with -e NAME=VALUE, or in a plain file that only you can read

host_vars/db1.yml:1:1: a file of variables must be a mapping (NAME: VALUE), not a list
   |
 1 | [1]
   | ^"
    );
}

#[test]
fn the_command_line_is_strongest_and_typed_by_the_table() {
    let text = "all: {hosts: {a: {data_path_port: 5000}}}\n";
    let inventory = try_inventory(
        text,
        &[
            "data_path_port=6000",
            "manage_hosts=no",
            "docker_version=26.10",
            "x=a=b",
        ],
    );
    let inventory = inventory.unwrap();
    assert_eq!(value(&inventory, "a", "data_path_port"), "6000");
    assert_eq!(value(&inventory, "a", "manage_hosts"), "false");
    assert_eq!(value(&inventory, "a", "docker_version"), r#""26.10""#);
    assert_eq!(value(&inventory, "a", "x"), r#""a=b""#);
    let found = try_inventory(
        text,
        &[
            "data_path_port",
            "docker_versionn=1",
            "manage_hosts=1",
            "9x=1",
        ],
    );
    assert_eq!(
        found.unwrap_err(),
        "\
-e:1:1: a variable of the command line is written NAME=VALUE
   |
 1 | data_path_port
   | ^

-e:1:14: `manage_hosts` must be a boolean, not the string \"1\"
   |
 1 | manage_hosts=1
   |              ^
 Hint: write true or false

-e:1:1: a variable of the command line is written NAME=VALUE
   |
 1 | 9x=1
   | ^

-e:1:1: unknown variable `docker_versionn`
   |
 1 | docker_versionn=1
   | ^
 Hint: did you mean `docker_version`? a variable of your own needs a name less like it"
    );
}

#[test]
fn defaults_are_known_and_of_their_kind() {
    let inventory = inventory("all: {hosts: {a: {ansible_host: 10.0.0.1}}}\n");
    for known in variables::all().filter(|known| known.default.is_some()) {
        assert_ne!(value(&inventory, "a", known.name), "none", "{}", known.name);
    }
    assert_eq!(value(&inventory, "a", "data_path_port"), "4789");
    assert_eq!(value(&inventory, "a", "postgres_wal_log_hints"), "true");
    assert_eq!(value(&inventory, "a", "postgres_archive_mode"), r#""off""#);
    assert_eq!(value(&inventory, "a", "docker_version"), "none");
}

#[test]
fn variables_that_a_playbook_uses_are_intended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("i.yml");
    fs::write(&path, "all: {hosts: {a: {docker_versions: 1, rack: 2}}}\n").unwrap();
    assert!(Inventory::load(&path, &[]).is_err());
    let used = BTreeSet::from(["docker_versions".to_owned(), "rack".to_owned()]);
    let inventory = Inventory::load_for(&path, &[], &used).unwrap();
    assert!(inventory.advice.is_empty());
}

#[test]
fn roles_are_everybodys_or_as_written() {
    let all = inventory("all: {hosts: {a: , b: , c: }}\n");
    for role in ["managers", "gluster", "database", "kompira"] {
        assert_eq!(all.group(role).len(), 3, "{role}");
    }
    assert!(all.group("workers").is_empty());
    let some =
        inventory("all: {hosts: {a: , b: }}\nmanagers: {hosts: {a: }}\nworkers: {hosts: {b: }}\n");
    assert_eq!(some.group("managers").len(), 1);
    assert!(some.group("database").is_empty());
}

#[test]
fn a_thousand_hosts_load_quickly() {
    let mut text = String::from("all:\n  hosts:\n");
    for n in 0..1000 {
        write!(
            text,
            "    n{n}: {{ansible_host: '10.0.{{{{ {n} // 250 }}}}.{}'",
            n % 250 + 1
        )
        .unwrap();
        for v in 0..10 {
            write!(text, ", some_foreign_variable_{v}: {n}").unwrap();
        }
        text.push_str("}\n");
    }
    let start = Instant::now();
    let inventory = inventory(&text);
    let elapsed = start.elapsed();
    println!("{elapsed:?}");
    assert_eq!(inventory.hosts().len(), 1000);
    assert_eq!(inventory.hosts()[999].address, "10.0.3.250");
    assert!(
        elapsed < Duration::from_secs(30),
        "{elapsed:?}, unoptimised"
    );
}
