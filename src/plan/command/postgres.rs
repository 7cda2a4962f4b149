//! Acts on a PostgreSQL server. SQL goes to psql on standard input, and a password only as its verifier.

use super::{CHANGED, Phase};
use crate::plan::{PostgresAct, RoleSpec};
use crate::probe::postgres::{BLOCK_BEGIN, BLOCK_END, START_NOTE, Verifier};
use crate::probe::shell::quote;

/// As the account `postgres`, without the caller's environment or folder.
const AS_POSTGRES: &str =
    "cd / && timeout -k 5 120 runuser -u postgres -- env -i PATH=/usr/bin:/bin LC_ALL=C";

/// One line for a reviewer.
pub(super) fn show(act: &PostgresAct) -> String {
    match act {
        PostgresAct::Initdb { bin, data } => format!("{bin}/initdb -D {} {INITDB}", quote(data)),
        PostgresAct::Block { path, .. } => format!("put our block into {}", quote(path)),
        PostgresAct::Start { unit } => format!("systemctl start {}", quote(unit)),
        PostgresAct::SetAside { data, .. } => format!("mv {0} {0}.aside-TIME", quote(data)),
        PostgresAct::Reload { data, .. } => format!("pg_ctl reload -D {}", quote(data)),
        PostgresAct::Role { role, .. } => {
            let mut words = words(role);
            words.push("PASSWORD '…'".to_owned());
            words.extend(role.member_of.iter().map(|up| format!("IN ROLE {up}")));
            format!("CREATE or ALTER ROLE {} {}", role.name, words.join(" "))
        }
        PostgresAct::Database { name, owner, .. } => {
            format!("CREATE or ALTER DATABASE {name} OWNER {owner}")
        }
        PostgresAct::Extension { database, name, .. } => {
            format!("CREATE EXTENSION {name} (in {database})")
        }
    }
}

/// The lines that a plan shows of a block.
pub(super) fn block(lines: &str) -> String {
    format!(
        "{BLOCK_BEGIN}\n{}\n{BLOCK_END}\n",
        lines.trim_end_matches('\n')
    )
}

/// The source's script asks for no encoding, and takes that of the host's locale (EXPERIMENTS, part B).
const INITDB: &str = "--username=postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth-local=peer --auth-host=scram-sha-256";

pub(super) fn phase(act: &PostgresAct) -> Phase {
    match act {
        PostgresAct::Initdb { bin, data } => Phase::run(initdb(bin, data), 600),
        PostgresAct::Block { path, lines } => Phase::feed(
            format!(
                "f={}\n[ -f \"$f\" ] || {{ echo \"there is no $f\" >&2; exit {CHANGED}; }}\n\
                 ! grep -qxF {} -- \"$f\" || {{ echo \"$f changed since it was planned: it has our block\" >&2; exit {CHANGED}; }}\n\
                 t=\"$f.provision\" && cp -p -- \"$f\" \"$t\" && cat >>\"$t\" && sync -- \"$t\" && mv -fT -- \"$t\" \"$f\"",
                quote(path),
                quote(BLOCK_BEGIN),
            ),
            block(lines).into_bytes(),
            60,
        ),
        PostgresAct::Start { unit } => Phase::run(
            format!(
                "mkdir -p {} && touch {START_NOTE} || exit\n{}",
                START_NOTE
                    .rsplit_once('/')
                    .map_or("/", |(folder, _)| folder),
                super::system::start_script(unit)
            ),
            330,
        ),
        PostgresAct::SetAside {
            bin,
            data,
            timeline,
        } => Phase::run(set_aside(bin, data, *timeline), 60),
        PostgresAct::Reload { bin, data } => Phase::run(
            format!("{AS_POSTGRES} {bin}/pg_ctl reload -s -D {}", quote(data)),
            60,
        ),
        PostgresAct::Role { bin, role } => match sql_of_role(role) {
            Some(sql) => psql(bin, "postgres", &sql),
            None => Phase::run(
                "echo 'the system gave no random numbers for a salt' >&2; exit 1",
                10,
            ),
        },
        PostgresAct::Database { bin, name, owner } => {
            let (id, text, owner) = (identifier(name), literal(name), identifier(owner));
            // CREATE DATABASE cannot stand in a function, so psql runs the text that the query gives.
            let sql = format!(
                "SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8''', {text}, {}) \
                 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {text}) \\gexec\n\
                 ALTER DATABASE {id} OWNER TO {owner};\n",
                literal_of_identifier(&owner)
            );
            psql(bin, "postgres", &sql)
        }
        PostgresAct::Extension {
            bin,
            database,
            name,
        } => psql(
            bin,
            database,
            &format!("CREATE EXTENSION IF NOT EXISTS {};\n", identifier(name)),
        ),
    }
}

/// Only what was given up: that timeline, and nothing that runs or follows.
fn set_aside(bin: &str, data: &str, timeline: u32) -> String {
    format!(
        "d={} b={}\ncd /\n\
         die() {{ printf '%s\\n' \"$1\" >&2; exit {CHANGED}; }}\n\
         ! runuser -u postgres -- \"$b/pg_ctl\" -D \"$d\" status >/dev/null 2>&1 || die \"PostgreSQL runs on $d by now\"\n\
         [ ! -e \"$d/standby.signal\" ] || die \"$d is a standby's by now\"\n\
         t=$(LC_ALL=C \"$b/pg_controldata\" -D \"$d\" | sed -n \"s/^Latest checkpoint's TimeLineID: *//p\")\n\
         [ \"$t\" = {timeline} ] || die \"$d is on timeline $t, not {timeline}\"\n\
         ! mountpoint -q -- \"$d\" || {{ echo \"$d is a mount point and cannot be moved: use a directory below it\" >&2; exit 1; }}\n\
         a=$d.aside-$(date -u +%Y%m%dT%H%M%SZ)\n\
         mv -T -- \"$d\" \"$a\" && sync -f -- \"$a\"",
        quote(data),
        quote(bin),
    )
}

/// Made beside its place and moved there whole: a run that dies leaves no half directory that looks like data.
fn initdb(bin: &str, data: &str) -> String {
    format!(
        "d={} b={}\n\
         die() {{ printf '%s\\n' \"$1\" >&2; exit {CHANGED}; }}\n\
         d=$(readlink -m -- \"$d\") || exit\n\
         [ ! -e \"$d\" ] || [ -d \"$d\" ] || die \"$d is no directory\"\n\
         [ -z \"$(ls -A -- \"$d\" 2>/dev/null)\" ] || die \"$d changed since it was planned: it is not empty\"\n\
         p=${{d%/*}}\n\
         [ -d \"$p\" ] || install -d -m 700 -o postgres -g postgres -- \"$p\" || exit\n\
         if mountpoint -q -- \"$d\"; then t=$d; chown postgres:postgres -- \"$d\" && chmod 700 -- \"$d\" || exit\n\
         else t=$p/.${{d##*/}}.provision; rm -rf --one-file-system -- \"$t\"; fi\n\
         cd / && runuser -u postgres -- env -i PATH=/usr/bin:/bin LC_ALL=C \"$b/initdb\" -D \"$t\" {INITDB} >/dev/null || exit\n\
         [ \"$t\" = \"$d\" ] || {{ sync -f -- \"$t\"; mv -T -- \"$t\" \"$d\" && sync -- \"$p\"; }}\n\
         [ ! -e /sys/fs/selinux/enforce ] || restorecon -R -- \"$d\"",
        quote(data),
        quote(bin),
    )
}

/// Through the local socket, where the account's name is proof enough; `-X`: nobody's `.psqlrc`.
fn psql(bin: &str, database: &str, sql: &str) -> Phase {
    let mut stdin = String::from(
        "\\set ON_ERROR_STOP on\nSET log_statement = 'none';\nSET log_min_error_statement = 'panic';\n\
         SET search_path = pg_catalog;\nSET standard_conforming_strings = on;\nSET synchronous_commit = 'local';\n",
    );
    stdin.push_str(sql);
    Phase::feed(
        format!(
            "s=$(sed -n 5p {data}/postmaster.pid 2>/dev/null); q=$(sed -n 4p {data}/postmaster.pid 2>/dev/null)\n\
             {AS_POSTGRES} PGCONNECT_TIMEOUT=10 PGCLIENTENCODING=UTF8 {bin}/psql -XAtq -h \"${{s:-/run/postgresql}}\" -p \"${{q:-5432}}\" -U postgres -d {}",
            quote(&format!("dbname={database}")),
            data = quote(&data_of(bin)),
        ),
        stdin.into_bytes(),
        150,
    )
}

/// The packages' data directory that goes with the packages' programs: `/usr/pgsql-16/bin`.
fn data_of(bin: &str) -> String {
    let major = bin.trim_end_matches("/bin").rsplit_once('-');
    format!(
        "/var/lib/pgsql/{}/data",
        major.map_or("", |(_, major)| major)
    )
}

fn words(role: &RoleSpec) -> Vec<String> {
    let flags = [
        ("LOGIN", true),
        ("SUPERUSER", role.superuser),
        ("CREATEDB", role.createdb),
        ("REPLICATION", role.replication),
    ];
    let asked = flags.into_iter().filter(|(_, wanted)| *wanted);
    asked.map(|(word, _)| word.to_owned()).collect()
}

fn sql_of_role(role: &RoleSpec) -> Option<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).ok()?;
    let verifier = Verifier::of(role.password.expose(), &salt)?;
    let (id, text) = (identifier(&role.name), literal(&role.name));
    let mut sql = format!(
        "BEGIN;\nSELECT format('CREATE ROLE %I', {text}) WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text}) \\gexec\n\
         ALTER ROLE {id} {} PASSWORD {};\n",
        words(role).join(" "),
        literal(verifier.expose())
    );
    for up in &role.member_of {
        sql.push_str(&format!("GRANT {} TO {id};\n", identifier(up)));
    }
    sql.push_str("COMMIT;\n");
    Some(sql)
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn literal_of_identifier(quoted: &str) -> String {
    literal(&quoted.trim_matches('"').replace("\"\"", "\""))
}
