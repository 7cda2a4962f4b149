#!/usr/bin/env bash
# Docker CE and the ports of the Swarm, as the source document has them.
set -euo pipefail

dnf -y -q install dnf-plugins-core >/dev/null
dnf -q config-manager --add-repo=https://download.docker.com/linux/centos/docker-ce.repo
dnf -y -q install docker-ce >/dev/null
systemctl -q enable --now docker
usermod -aG docker rocky

firewall-cmd -q --permanent --add-port=2377/tcp
firewall-cmd -q --permanent --add-port=7946/tcp --add-port=7946/udp
firewall-cmd -q --permanent --add-port=4789/udp
firewall-cmd -q --reload
