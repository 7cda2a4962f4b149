//! The script that asks: the disk first, then the server through its socket.

use super::About;
use crate::probe::shell::quote;

/// Settings that decisions rest on.
const SETTINGS: &[&str] = &[
    "archive_command",
    "archive_mode",
    "data_directory",
    "hot_standby",
    "listen_addresses",
    "max_connections",
    "max_replication_slots",
    "max_slot_wal_keep_size",
    "max_wal_senders",
    "password_encryption",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "superuser_reserved_connections",
    "synchronous_commit",
    "synchronous_standby_names",
    "wal_level",
    "wal_log_hints",
];

/// One JSON object for each database that is asked. The functions of a primary fail on a standby and the
/// other way round, so each stands in a CASE.
const SERVER: &str = "\
SELECT json_build_object(
 'version', current_setting('server_version'),
 'port', current_setting('port')::int,
 'in_recovery', pg_is_in_recovery(),
 'identifier', (SELECT system_identifier::text FROM pg_control_system()),
 'wal_file', CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END,
 'checkpoint_timeline', (SELECT timeline_id FROM pg_control_checkpoint()),
 'current', CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END,
 'received', pg_last_wal_receive_lsn(),
 'replayed', pg_last_wal_replay_lsn(),
 'loaded_s', extract(epoch FROM pg_conf_load_time()),
 'receiver', (SELECT json_build_object('status', status, 'sender_host', coalesce(sender_host, ''),
   'sender_port', coalesce(sender_port, 0), 'slot', coalesce(slot_name, ''), 'timeline', coalesce(received_tli, 0))
   FROM pg_stat_wal_receiver),
 'senders', (SELECT coalesce(json_agg(json_build_object('name', application_name,
   'address', coalesce(host(client_addr), ''), 'state', state, 'sync_state', sync_state,
   'lag_bytes', CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint END)
   ORDER BY application_name, pid), '[]') FROM pg_stat_replication),
 'slots', (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'kind', slot_type, 'active', active,
   'wal_status', coalesce(wal_status, ''),
   'retained_bytes', CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint END)
   ORDER BY slot_name), '[]') FROM pg_replication_slots),
 'settings', (SELECT json_object_agg(name, json_build_object(
   'value', regexp_replace(setting, '(password\\s*=\\s*)(''([^''\\\\]|\\\\.)*''|\\S+)', '\\1…', 'g'),
   'pending_restart', pending_restart) ORDER BY name)
   FROM pg_settings WHERE pending_restart OR name IN (SETTINGS)),
 'file_errors', (SELECT coalesce(json_agg(line ORDER BY line), '[]') FROM (
   SELECT format('%s:%s: %s', sourcefile, sourceline, error) FROM pg_file_settings
    WHERE error IS NOT NULL AND error NOT LIKE 'setting could not be applied'
   UNION ALL SELECT format('pg_hba.conf:%s: %s', line_number, error) FROM pg_hba_file_rules
    WHERE error IS NOT NULL) AS wrong(line)),
 'roles', (SELECT json_agg(json_build_object('name', rolname, 'superuser', rolsuper, 'createdb', rolcreatedb,
   'createrole', rolcreaterole, 'replication', rolreplication, 'login', rolcanlogin,
   'member_of', (SELECT coalesce(json_agg(DISTINCT up.rolname ORDER BY up.rolname), '[]')
     FROM pg_auth_members JOIN pg_roles AS up ON up.oid = roleid WHERE member = a.oid),
   'verifier', rolpassword) ORDER BY rolname) FROM pg_authid AS a WHERE oid >= 16384 OR oid = 10),
 'databases', (SELECT json_agg(json_build_object('name', datname, 'owner', pg_get_userbyid(datdba),
   'encoding', pg_encoding_to_char(encoding), 'collate', datcollate) ORDER BY datname) FROM pg_database));
";

/// The same for every database that is asked.
const DATABASE: &str = "\
SELECT json_build_object('database', current_database(),
 'extensions', (SELECT json_object_agg(extname, extversion ORDER BY extname) FROM pg_extension),
 'has_tables', EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
   AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')));
";

/// The script. Its output is read by [`super::parse()`]: lines `key value`, then a block each of
/// pg_controldata, of the newest history file and of the server's JSON.
pub fn script(about: &About) -> String {
    let settings = SETTINGS.map_quoted();
    let server = SERVER.replace("SETTINGS", &settings);
    let About {
        bin,
        data,
        database,
    } = about;
    format!(
        r#"export LC_ALL=C
b={bin} d={data}
cd /
[ -x "$b/postgres" ] && echo 'installed yes'
if [ ! -e "$d" ] && [ ! -L "$d" ]; then echo 'data absent'
elif [ ! -d "$d" ]; then echo 'data foreign'; echo "entry ${{d##*/}} is no directory"
elif [ -s "$d/PG_VERSION" ] && [ -f "$d/global/pg_control" ]; then echo 'data present'
elif [ -z "$(ls -A -- "$d")" ]; then echo 'data empty'
else echo 'data foreign'; ls -A -- "$d" | head -n 8 | sed 's/^/entry /'; fi
mountpoint -q -- "$d" && echo 'mount yes'
[ -f "$d/PG_VERSION" ] && echo "version $(head -n 1 -- "$d/PG_VERSION")"
[ -f "$d/global/pg_control" ] && echo "identifier $(od -An -tu8 -N8 -- "$d/global/pg_control" | tr -d ' ')"
[ -e "$d/standby.signal" ] && echo 'standby yes'
[ -e "$d/recovery.signal" ] && echo 'recovery yes'
for o in /var/lib/pgsql/data /var/lib/pgsql/*/data; do
  [ "$o" = "$d" ] || [ ! -f "$o/PG_VERSION" ] || echo "other $o"
done
for f in "$d/postgresql.conf" "$d/pg_hba.conf"; do
  [ -f "$f" ] && echo "changed $(stat -c %.9Y -- "$f")"
done
h=$(ls -- "$d/pg_wal" 2>/dev/null | grep '^[0-9A-F]*\.history$' | tail -n 1)
[ -n "$h" ] && awk '/^[0-9]/ {{ print "fork", $1, $2 }}' "$d/pg_wal/$h"
[ -x "$b/pg_controldata" ] && [ -f "$d/global/pg_control" ] && "$b/pg_controldata" -- "$d" 2>/dev/null | sed 's/^/control /'
# The number of a process that has ended may be another's by now; a postmaster works in its data directory.
p= q= s=
[ -f "$d/postmaster.pid" ] && {{ read -r p; read -r _; read -r _; read -r q; read -r s; }} <"$d/postmaster.pid"
[ -n "$p" ] && [ "$(readlink -f "/proc/$p/cwd")" = "$(readlink -f "$d")" ] || exit 0
echo 'running yes'
cat <<'SQL' | timeout -k 2 25 runuser -u postgres -- env -i PATH=/usr/bin:/bin LC_ALL=C PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT=5 \
  PGOPTIONS='-c statement_timeout=10s -c lock_timeout=5s -c standard_conforming_strings=on -c search_path=pg_catalog' \
  "$b/psql" -XAtq -v ON_ERROR_STOP=1 -v app={app} -h "${{s:-/run/postgresql}}" -p "${{q:-5432}}" -U postgres -d postgres | sed 's/^/json /'
{server}{DATABASE}\connect template1
{DATABASE}SELECT EXISTS (SELECT FROM pg_database WHERE datname = :'app' AND datallowconn AND datname NOT IN ('postgres', 'template1')) AS app_is_there \gset
\if :app_is_there
\connect :"app"
{DATABASE}\endif
SQL
exit 0"#,
        bin = quote(bin),
        data = quote(data),
        app = quote(database),
    )
}

trait Quoted {
    fn map_quoted(&self) -> String;
}

impl Quoted for [&str] {
    /// As a list of SQL literals; the names are ours and hold no quotes.
    fn map_quoted(&self) -> String {
        let quoted: Vec<String> = self.iter().map(|name| format!("'{name}'")).collect();
        quoted.join(", ")
    }
}
