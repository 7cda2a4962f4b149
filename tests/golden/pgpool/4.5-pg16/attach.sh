#!/bin/bash
# attach.sh : run once after a boot. A standby that streams again is attached to Pgpool-II, which has taken it for dead.
# So is the only primary, when a majority follows it and Pgpool-II knows of none (status.sh looked too early for it).
# This is all that comes back by itself (auto_failback is off): never a former primary, never what does not stream.
set -u
export LC_ALL=C PGCONNECT_TIMEOUT=3 PGPASSFILE=/var/lib/pgsql/.pgpass_pgpool PCPPASSFILE=/var/lib/pgsql/.pcppass
NAME=Db-1.example.org
USER_OF_CHECKS=watch
id=$(</etc/pgpool-II/pgpool_node_id) || exit 0

nodes() {
    timeout 10 pcp_node_info -w -h localhost -p 9898 -U "$USER_OF_CHECKS" -a 2>/dev/null
}

# sql HOST PORT STATEMENT
sql() {
    psql -XAtqw -h "$1" -p "$2" -U "$USER_OF_CHECKS" -d postgres -c "$3" 2>/dev/null
}

attach() {
    timeout 60 pcp_attach_node -w -h localhost -p 9898 -U "$USER_OF_CHECKS" -n "$id"
}

# Pgpool-II and PostgreSQL come up meanwhile, and a failover under way ends. Pgpool-II that looks for a primary in vain
# answers after 5 minutes.
up=0
for ((try = 0; try < 300; try++)); do
    sleep 2
    rows=$(nodes) || continue
    # Fields: host port status weight status pg_status role pg_role …
    own=$(sed -n "$((id + 1))p" <<<"$rows")
    read -r host port status _ word pg_status _ pg_role _ <<<"$own"
    [[ $host == "$NAME" ]] || exit 0
    # Up may be what it was before the boot: then it is taken for down in a moment, when the last checks have failed.
    if [[ $status == 1 || $status == 2 ]]; then
        [[ $pg_status == up ]] && ((++up >= 5)) && exit 0
        continue
    fi
    up=0
    [[ $word == down && $pg_status == up ]] || continue
    if [[ $pg_role == primary ]]; then
        [[ $(awk '$7 == "primary" || $8 == "primary"' <<<"$rows" | wc -l) == 1 ]] || continue
        names=$(awk -v quote="'" '{ gsub(quote, quote quote, $1); print quote $1 quote }' <<<"$rows" | paste -sd,)
        followers=$(sql "$host" "$port" "select count(distinct application_name) from pg_stat_replication where state = 'streaming' and application_name in ($names)")
        ((2 * (${followers:-0} + 1) > $(wc -l <<<"$rows"))) || continue
        echo "attach.sh: node $id ($NAME) is the only primary, and a majority follows it: attaching it" >&2
        attach && exit 0
        continue
    fi
    [[ $pg_role == standby ]] || continue
    # On a host that had no session yet all nodes that are up are `waiting`.
    primary=$(awk '$7 == "primary" && $8 == "primary" && ($5 == "up" || $5 == "waiting") { print $1, $2 }' <<<"$rows")
    [[ -n $primary && $primary != *$'\n'* ]] || continue
    streaming=$(sql "${primary% *}" "${primary#* }" \
        "select 1 from pg_stat_replication where application_name = '${NAME//\'/\'\'}' and state = 'streaming'")
    [[ $streaming == 1 ]] || continue
    echo "attach.sh: node $id ($NAME) streams from ${primary% *}: attaching it" >&2
    attach && exit 0
done
echo "attach.sh: node $id ($NAME) is not attached: it neither streams from a primary that all agree on, nor is the one that a majority follows" >&2
exit 0
