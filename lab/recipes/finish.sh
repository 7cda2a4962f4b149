#!/bin/bash
# finish.sh ROOTFS REPO : install into the base image the packages that a minimal EL9 comes with.
set -euo pipefail
rootfs=$1 repo=$2

mkdir "$rootfs/srv/packages"
ln "$repo"/base/*.rpm "$rootfs/srv/packages/" 2>/dev/null || cp "$repo"/base/*.rpm "$rootfs/srv/packages/"
# rpm changes mount propagation of /, so / must be a mount point.
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount --propagation private sh -ec '
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount -t tmpfs tmpfs "$1/dev"
    mknod -m 666 "$1/dev/null" c 1 3
    chroot "$1" sh -ec "
        rpm --install --nosignature /srv/packages/*.rpm
        systemctl --quiet enable firewalld.service"
' - "$rootfs"
rm -r "$rootfs/srv/packages"
