#!/usr/bin/env bash
# What a host tells of itself when a test has failed on it, before it goes.
systemctl --failed --no-legend --plain
journalctl --quiet --no-pager --priority warning --since -10min --output short-iso |
    grep --invert-match --extended-regexp 'firewalld.*COMMAND_FAILED|Try .iptables -h|pam_env' | tail -n 20

# Whom Pgpool-II takes for lost, and why: what its own processes and our scripts said, without the sessions of clients.
if logs=$(ls -tr /var/log/pgpool_log/pgpool-*.log 2>/dev/null); then
    # shellcheck disable=SC2086 # one word a log
    grep --no-filename --extended-regexp '^[a-z_]+\.sh: | (main|watchdog|life_check|health_check[0-9]*|follow_child) pid |reserved for roles' $logs |
        grep --invert-match --extended-regexp 'reaper|exits with status|PCP|IPC|socket|find_primary_node: (primary|standby) node' | tail -n 60
fi

systemctl --quiet is-active docker || exit 0
curl --silent --show-error --max-time 30 --output /dev/null --unix-socket /run/docker.sock http://docker/info && exit 0
echo "its engine does not answer within 30 s; what it said, and what of it stands still:"
journalctl --quiet --no-pager --unit docker --lines 40 --output short-iso
# The engine writes its goroutines to a file when it is asked with this signal.
systemctl kill --kill-who main --signal USR1 docker
sleep 3
stacks=(/run/docker/goroutine-stacks-*)
awk 'BEGIN { RS = ""; ORS = "\n\n" } /^goroutine [0-9]+ \[[^]]*minutes/' "${stacks[-1]}" | head -n 400
