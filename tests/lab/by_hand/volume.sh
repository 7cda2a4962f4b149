#!/usr/bin/env bash
# The pool and the volume, from the first host.
set -euo pipefail
: "${HOSTS:?names of the hosts}"

read -ra hosts <<<"$HOSTS"
bricks=()
for host in "${hosts[@]}"; do
    bricks+=("$host:/var/glustervol0")
done
for host in "${hosts[@]:1}"; do
    gluster peer probe "$host"
done
until [ "$(gluster pool list | grep -c Connected)" = "${#hosts[@]}" ]; do
    sleep 1
done
gluster vol create gvol0 replica "${#hosts[@]}" "${bricks[@]}" force
gluster vol start gvol0
