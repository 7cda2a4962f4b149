//! PostgreSQL on real hosts: founded once, converged, repaired, refused, and guarded at boot.

use super::inventory::Inventory;
use super::lab::{Lab, name_of};
use super::plan::steps;
use super::provision::Ended;
use super::watch::Watch;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Passwords that shells, SQL, YAML, URLs and `.pgpass` each would stumble over.
const SUPERUSER: &str = "p'o\"s$t\\g:r;e`s #%@/?&=+é";
const REPLICATION: &str = "re pl:\\x'$HOME";
const APPLICATION: &str = "k$(touch /tmp/owned)'; DROP ROLE x; --: \\";

/// Parts of the passwords that occur nowhere else.
const TELLTALES: &[&str] = &["p'o\"s$t", "re pl:", "DROP ROLE x"];

fn inventory(lab: &Lab) -> PathBuf {
    Inventory::of(lab)
        .only_database()
        .var("pg_pass", SUPERUSER)
        .var("pg_repl_pass", REPLICATION)
        .var("pg_kompira_pass", APPLICATION)
        .write(lab, "database.yml")
}

/// PostgreSQL alone: what Pgpool-II makes of it is the matter of `trials` and `all_trials_of_the_address`.
const LAYERS: &str = "\
- import_playbook: hosts.yml
- import_playbook: postgresql-packages.yml
- import_playbook: postgresql.yml
";

fn run(lab: &Lab, words: &[&str]) -> Ended {
    run_with(lab, &inventory(lab), words)
}

fn run_with(lab: &Lab, inventory: &Path, words: &[&str]) -> Ended {
    let playbook = lab.files.path().join("postgresql-alone.yml");
    std::fs::write(&playbook, LAYERS).unwrap();
    let playbook = ["--playbook", playbook.to_str().unwrap()];
    lab.provision_with(inventory, &[&playbook, words].concat())
}

fn converged(lab: &Lab) {
    let again = run(lab, &["--output", "json"]).expect(0);
    assert_eq!(again.summary()["changes"], 0, "{}", again.out);
}

/// What psql says on a host, as its account `postgres`.
fn sql(lab: &Lab, host: usize, sql: &str) -> String {
    let text = sql.replace('\'', "'\\''");
    lab.sh(
        host,
        &format!("cd /; runuser -u postgres -- psql -XAtqc '{text}'"),
    )
}

/// Blank hosts to a primary: exactly what was planned, no secret anywhere, and the second run is empty.
pub fn founded(lab: &Lab) {
    let planned = run(lab, &["--dry-run", "--output", "json"]).expect(0);
    let planned = steps(&planned.plan());
    let log = lab.files.path().join("database.log");
    let watch = Watch::start(TELLTALES);
    let words = ["--paranoid", "--output", "json", "--log-file"];
    let first = run(lab, &[&words[..], &[log.to_str().unwrap()]].concat());
    let seen = watch.stop();
    let first = first.expect(0);
    assert_eq!(first.done(), planned);
    assert!(seen.is_empty(), "{seen:#?}");
    let log = std::fs::read_to_string(log).unwrap();
    for telltale in TELLTALES {
        for text in [&*first.out, &*first.err, &*log] {
            assert!(!text.contains(telltale), "{telltale} in {text}");
        }
    }
    converged(lab);
    let roles = sql(
        lab,
        1,
        "select rolname, rolsuper, rolcreatedb, rolreplication from pg_roles where oid >= 16384 or oid = 10 order by 1",
    );
    assert_eq!(
        roles,
        "kompira|f|t|f\npgpool|f|f|f\npostgres|t|t|t\nrepl|f|f|t\n"
    );
    // Each password opens the door from another host, and from .pgpass as well.
    let password = APPLICATION.replace('\'', "'\\''");
    let who = lab.sh(
        2,
        &format!("PGPASSWORD='{password}' psql -wXAt -h ke2-server1 -U kompira kompira -c 'select current_user'"),
    );
    assert_eq!(who, "kompira\n");
    let as_postgres = "cd /; runuser -u postgres -- psql -wXAt -h ke2-server1";
    for role in ["postgres", "pgpool"] {
        let who = lab.sh(
            3,
            &format!("{as_postgres} -U {role} postgres -c 'select current_user'"),
        );
        assert_eq!(who.trim(), role);
    }
    let replication =
        "\"host=ke2-server1 user=repl replication=true dbname=replication\" -c IDENTIFY_SYSTEM";
    lab.sh(
        3,
        &format!("cd /; runuser -u postgres -- psql -wXAt {replication}"),
    );
    let wrong = lab.try_sh(
        2,
        "PGPASSWORD=kompira psql -wXAt -h ke2-server1 -U kompira kompira -c ''",
    );
    assert!(!wrong.status.success());
    lab.sh(
        1,
        "test ! -e /tmp/owned && test ! -e /run/provision/postgres.start",
    );
}

/// Changes by hand, each told by a dry run, repaired by one run, and gone in the next.
pub fn damaged(lab: &Lab) {
    let data = "/var/lib/pgsql/16/data";
    let table = [
        (
            format!("sed -i 's/^wal_log_hints.*/wal_log_hints = off/' {data}/postgresql.conf"),
            "postgres/settings/ke2-server1",
        ),
        (
            format!("sed -i '/^host kompira/d' {data}/pg_hba.conf"),
            "postgres/access/ke2-server1",
        ),
        (
            psql("alter role kompira password $$other$$ nocreatedb"),
            "postgres/role/kompira",
        ),
        (
            psql("alter database kompira owner to postgres"),
            "postgres/database/kompira",
        ),
        (
            format!("{} template1", psql("drop extension pgpool_recovery")),
            "postgres/extension/template1/pgpool_recovery",
        ),
        (
            "systemctl stop postgresql-16".to_owned(),
            "postgres/start/ke2-server1",
        ),
    ];
    for (damage, id) in table {
        lab.sh(1, &damage);
        let plan = run(lab, &["--dry-run", "--output", "json"]).expect(0);
        assert!(
            steps(&plan.plan())
                .iter()
                .any(|step| format!("{step:?}").contains(id)),
            "{damage}: {}",
            plan.out
        );
        run(lab, &["--paranoid"]).expect(0);
        converged(lab);
    }
    // Only a restart would bring it, and that of a primary is not done by the way.
    let more = Inventory::of(lab)
        .only_database()
        .var("pg_pass", SUPERUSER)
        .var("pg_repl_pass", REPLICATION)
        .var("pg_kompira_pass", APPLICATION)
        .var("postgres_max_connections", "300")
        .write(lab, "more.yml");
    run_with(lab, &more, &[]).expect(3).says(&[
        "P25",
        "max_connections",
        "--allow switchover=ke2-server1",
    ]);
    assert_eq!(sql(lab, 1, "show max_connections"), "256\n");
    // The peers have no server that could vouch for it: the person who restarts it says that it is right.
    lab.sh(
        1,
        "mkdir -p /run/provision; touch /run/provision/postgres.start; systemctl restart postgresql-16",
    );
    run_with(lab, &more, &[]).expect(0);
    assert_eq!(sql(lab, 1, "show max_connections"), "300\n");
    run(lab, &[]).expect(3);
    lab.sh(1, "systemctl stop postgresql-16");
    run(lab, &[]).expect(0);
    converged(lab);
    // With a host that does not answer nobody is started in its place, and no data made anew.
    lab.sh(1, "systemctl stop postgresql-16");
    lab.run("kill", &["ke2-server3"]);
    run(lab, &[]).says(&["P10"]);
    lab.run("start", &["ke2-server3"]);
    run(lab, &[]).expect(0);
}

fn psql(sql: &str) -> String {
    format!("cd /; runuser -u postgres -- psql -XAtqc '{sql}'")
}

/// Two standbys by hand; then the primary dies, one of them is promoted, and the former primary comes back.
pub fn failed_over(lab: &Lab) {
    for host in [2, 3] {
        let name = name_of(host);
        let slot = name.replace('-', "_");
        let data = "/var/lib/pgsql/16/data";
        lab.sh(
            host,
            &format!(
                "set -e; cd /\n\
                 runuser -u postgres -- psql -wXAtq -h ke2-server1 -d postgres -c \"select pg_create_physical_replication_slot('{slot}')\"\n\
                 runuser -u postgres -- pg_basebackup -w -h ke2-server1 -U repl -D {data} -X stream -S {slot}\n\
                 cat >>{data}/postgresql.conf <<'E'\n\
                 primary_conninfo = 'host=ke2-server1 user=repl application_name={name} passfile=''/var/lib/pgsql/.pgpass'''\n\
                 primary_slot_name = '{slot}'\n\
                 E\n\
                 touch {data}/standby.signal; systemctl start postgresql-16"
            ),
        );
    }
    run(lab, &[]).expect(0);
    converged(lab);
    status(lab).says(&["can lose 2 more hosts", "standby, streams"]);
    // A boot of each: the primary finds its peers, and starts.
    lab.run("reboot", &["ke2-server1"]);
    assert_eq!(settled(lab, 1), "active");
    assert_eq!(sql(lab, 1, "select pg_is_in_recovery()"), "f\n");
    lab.sh(3, "systemctl stop postgresql-16");
    run(lab, &[]).expect(0);
    assert_eq!(sql(lab, 3, "select pg_is_in_recovery()"), "t\n");
    lab.run("kill", &["ke2-server1"]);
    lab.sh(2, "cd /; runuser -u postgres -- /usr/pgsql-16/bin/pg_ctl promote -w -D /var/lib/pgsql/16/data");
    lab.run("start", &["ke2-server1"]);
    assert_eq!(settled(lab, 1), "inactive");
    let said = lab.sh(1, "journalctl -b -u postgresql-16 -o cat --no-pager");
    assert!(said.contains("stays down: ke2-server2 is"), "{said}");
    run(lab, &["--dry-run"]).says(&["P4", "timeline 1"]);
}

/// The state of the unit, once it is one.
fn settled(lab: &Lab, host: usize) -> String {
    let began = Instant::now();
    loop {
        let state = lab.try_sh(host, "systemctl is-active postgresql-16; systemctl show -p ConditionResult --value postgresql-16; systemctl list-jobs --no-legend postgresql-16.service");
        let text = String::from_utf8_lossy(&state.stdout).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        if let [state, _] = lines[..]
            && (state == "active" || state == "inactive")
            && began.elapsed() > Duration::from_secs(5)
        {
            return state.to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{text}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn status(lab: &Lab) -> Ended {
    let mut command = super::provision::command(lab);
    command.arg("status").arg(inventory(lab));
    super::provision::run(&mut command, b"")
}
