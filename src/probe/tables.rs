//! Whether a database has been filled already: asked of the local server as its superuser, without a password.

use super::Seen;
use super::shell::quote;

/// The names of databases and commands go over standard input and as arguments; none is a secret. Where the server's
/// socket is, `postmaster.pid` tells (its fourth and fifth line: port, and folder of the first socket). A host without
/// data has no table; data without a server that answers is not known.
pub(super) fn script(database: &str) -> String {
    format!(
        "id -u postgres >/dev/null 2>&1 && command -v psql >/dev/null || {{ echo none; exit 0; }}\n\
         p=$(ls -t /var/lib/pgsql/*/data/postmaster.pid 2>/dev/null | head -n 1)\n\
         if [ -z \"$p\" ]; then\n\
           ls /var/lib/pgsql/*/data/PG_VERSION >/dev/null 2>&1 || {{ echo none; exit 0; }}\n\
           echo 'there is a data directory, and no server runs on it' >&2; exit 3\n\
         fi\n\
         q=$(sed -n 4p \"$p\"); s=$(sed -n 5p \"$p\")\n\
         cd / && d={} && printf '%s\\n' \"select count(*) from pg_tables where schemaname = 'public'\" |\n\
         LC_ALL=C runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -h \"${{s:-/run/postgresql}}\" -p \"${{q:-5432}}\" -d \"$d\"",
        quote(database)
    )
}

pub(super) fn parse(status: i32, stdout: &str, stderr: &str) -> Seen<Option<u64>> {
    match (status, stdout.trim()) {
        (0, "none") => Seen::Is(None),
        (0, count) if count.parse::<u64>().is_ok() => Seen::Is(count.parse().ok()),
        _ if stderr.contains("does not exist") => Seen::Is(None),
        _ => Seen::Unknown(format!("psql exited {status}: {}", stderr.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_server_is_no_table_and_a_broken_one_is_unknown() {
        assert_eq!(parse(0, "none\n", ""), Seen::Is(None));
        assert_eq!(parse(0, "37\n", ""), Seen::Is(Some(37)));
        let missing = "psql: error: FATAL:  database \"kompira\" does not exist";
        assert_eq!(parse(2, "", missing), Seen::Is(None));
        assert!(parse(2, "", "FATAL: starting up").unknown().is_some());
    }
}
