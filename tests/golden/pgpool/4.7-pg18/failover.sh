#!/bin/bash
# failover.sh : run by the leader of Pgpool-II's watchdog when a majority has found a node dead.
# docs/failover.md says what it may do. Source of the arguments: failover_command in Pgpool-II's manual.
set -u
export LC_ALL=C PGCONNECT_TIMEOUT=3 PGPASSFILE=/var/lib/pgsql/.pgpass_pgpool
failed_id=$1 failed_host=$2 main_id=$5 main_host=$6 old_primary_id=$8
old_primary_host=${11:-}
PGBIN=/usr/pgsql-18/bin
BACKENDS=/etc/pgpool-II/pgpool.ke2-backends.conf
USER_OF_CHECKS=watch
STANDBY=/etc/pgpool-II/standby.sh
SSH=(ssh -n -T -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=3
    -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/var/lib/pgsql/.ssh/known_hosts
    -i /var/lib/pgsql/.ssh/id_rsa_pgpool)

say() {
    echo "failover.sh: $*" >&2
}

# on HOST WORD… : the words as they are, whatever they hold.
on() {
    local host=$1 line
    shift
    printf -v line '%q ' "$@"
    "${SSH[@]}" "postgres@$host" "$line"
}

# The value of a setting of the backends file.
backend() {
    sed -n "s/^$1 *= *'\{0,1\}\([^']*\)'\{0,1\} *\$/\1/p" "$BACKENDS"
}

# Bytes of WAL that a standby has, as a number; nothing for anything else than a standby.
received() {
    "$PGBIN/psql" -XAtqw -h "$1" -p "$2" -U "$USER_OF_CHECKS" -d postgres -c \
        "select pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0') where pg_is_in_recovery()" 2>/dev/null
}

# Whether a server takes writes: t or f; nothing when it does not answer.
writable() {
    "$PGBIN/psql" -XAtqw -h "$1" -p "$2" -U "$USER_OF_CHECKS" -d postgres -c 'select not pg_is_in_recovery()' 2>/dev/null
}

nodes() {
    sed -n 's/^backend_hostname\([0-9]*\) *=.*/\1/p' "$BACKENDS"
}

# PostgreSQL on a primary that Pgpool-II could not reach may still serve others.
fence() {
    if on "$failed_host" "$STANDBY" fence; then
        say "PostgreSQL does not run on $failed_host"
    else
        say "$failed_host cannot be asked to stop; its own guard keeps it from starting as a primary"
    fi
}

say "node $failed_id ($failed_host) is dead; the primary was node $old_primary_id ($old_primary_host)"
if [[ $main_id -lt 0 ]]; then
    say "no node is left: nothing is promoted"
    exit 0
fi
if [[ $old_primary_id != -1 && $failed_id != "$old_primary_id" ]]; then
    # Its slot stays: a standby that was only rebooted goes on from there. max_slot_wal_keep_size bounds what it may hold back.
    say "it was a standby: nothing is promoted, its slot is kept"
    exit 0
fi

# It may have been deposed long ago: cut off and back, Pgpool-II was seen to go back to it. Pgpool-II finds the other one
# by itself.
while read -r id; do
    [[ $id != "$failed_id" ]] || continue
    host=$(backend "backend_hostname$id")
    if [[ $(writable "$host" "$(backend "backend_port$id")") == t ]]; then
        fence
        say "$host is a primary and lives: nothing is promoted beside it"
        exit 0
    fi
done < <(nodes)

# The standby that has received most, so that least is lost; Pgpool-II's own choice, the lowest id, breaks a tie.
best_host=$main_host best_id=$main_id best=$(received "$main_host" "$(backend "backend_port$main_id")")
best=${best:-0}
while read -r id; do
    [[ $id != "$failed_id" && $id != "$main_id" ]] || continue
    host=$(backend "backend_hostname$id")
    has=$(received "$host" "$(backend "backend_port$id")")
    if [[ -n $has && $has -gt $best ]]; then
        best_host=$host best_id=$id best=$has
    fi
done < <(nodes)
pgdata=$(backend "backend_data_directory$best_id")

fence
say "promoting node $best_id ($best_host), which has $best bytes of WAL"
if ! on "$best_host" "$PGBIN/pg_ctl" -D "$pgdata" -w -t 60 promote; then
    say "the promotion of $best_host failed"
    exit 1
fi
say "$best_host is the primary"
