#!/usr/bin/env bash
# What a host tells of itself when a test has failed on it, before it goes.
systemctl --failed --no-legend --plain
journalctl --quiet --no-pager --priority warning --since -10min --output short-iso |
    grep --invert-match --extended-regexp 'firewalld.*COMMAND_FAILED|Try .iptables -h|pam_env' | tail -n 20

systemctl --quiet is-active docker || exit 0
curl --silent --show-error --max-time 30 --output /dev/null --unix-socket /run/docker.sock http://docker/info && exit 0
echo "its engine does not answer within 30 s; what it said, and what of it stands still:"
journalctl --quiet --no-pager --unit docker --lines 40 --output short-iso
# The engine writes its goroutines to a file when it is asked with this signal.
systemctl kill --kill-who main --signal USR1 docker
sleep 3
stacks=(/run/docker/goroutine-stacks-*)
awk 'BEGIN { RS = ""; ORS = "\n\n" } /^goroutine [0-9]+ \[[^]]*minutes/' "${stacks[-1]}" | head -n 400
