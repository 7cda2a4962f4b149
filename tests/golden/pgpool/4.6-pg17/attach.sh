#!/bin/bash
# attach.sh : run once after a boot. A standby that streams again is attached to Pgpool-II, which has taken it for dead.
# This is all that comes back by itself (auto_failback is off): never a former primary, never what does not stream.
set -u
export LC_ALL=C PGCONNECT_TIMEOUT=3 PGPASSFILE=/var/lib/pgsql/.pgpass_pgpool PCPPASSFILE=/var/lib/pgsql/.pcppass
NAME=Db-1.example.org
USER_OF_CHECKS=watch
id=$(</etc/pgpool-II/pgpool_node_id) || exit 0

nodes() {
    timeout 10 pcp_node_info -w -h localhost -p 9898 -U "$USER_OF_CHECKS" -a 2>/dev/null
}

# Pgpool-II and PostgreSQL come up meanwhile, and a failover under way ends.
up=0
for ((try = 0; try < 150; try++)); do
    sleep 2
    rows=$(nodes) || continue
    # Fields: host port status weight status pg_status role pg_role …
    own=$(sed -n "$((id + 1))p" <<<"$rows")
    read -r host _ status _ word pg_status _ pg_role _ <<<"$own"
    [[ $host == "$NAME" ]] || exit 0
    # Up may be what it was before the boot: then it is taken for down in a moment, when the last checks have failed.
    if [[ $status == 1 || $status == 2 ]]; then
        [[ $pg_status == up ]] && ((++up >= 5)) && exit 0
        continue
    fi
    up=0
    [[ $word == down && $pg_status == up && $pg_role == standby ]] || continue
    # On a host that had no session yet all nodes that are up are `waiting`.
    primary=$(awk '$7 == "primary" && $8 == "primary" && ($5 == "up" || $5 == "waiting") { print $1, $2 }' <<<"$rows")
    [[ -n $primary && $primary != *$'\n'* ]] || continue
    streaming=$(psql -XAtqw -h "${primary% *}" -p "${primary#* }" -U "$USER_OF_CHECKS" -d postgres -c \
        "select 1 from pg_stat_replication where application_name = '${NAME//\'/\'\'}' and state = 'streaming'" 2>/dev/null)
    [[ $streaming == 1 ]] || continue
    echo "attach.sh: node $id ($NAME) streams from ${primary% *}: attaching it" >&2
    timeout 60 pcp_attach_node -w -h localhost -p 9898 -U "$USER_OF_CHECKS" -n "$id" && exit 0
done
echo "attach.sh: node $id ($NAME) is not attached: it does not stream from a primary that all agree on" >&2
exit 0
