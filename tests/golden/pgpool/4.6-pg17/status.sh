#!/bin/bash
# status.sh : run before each start of Pgpool-II, which begins with what a file says of the nodes and never looks for
# the primary among those that are `down` there. Only the watchdog's leader writes that file at each change (4.6.1), so
# that after a loss of all power it may be older than the last failovers.
# A node is up when it is a primary that a majority follows. Nothing else is changed; docs/failover.md tells why.
set -u
export LC_ALL=C PATH=/usr/bin:/bin:/usr/sbin:/sbin PGCONNECT_TIMEOUT=3 PGPASSFILE=/var/lib/pgsql/.pgpass_pgpool
PGBIN=/usr/pgsql-17/bin
BACKENDS=/etc/pgpool-II/pgpool.ke2-backends.conf
FILE=/var/log/pgpool_log/pgpool_status
USER_OF_CHECKS=watch
# As long as the guard of a primary's PostgreSQL waits for the other hosts, which boot meanwhile.
WAIT_S=240

say() {
    echo "status.sh: $*" >&2
}

# How many of the other nodes stream from this one; nothing when it is no primary, or does not answer.
followers() {
    timeout 8 "$PGBIN/psql" -XAtqw -h "$1" -p 5432 -U "$USER_OF_CHECKS" -d postgres -c \
        "select (select count(distinct application_name) from pg_stat_replication where state = 'streaming' and application_name in ($names)) where not pg_is_in_recovery()" 2>/dev/null
}

# What the file says of a node: up, down or unused.
remembered() {
    sed -n "$(($1 + 1))p" "$FILE"
}

# Without one it takes all nodes for up.
grep -sqx down "$FILE" || exit 0
declare -A hosts
nodes=0
names="''"
while read -r id host; do
    hosts[$id]=$host
    nodes=$((nodes + 1))
    names+=",'${host//\'/\'\'}'"
done < <(sed -n "s/^backend_hostname\([0-9]*\) *= *'\([^']*\)'.*/\1 \2/p" "$BACKENDS")
((nodes > 0)) || exit 0
while :; do
    finds=
    for id in "${!hosts[@]}"; do
        count=$(followers "${hosts[$id]}")
        [[ -n $count ]] || continue
        if ((2 * (count + 1) > nodes)); then
            [[ $(remembered "$id") == down ]] || exit 0
            sed -i "$((id + 1))s/.*/up/" "$FILE" &&
                say "node $id (${hosts[$id]}) is the primary, which a majority follows: it was remembered as down"
            exit 0
        fi
        [[ $(remembered "$id") == down ]] || finds=yes
    done
    # A primary that it will find, whoever follows it.
    [[ -z $finds ]] || exit 0
    ((SECONDS < WAIT_S)) || break
    sleep 2
done
say "no host is a primary that a majority follows: Pgpool-II starts with what it remembers"
exit 0
