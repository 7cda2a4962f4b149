#!/bin/bash
# standby.sh : what may be done to this host's own PostgreSQL to make it a standby. docs/failover.md is the table.
#   fence                                           stop it unless it is a standby
#   follow  NAME PORT PGDATA PRIMARY PRIMARY_PORT   a running standby follows another primary; exit 3: it does not run
#   rebuild NAME PORT PGDATA PRIMARY PRIMARY_PORT   a stopped or empty one is made anew; the old directory is kept aside
#   start   NAME PGDATA                             starts a standby
# Runs as postgres, through ssh. It never starts or makes a primary, and removes nothing but its own unfinished copies.
set -u -o pipefail
umask 077
export LC_ALL=C PATH=/usr/bin:/bin:/usr/sbin:/sbin PGCONNECT_TIMEOUT=5
export PGPASSFILE=/var/lib/pgsql/.pgpass_pgpool
PGBIN=/usr/pgsql-17/bin
UNIT=postgresql-17.service
OWN_PGDATA=/var/lib/pgsql/17/data
SUPERUSER=postgres
REPLICATOR=repl_b

say() {
    echo "standby.sh: $*" >&2
}

die() {
    say "$*"
    exit 1
}

running() {
    "$PGBIN/pg_ctl" -D "$1" status >/dev/null 2>&1
}

# sql HOST PORT STATEMENT : as the superuser, without ever asking for a password.
sql() {
    "$PGBIN/psql" -XAtqw -v ON_ERROR_STOP=1 -h "$1" -p "$2" -U "$SUPERUSER" -d postgres -c "$3"
}

on_primary() {
    sql "$primary" "$primary_port" "$1"
}

# A line of pg_controldata.
control() {
    "$PGBIN/pg_controldata" -D "$1" | sed -n "s/^$2: *//p"
}

# The service stops and starts it, so that systemd knows what runs; one that was started by hand is stopped by hand.
stop_server() {
    sudo -n /usr/bin/systemctl stop "$UNIT" || say "systemctl stop $UNIT failed"
    ! running "$1" || "$PGBIN/pg_ctl" -D "$1" -m fast -w -t 60 stop >/dev/null
}

start_server() {
    [[ -e $1/standby.signal ]] || die "$1 has no standby.signal: only a standby is started here"
    sudo -n /usr/bin/systemctl start "$UNIT" </dev/null >/dev/null || die "systemctl start $UNIT failed; look at journalctl -u $UNIT on $name"
    running "$1" || die "$UNIT was started, but PostgreSQL does not run on $name: its guard or its log says why"
}

# In a quoted value of a connection string, inside a quoted setting.
conninfo() {
    local value=${1//\\/\\\\}
    value=${value//\'/\\\'}
    value="'$value'"
    printf '%s' "${value//\'/\'\'}"
}

slot_of() {
    local slot=${1,,}
    printf '%s' "${slot//[-.]/_}"
}

# configure DIRECTORY : the settings of a standby, in files that a base backup does not bring along by itself.
configure() {
    local include="include_if_exists = '$pgdata/myrecovery.conf'"
    cat >"$1/myrecovery.conf" <<END
# Written by standby.sh at each change of the primary.
primary_conninfo = 'host=$(conninfo "$primary") port=$primary_port user=$(conninfo "$REPLICATOR") application_name=$(conninfo "$name") passfile=$(conninfo "$PGPASSFILE")'
recovery_target_timeline = 'latest'
primary_slot_name = '$(slot_of "$name")'
END
    grep -qxF "$include" "$1/postgresql.conf" || printf '%s\n' "$include" >>"$1/postgresql.conf" || return
    : >"$1/standby.signal"
}

# The primary must answer as one, and be of the same cluster.
check_primary() {
    local answer
    answer=$(on_primary "select pg_is_in_recovery(), (select system_identifier from pg_control_system()), timeline_id from pg_control_checkpoint()") ||
        die "the primary $primary does not answer"
    IFS='|' read -r in_recovery system timeline <<<"$answer"
    [[ $in_recovery == f ]] || die "$primary is no primary"
    # A promotion is in the control file only after its checkpoint.
    timeline=$((16#$(on_primary "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"))) || die "$primary does not say its timeline"
}

# keep_slot : the slot that the primary keeps WAL in; one that has lost its WAL is of no use and is made anew.
keep_slot() {
    local slot
    slot=$(slot_of "$name")
    on_primary "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$slot' and not active and wal_status in ('lost', 'unreserved')" >/dev/null
    on_primary "select pg_create_physical_replication_slot('$slot', true) where not exists (select from pg_replication_slots where slot_name = '$slot')" >/dev/null ||
        die "no replication slot $slot on $primary"
}

# An LSN as a number.
lsn() {
    echo $(((16#${1%/*} << 32) + 16#${1#*/}))
}

# not_ahead DIRECTORY : whether everything in it is also on the primary's timeline. Says why not.
not_ahead() {
    local own_timeline end recovered state fork history commits checkpoint said
    [[ $(control "$1" "Database system identifier") == "$system" ]] ||
        die "$1 on $name is of another cluster than $primary: nothing is replaced"
    own_timeline=$(control "$1" "Latest checkpoint's TimeLineID")
    checkpoint=$(control "$1" "Latest checkpoint location")
    recovered=$(control "$1" "Minimum recovery ending location")
    state=$(control "$1" "Database cluster state")
    end=$(lsn "$checkpoint")
    (($(lsn "$recovered") <= end)) || end=$(lsn "$recovered")
    ((own_timeline <= timeline)) || die "$name is on timeline $own_timeline, $primary on $timeline: the target is ahead"
    if ((own_timeline == timeline)); then
        fork=$(on_primary "select pg_current_wal_lsn()") || die "$primary does not say how far it is"
    else
        history=$(on_primary "select pg_read_file('pg_wal/' || lpad(upper(to_hex($timeline)), 8, '0') || '.history')") ||
            die "$primary has no history of its timeline $timeline"
        fork=$(awk -v own="$own_timeline" '$1 == own { print $2 }' <<<"$history")
        [[ -n $fork ]] || die "timeline $own_timeline of $name is no ancestor of timeline $timeline of $primary"
    fi
    # After a crash the control file is older than the last record, and after an orderly stop it is past all commits: the
    # log itself, read from the fork on, tells what was committed there.
    if [[ $state == "in production" ]] || ((end > $(lsn "$fork"))); then
        said=$("$PGBIN/pg_waldump" -p "$1/pg_wal" -t "$own_timeline" -s "$fork" -r Transaction 2>&1)
        [[ $said != *"could not find file"* && $said != *"could not open"* ]] ||
            die "what $name wrote past the fork at $fork cannot be read any more: a person decides"
        commits=$(grep -c ' desc: COMMIT' <<<"$said")
        ((commits == 0)) || die "$name has $commits commits past the fork at $fork that $primary does not have: a person decides"
        say "$name has no commit past the fork at $fork"
    fi
}

streams() {
    local try
    for ((try = 0; try < $1; try++)); do
        [[ $(sql "$name" "$port" "select 1 from pg_stat_wal_receiver where status = 'streaming' and sender_host = '${primary//\'/\'\'}'" 2>/dev/null) != 1 ]] || return 0
        sleep 1
    done
    return 1
}

follow() {
    running "$pgdata" || exit 3
    [[ $(sql "$name" "$port" "select pg_is_in_recovery()") == t ]] || die "$name is no standby but a second primary: nothing is done to it"
    check_primary
    [[ $(control "$pgdata" "Database system identifier") == "$system" ]] || die "$name is of another cluster than $primary"
    keep_slot
    configure "$pgdata" || die "the settings of a standby could not be written to $pgdata"
    "$PGBIN/pg_ctl" -D "$pgdata" reload >/dev/null
    if streams 20; then
        say "$name streams from $primary"
        return
    fi
    # It may have received what the new primary never had: that was acknowledged to nobody as replicated.
    say "$name does not stream from $primary after a reload: trying pg_rewind"
    stop_server "$pgdata"
    ! running "$pgdata" || die "PostgreSQL on $name does not stop"
    if "$PGBIN/pg_rewind" -D "$pgdata" --source-server="host=$(plain "$primary") port=$primary_port user=$(plain "$SUPERUSER") dbname=postgres"; then
        rm -rf -- "${pgdata:?}"/pg_replslot/*
        configure "$pgdata" || die "the settings of a standby could not be written to $pgdata"
        start_server "$pgdata"
        ! streams 60 || return 0
        stop_server "$pgdata"
    fi
    say "pg_rewind was not enough: a new base backup"
    copy_anew
    start_server "$pgdata"
    streams 60 || die "$name does not stream from $primary"
}

# In a connection string on a command line.
plain() {
    local value=${1//\\/\\\\}
    printf "'%s'" "${value//\'/\\\'}"
}

# The copy is made beside, so that what is there stays whole until the new one is.
copy_anew() {
    local new=$pgdata.provision-new aside
    ! mountpoint -q "$pgdata" || die "$pgdata is a mount point: use a directory below it"
    rm -rf -- "$new"
    "$PGBIN/pg_basebackup" -w -h "$primary" -p "$primary_port" -U "$REPLICATOR" -D "$new" -X stream -S "$(slot_of "$name")" -c fast || {
        rm -rf -- "$new"
        die "pg_basebackup from $primary failed; what was on $name is as it was"
    }
    rm -rf -- "$new"/pg_replslot/*
    configure "$new" || die "the settings of a standby could not be written to $new"
    ! running "$pgdata" || die "PostgreSQL was started on $name meanwhile: nothing is replaced"
    if [[ -e $pgdata ]]; then
        if [[ -n $(ls -A "$pgdata") ]]; then
            aside=$pgdata.aside-$(date -u +%Y%m%dT%H%M%SZ)
            mv -T -- "$pgdata" "$aside" || die "$pgdata cannot be moved aside"
            say "the old data directory of $name is kept as $aside"
        else
            rmdir -- "$pgdata" || die "$pgdata cannot be replaced"
        fi
    fi
    mv -T -- "$new" "$pgdata" || die "$new cannot be moved to $pgdata"
    sync -f "$pgdata"
}

rebuild() {
    ! running "$pgdata" || die "PostgreSQL runs on $name: a running server is never replaced"
    check_primary
    [[ ! -e $pgdata/PG_VERSION ]] || not_ahead "$pgdata"
    keep_slot
    copy_anew
    say "$name is a copy of $primary"
}

case ${1:-} in
    fence)
        running "$OWN_PGDATA" || exit 0
        [[ ! -e $OWN_PGDATA/standby.signal ]] || exit 0
        say "stopping PostgreSQL: another host becomes the primary"
        stop_server "$OWN_PGDATA"
        ! running "$OWN_PGDATA" || "$PGBIN/pg_ctl" -D "$OWN_PGDATA" -m immediate -w -t 20 stop
        exit
        ;;
    follow | rebuild)
        [[ $# -eq 6 ]] || die "$1 needs five arguments"
        name=$2 port=$3 pgdata=${4%/} primary=$5 primary_port=$6
        [[ $pgdata == "$OWN_PGDATA" ]] || die "$pgdata is not this host's data directory, $OWN_PGDATA"
        exec 9>"/var/lib/pgsql/.standby.lock"
        flock -n 9 || die "another standby.sh is at work on $name"
        "$1" 9>&-
        ;;
    start)
        [[ $# -eq 3 ]] || die "start needs two arguments"
        name=$2 pgdata=${3%/}
        running "$pgdata" || start_server "$pgdata"
        ;;
    *) die "usage: see the first lines of this script" ;;
esac
