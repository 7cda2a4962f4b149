#!/usr/bin/env bash
# PostgreSQL and Pgpool-II, to the state in which the source document's set-up script leaves a host.
set -euo pipefail
: "${HOSTS:?names of the hosts}" "${VIP:?virtual address}"

read -ra hosts <<<"$HOSTS"
me=$(hostname)
id=0
until [ "${hosts[$id]}" = "$me" ]; do
    id=$((id + 1))
done
home=/var/lib/pgsql
data=$home/16/data
bin=/usr/pgsql-16/bin
conf=/etc/pgpool-II
interface=$(ip -o -4 route show to match "$VIP" | sed -n 's/.* dev \([^ ]*\).*/\1/p' | tail -n 1)

as_postgres() {
    runuser -u postgres -- "$@"
}

# block FILE : the lines on standard input, between the document's marks at the end of FILE
block() {
    cp -p "$1" "$1.old"
    {
        echo '# KE2-BEGIN: ke2 custom settings'
        cat
        echo '# KE2-END'
    } >>"$1"
}

# --- packages
dnf -y -q install https://download.postgresql.org/pub/repos/yum/reporpms/EL-9-x86_64/pgdg-redhat-repo-latest.noarch.rpm >/dev/null
dnf -y -q module disable postgresql
dnf -q config-manager --set-enabled crb
dnf -q config-manager --save --setopt='pgdg*.exclude=pgpool*' >/dev/null
dnf -y -q install https://www.pgpool.net/yum/rpms/4.6/redhat/rhel-9-x86_64/pgpool-II-release-4.5-1.noarch.rpm >/dev/null
dnf -y -q install postgresql16-server postgresql16-contrib 'pgpool-II-pg16-*' >/dev/null

# --- firewall, for everybody
firewall-cmd -q --permanent --zone=public --add-service=postgresql
firewall-cmd -q --permanent --zone=public --add-port=9999/tcp --add-port=9898/tcp --add-port=9000/tcp --add-port=9694/udp
firewall-cmd -q --reload

# --- the primary
if [ "$id" = 0 ]; then
    PGSETUP_INITDB_OPTIONS='--encoding=UTF8 --locale=C.UTF-8' $bin/postgresql-16-setup initdb
    block $data/postgresql.conf <<X
listen_addresses = '*'
max_connections = 256
wal_level = replica
wal_log_hints = on
archive_mode = off
archive_command = 'cp "%p" "$home/archivedir/%f"'
max_wal_senders = 10
max_replication_slots = 10
hot_standby = on
X
    block $data/pg_hba.conf <<X
host    all             pgpool          samenet         scram-sha-256
host    all             postgres        samenet         scram-sha-256
host    replication     all             samenet         scram-sha-256
host    kompira         kompira         samenet         scram-sha-256
X
    (cd / && as_postgres $bin/pg_ctl -D $data -l $home/16/start.log -w start >/dev/null)
    (cd / && as_postgres psql -q -d postgres) <<'X'
SET password_encryption = 'scram-sha-256';
ALTER ROLE postgres PASSWORD 'postgres';
CREATE ROLE repl LOGIN REPLICATION PASSWORD 'repl';
CREATE ROLE pgpool LOGIN PASSWORD 'pgpool';
GRANT pg_monitor TO pgpool;
CREATE ROLE kompira LOGIN CREATEDB PASSWORD 'kompira';
CREATE DATABASE kompira OWNER kompira ENCODING 'UTF8';
\c template1
CREATE EXTENSION pgpool_recovery;
X
    for script in recovery_1st_stage pgpool_remote_start; do
        install -m 755 -o postgres -g postgres $conf/sample_scripts/$script.sample $data/$script
    done
    sed -i "s|^PGHOME=.*|PGHOME=/usr/pgsql-16|; s|^REPLUSER=.*|REPLUSER=repl|" $data/recovery_1st_stage
    sed -i "s|^PGHOME=.*|PGHOME=/usr/pgsql-16|; s|/bin/pg_ctl|/bin/pg_ctl|" $data/pgpool_remote_start
fi
install -d -m 700 -o postgres -g postgres $home/archivedir

# --- passwords of clients
pgpass=
for host in "${hosts[@]}"; do
    pgpass+="$host:5432:replication:repl:repl"$'\n'"$host:5432:postgres:postgres:postgres"$'\n'
done
install -m 600 -o postgres -g postgres /dev/stdin $home/.pgpass <<<"${pgpass%$'\n'}"
install -m 600 -o postgres -g postgres /dev/stdin $home/.pcppass <<<'localhost:9898:pgpool:pgpool'
install -m 600 -o postgres -g postgres /dev/stdin $home/.pgpoolkey <<<'ke2pgpoolkey'

# --- Pgpool-II
echo "$id" >$conf/pgpool_node_id
echo "pgpool:$(printf pgpool | md5sum | cut -d' ' -f1)" >>$conf/pcp.conf
: >$conf/pool_passwd
for name in pgpool postgres kompira; do
    as_postgres pg_enc -m -k $home/.pgpoolkey -f $conf/pgpool.conf -u $name $name >/dev/null
done
for script in failover follow_primary escalation; do
    install -m 755 -o postgres -g postgres $conf/sample_scripts/$script.sh.sample $conf/$script.sh
done
sed -i "s|^PGHOME=.*|PGHOME=/usr/pgsql-16|; s|^REPLUSER=.*|REPLUSER=repl|; s|^PCP_USER=.*|PCP_USER=pgpool|" $conf/failover.sh $conf/follow_primary.sh
sed -i "s|^PGPOOLS=.*|PGPOOLS=(${hosts[*]})|; s|^VIP=.*|VIP=$VIP|; s|^DEVICE=.*|DEVICE=$interface|" $conf/escalation.sh
{
    number=0
    for host in "${hosts[@]}"; do
        cat <<X
backend_hostname$number = '$host'
backend_port$number = 5432
backend_weight$number = 1
backend_data_directory$number = '$data'
backend_flag$number = 'ALLOW_TO_FAILOVER'
backend_application_name$number = '$host'
hostname$number = '$host'
wd_port$number = 9000
pgpool_port$number = 9999
heartbeat_hostname$number = '$host'
heartbeat_port$number = 9694
heartbeat_device$number = ''
X
        number=$((number + 1))
    done
} >$conf/pgpool.ke2-backends.conf
chown postgres:postgres $conf/pgpool.ke2-backends.conf
block $conf/pgpool.conf <<X
listen_addresses = '*'
pcp_listen_addresses = '*'
enable_pool_hba = on
num_init_children = 64
log_rotation_size = 10MB
load_balance_mode = off
sr_check_user = 'pgpool'
follow_primary_command = '$conf/follow_primary.sh %d %h %p %D %m %H %M %P %r %R'
health_check_period = 5
health_check_timeout = 30
health_check_user = 'pgpool'
health_check_max_retries = 3
failover_command = '$conf/failover.sh %d %h %p %D %m %H %M %P %r %R %N %S'
recovery_user = 'postgres'
recovery_1st_stage_command = 'recovery_1st_stage'
use_watchdog = on
delegate_ip = '$VIP'
if_up_cmd = '/usr/bin/sudo /sbin/ip addr add \$_IP_\$/24 dev $interface label $interface:0'
if_down_cmd = '/usr/bin/sudo /sbin/ip addr del \$_IP_\$/24 dev $interface'
arping_cmd = '/usr/bin/sudo /usr/sbin/arping -U \$_IP_\$ -w 1 -I $interface'
wd_escalation_command = '$conf/escalation.sh'
include 'pgpool.ke2-backends.conf'
X
block $conf/pool_hba.conf <<X
host    all             pgpool          samenet         scram-sha-256
host    all             postgres        samenet         scram-sha-256
host    kompira         kompira         samenet         scram-sha-256
X
