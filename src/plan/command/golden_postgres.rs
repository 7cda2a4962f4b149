//! The exact text of the acts on PostgreSQL, and that a password is in none of them.

use super::Phase;
use super::golden::text;
use crate::plan::{Act, Password, PostgresAct, RoleSpec};

const BIN: &str = "/usr/pgsql-16/bin";

fn stdin(act: &Act) -> String {
    match &act.phases(None)[..] {
        [
            Phase::Run {
                stdin: Some(stdin), ..
            },
        ] => String::from_utf8(stdin.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_data_directory_is_made_beside_its_place() {
    let act = Act::Postgres(PostgresAct::Initdb {
        bin: BIN.into(),
        data: "/var/lib/pgsql/16/data".into(),
    });
    let options = "--username=postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth-local=peer --auth-host=scram-sha-256";
    assert_eq!(
        act.show(),
        format!("/usr/pgsql-16/bin/initdb -D /var/lib/pgsql/16/data {options}")
    );
    let script = text(&act, None);
    let order = [
        "[ -z \"$(ls -A -- \"$d\" 2>/dev/null)\" ] || die \"$d changed since it was planned: it is not empty\"",
        "rm -rf --one-file-system -- \"$t\"",
        &format!("\"$b/initdb\" -D \"$t\" {options} >/dev/null || exit"),
        "mv -T -- \"$t\" \"$d\"",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|part| {
            script
                .find(part)
                .unwrap_or_else(|| panic!("{part} in {script}"))
        })
        .collect();
    assert!(places.is_sorted(), "{script}");
    // What is removed is never the data directory itself.
    assert!(
        script.contains("t=$p/.${d##*/}.provision; rm -rf"),
        "{script}"
    );
}

#[test]
fn a_role_gets_a_verifier_and_no_password() {
    let password = "p'o\"s$t\\g:r;e`s";
    let act = Act::Postgres(PostgresAct::Role {
        bin: BIN.into(),
        role: RoleSpec {
            name: "ke-2".into(),
            superuser: false,
            createdb: true,
            replication: false,
            member_of: vec!["pg_monitor".into()],
            password: Password::new(password),
        },
    });
    assert_eq!(
        act.show(),
        "CREATE or ALTER ROLE ke-2 LOGIN CREATEDB PASSWORD '…' IN ROLE pg_monitor"
    );
    let sql = stdin(&act);
    let shown = format!("{act:?}{}", serde_json::to_string(&act).unwrap());
    for told in [&sql, &shown, &text(&act, None)] {
        assert!(!told.contains("p'o") && !told.contains("p''o"), "{told}");
    }
    assert!(sql.contains("SET log_statement = 'none';\n"), "{sql}");
    assert!(
        sql.contains("ALTER ROLE \"ke-2\" LOGIN CREATEDB PASSWORD 'SCRAM-SHA-256$4096:"),
        "{sql}"
    );
    assert!(
        sql.contains("GRANT \"pg_monitor\" TO \"ke-2\";\nCOMMIT;\n"),
        "{sql}"
    );
    assert_ne!(stdin(&act), sql, "each time another salt");
}

#[test]
fn a_database_is_made_by_a_text_that_the_server_quotes() {
    let act = Act::Postgres(PostgresAct::Database {
        bin: BIN.into(),
        name: "it's".into(),
        owner: "o\"x".into(),
    });
    assert!(
        stdin(&act).contains(
            "SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8''', 'it''s', 'o\"x') \
             WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'it''s') \\gexec\n\
             ALTER DATABASE \"it's\" OWNER TO \"o\"\"x\";\n"
        ),
        "{}",
        stdin(&act)
    );
}

#[test]
fn a_start_leaves_a_note_for_the_guard() {
    let act = Act::Postgres(PostgresAct::Start {
        unit: "postgresql-16.service".into(),
    });
    let script = text(&act, None);
    let note =
        script.find("mkdir -p /run/provision && touch /run/provision/postgres.start || exit\n");
    let start = script.find("systemctl start -- \"$u\"");
    assert!(note.is_some() && note < start, "{script}");
}
