#!/usr/bin/env bash
# `keys.sh make` makes a key of postgres and prints its public half; `keys.sh take` lets those on standard input in.
set -euo pipefail

folder=/var/lib/pgsql/.ssh
case $1 in
make)
    install -d -m 700 -o postgres -g postgres $folder
    runuser -u postgres -- ssh-keygen -q -t rsa -b 3072 -N '' -C "postgres@$(hostname)" -f $folder/id_rsa_pgpool
    cat $folder/id_rsa_pgpool.pub
    ;;
take)
    install -m 644 -o postgres -g postgres /dev/stdin $folder/authorized_keys
    ;;
esac
