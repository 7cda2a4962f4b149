#!/usr/bin/env bash
# The mount, now and at boot.
set -euo pipefail

mkdir /mnt/gluster
mount -t glusterfs localhost:/gvol0 /mnt/gluster
echo 'localhost:/gvol0 /mnt/gluster glusterfs _netdev,defaults 0 0' >>/etc/fstab
