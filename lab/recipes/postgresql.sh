# postgresql.sh : PostgreSQL 16 as the PostgreSQL Global Development Group packages it for EL9,
# below /usr/pgsql-16. Its share and lib directories have one more level (`postgresql`) than
# upstream's; `pg_config` tells.
# shellcheck shell=bash disable=SC2154 # see rpm.sh

pg=usr/pgsql-16
minor=$("$databases/tools/bin/pg_config" --version | sed 's/.* //')
t_libs=$(tree postgresql16-libs)
t_client=$(tree postgresql16)
t_server=$(tree postgresql16-server)
t_contrib=$(tree postgresql16-contrib)
for t in "$t_libs" "$t_client" "$t_server" "$t_contrib"; do
    mkdir -p "$t/$pg"/{bin,lib/postgresql,share/postgresql/extension}
done

# --- libraries
cp -a "$databases"/server/lib/*.so* "$t_libs/$pg/lib/"
for library in readline tinfo ecpg pgtypes; do
    for so in "$databases/libs/lib$library"-*; do
        copy=$t_libs/$pg/lib/${so##*/}
        install -m 755 "$so" "$copy"
        # shellcheck disable=SC2016 # for the dynamic linker
        patchelf --set-rpath '$ORIGIN' "$copy"
    done
done
(
    cd "$t_libs/$pg/lib" || exit
    for so in lib*.so.*.*; do
        version=${so#*.so.}
        [[ -e ${so%%.so.*}.so ]] || ln -s "$so" "${so%%.so.*}.so"
        [[ -e ${so%%.so.*}.so.${version%%.*} ]] || ln -s "$so" "${so%%.so.*}.so.${version%%.*}"
    done
)

# --- programs: the server's from the build with OpenSSL; the others find its libpq
install -m 755 "$databases"/server/bin/{postgres,initdb,pg_ctl} "$t_server/$pg/bin/"
for program in "$databases"/tools/bin/*; do
    name=${program##*/}
    case $name in
    postgres | initdb | pg_ctl) continue ;;
    pg_controldata | pg_checksums | pg_resetwal | pg_rewind | pg_archivecleanup | pg_upgrade | \
        pg_waldump | pg_test_fsync | pg_test_timing) t=$t_server ;;
    *) t=$t_client ;;
    esac
    install -m 755 "$program" "$t/$pg/bin/$name"
    patch=()
    for needed in $(patchelf --print-needed "$program" 2>/dev/null); do
        [[ $needed != libpq-* ]] || patch+=(--replace-needed "$needed" libpq.so.5)
    done
    # shellcheck disable=SC2016 # for the dynamic linker
    patchelf --set-rpath '$ORIGIN/../lib' "${patch[@]}" "$t/$pg/bin/$name"
done
mkdir -p "$t_client/usr/bin"
for name in psql pg_dump pg_dumpall pg_restore pg_basebackup createdb createuser dropdb dropuser \
    vacuumdb reindexdb clusterdb; do
    ln -s "/$pg/bin/$name" "$t_client/usr/bin/$name"
done

# --- modules and shared files
for so in "$databases"/server/lib/postgresql/*.so; do
    case ${so##*/} in
    cyrillic_and_mic* | dict_snowball* | euc* | latin2_and* | libpqwalreceiver* | pgoutput* | plpgsql* | utf8_and*)
        t=$t_server ;;
    *) t=$t_contrib ;;
    esac
    install -m 755 "$so" "$t/$pg/lib/postgresql/"
done
for shared in "$databases"/server/share/postgresql/*; do
    [[ ${shared##*/} = extension ]] || cp -a "$shared" "$t_server/$pg/share/postgresql/"
done
for shared in "$databases"/server/share/postgresql/extension/*; do
    case ${shared##*/} in
    plpgsql*) t=$t_server ;;
    *) t=$t_contrib ;;
    esac
    cp -a "$shared" "$t/$pg/share/postgresql/extension/"
done
chmod -R u+w "$t_server"
sed -i -e "s|^#unix_socket_directories = .*|unix_socket_directories = '/run/postgresql, /tmp'|" \
    -e "s|^#logging_collector = .*|logging_collector = on|" \
    -e "s|^#log_directory = .*|log_directory = 'log'|" \
    -e "s|^#log_filename = .*|log_filename = 'postgresql-%a.log'|" \
    "$t_server/$pg/share/postgresql/postgresql.conf.sample"

# --- service. Type=forking, because this build of the server cannot notify systemd.
file "$t_server/usr/lib/systemd/system/postgresql-16.service" <<'X'
[Unit]
Description=PostgreSQL 16 database server
Documentation=https://www.postgresql.org/docs/16/static/
After=syslog.target network-online.target
[Service]
Type=forking
User=postgres
Group=postgres
Environment=PGDATA=/var/lib/pgsql/16/data/
OOMScoreAdjust=-1000
Environment=PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj
Environment=PG_OOM_ADJUST_VALUE=0
ExecStartPre=/usr/pgsql-16/bin/postgresql-16-check-db-dir ${PGDATA}
ExecStart=/usr/pgsql-16/bin/pg_ctl start -D ${PGDATA} -s -w -t 270
ExecStop=/usr/pgsql-16/bin/pg_ctl stop -D ${PGDATA} -s -m fast
ExecReload=/bin/kill -HUP $MAINPID
PIDFile=/var/lib/pgsql/16/data/postmaster.pid
TimeoutSec=300
[Install]
WantedBy=multi-user.target
X
file "$t_server/usr/lib/tmpfiles.d/postgresql-16.conf" <<<'d /run/postgresql 0755 postgres postgres -'
file "$t_server/$pg/bin/postgresql-16-check-db-dir" 755 <<'X'
#!/bin/sh
[ ! -f "$1/PG_VERSION" ] || exit 0
echo "\"$1\" is missing or empty." >&2
echo "Use \"/usr/pgsql-16/bin/postgresql-16-setup initdb\" to initialize the database cluster." >&2
exit 1
X
file "$t_server/$pg/bin/postgresql-16-setup" 755 <<'X'
#!/bin/bash
# postgresql-16-setup initdb [SERVICE] : the part of upstream's script that makes a data directory
[ "$1" = initdb ] || { echo "usage: $0 initdb [SERVICE]" >&2; exit 2; }
service=${2:-postgresql-16}
PGDATA=$(systemctl show -p Environment "$service.service" | sed 's/^Environment=//' | tr ' ' '\n' |
    sed -n 's/^PGDATA=//p' | tail -n 1)
PGDATA=${PGDATA:-/var/lib/pgsql/16/data}
echo -n "Initializing database ... "
if [ -f "$PGDATA/PG_VERSION" ]; then
    echo "Data directory is not empty!"
    echo
    exit 1
fi
install -d -m 700 -o postgres -g postgres "$PGDATA"
log=/var/lib/pgsql/16/initdb.log
: >>$log
chown postgres:postgres $log
chmod 700 $log
runuser -l postgres -c "/usr/pgsql-16/bin/initdb --pgdata='$PGDATA' --auth='ident' $PGSETUP_INITDB_OPTIONS" \
    >>$log 2>&1 </dev/null
install -d -m 700 -o postgres -g postgres "$PGDATA/log"
if [ ! -f "$PGDATA/PG_VERSION" ]; then
    echo "failed, see $log"
    exit 1
fi
echo OK
X
file "$t_server/var/lib/pgsql/.bash_profile" <<'X'
[ -f /etc/profile ] && source /etc/profile
PGDATA=/var/lib/pgsql/16/data
export PGDATA
[ -f /var/lib/pgsql/.pgsql_profile ] && source /var/lib/pgsql/.pgsql_profile
X
mkdir -p "$t_server"/var/lib/pgsql/16/{data,backups}
file "$t_server/etc/pam.d/postgresql" <<'X'
auth include common-auth
account include common-account
X

package pgdg postgresql16-libs "$minor" 1PGDG.rhel9 x86_64 "$t_libs" </dev/null
package pgdg postgresql16 "$minor" 1PGDG.rhel9 x86_64 "$t_client" <<X
Requires: postgresql16-libs = $minor
X
package pgdg postgresql16-server "$minor" 1PGDG.rhel9 x86_64 "$t_server" <<X
Requires: postgresql16 = $minor, postgresql16-libs = $minor
%pre
$add_postgres
%post
$reload_units
systemd-tmpfiles --create postgresql-16.conf
%preun
[ "\$1" -gt 0 ] || systemctl --no-reload disable --now postgresql-16.service >/dev/null 2>&1 || :
%files
%attr(700,postgres,postgres) %dir /var/lib/pgsql
%attr(700,postgres,postgres) %dir /var/lib/pgsql/16
%attr(700,postgres,postgres) %dir /var/lib/pgsql/16/data
%attr(700,postgres,postgres) %dir /var/lib/pgsql/16/backups
%attr(700,postgres,postgres) /var/lib/pgsql/.bash_profile
X
package pgdg postgresql16-contrib "$minor" 1PGDG.rhel9 x86_64 "$t_contrib" <<X
Requires: postgresql16 = $minor, postgresql16-server = $minor
X

t=$(tree pgdg-redhat-repo)
install -D -m 644 "$identity/gpg/pgdg" "$t/etc/pki/rpm-gpg/PGDG-RPM-GPG-KEY-RHEL"
pgdg_repository() { # ID NAME DIRECTORY
    cat <<X
[$1]
name=PostgreSQL $2 for RHEL / Rocky / AlmaLinux \$releasever - \$basearch
baseurl=https://download.postgresql.org/pub/repos/yum/$3/redhat/rhel-\$releasever-\$basearch
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/PGDG-RPM-GPG-KEY-RHEL
repo_gpgcheck=0

X
}
{
    pgdg_repository pgdg-common 'common RPMs' common
    pgdg_repository pgdg16 16 16
} | file "$t/etc/yum.repos.d/pgdg-redhat-all.repo"
package pgdg-release pgdg-redhat-repo 42.0 54PGDG noarch "$t" </dev/null
