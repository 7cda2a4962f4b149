#!/bin/bash
# escalation.sh : run by Pgpool-II on the new leader of the watchdog, before it takes the virtual address.
# Takes the address away from every other host that still has it and can be reached.
set -u
export LC_ALL=C
VIP=172.16.3.250
OWN=Db-1.example.org
HOSTS=(Db-1.example.org db2 db3)
SSH=(ssh -n -T -o BatchMode=yes -o ConnectTimeout=3 -o ServerAliveInterval=2 -o ServerAliveCountMax=2
    -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/var/lib/pgsql/.ssh/known_hosts
    -i /var/lib/pgsql/.ssh/id_rsa_pgpool)

for host in "${HOSTS[@]}"; do
    [[ $host != "$OWN" ]] || continue
    # Side by side: a host that is gone must not hold up the address.
    (
        timeout 8 "${SSH[@]}" "postgres@$host" /etc/pgpool-II/vip.sh down "$VIP" ||
            echo "escalation.sh: $host was not asked to give up $VIP, or did not" >&2
    ) &
done
wait
exit 0
