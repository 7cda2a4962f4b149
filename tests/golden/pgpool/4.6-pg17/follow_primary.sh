#!/bin/bash
# follow_primary.sh : run by the leader of Pgpool-II's watchdog for each node that is not the new primary.
# docs/failover.md says what it may do.
set -u
export LC_ALL=C PCPPASSFILE=/var/lib/pgsql/.pcppass
id=$1 host=$2 port=$3 pgdata=$4 primary_host=$6 primary_port=$9
PCP_USER=watch
STANDBY=/etc/pgpool-II/standby.sh
SSH=(ssh -n -T -o BatchMode=yes -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=12
    -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/var/lib/pgsql/.ssh/known_hosts
    -i /var/lib/pgsql/.ssh/id_rsa_pgpool)

say() {
    echo "follow_primary.sh: $*" >&2
}

printf -v line '%q ' "$STANDBY" follow "$host" "$port" "$pgdata" "$primary_host" "$primary_port"
"${SSH[@]}" "postgres@$host" "$line"
case $? in
    0) ;;
    3)
        say "PostgreSQL does not run on node $id ($host): it is left alone"
        exit 0
        ;;
    *)
        say "node $id ($host) does not follow $primary_host: it stays detached"
        exit 1
        ;;
esac
pcp_attach_node -w -h localhost -p 9898 -U "$PCP_USER" -n "$id" || {
    say "node $id ($host) follows $primary_host, but could not be attached"
    exit 1
}
say "node $id ($host) follows $primary_host"
