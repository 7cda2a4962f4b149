#!/usr/bin/env bash
# GlusterFS and its firewall service.
set -euo pipefail

dnf -y -q install centos-release-gluster10 >/dev/null
dnf -y -q install glusterfs-server >/dev/null
systemctl -q enable --now glusterd
firewall-cmd -q --add-service=glusterfs --permanent
firewall-cmd -q --reload
