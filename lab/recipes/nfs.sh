#!/bin/bash
# nfs.sh DEST MIRROR : a file server, nfs-ganesha in DEST/server, and a client for hosts whose kernel
# has none: DEST/client is the contents of their package nfs-utils.
set -euo pipefail
dest=$1 mirror=$2
recipes=$(dirname "$0")
mkdir -p "$dest"/{server,client/usr/{sbin,lib/x86_64-linux-gnu}}
# shellcheck source-path=SCRIPTDIR
. "$recipes/apt.sh"
apt_at "$dest/apt"

# What dependencies name for the sake of installation, and of protocols before version 4.
unwanted=" adduser base-files base-passwd dbus dbus-bin dbus-daemon dbus-session-bus-common dbus-system-bus-common
 debconf dmsetup gcc-14-base init-system-helpers keyutils libaudit-common libdebconfclient0 libpam-modules
 libpam-modules-bin libsemanage-common libsemanage2 libsepol2 libtext-charwidth-perl libtext-wrapi18n-perl
 login.defs mawk nfs-common passwd perl-base procps rpcbind sensible-utils ucf "
mapfile -t packages < <(closure nfs-ganesha-vfs | while read -r package; do
    [[ $unwanted == *[[:space:]]"$package"[[:space:]]* ]] || echo "$package"
done)
unpack_debs "$dest/server" "$dest/apt/server" "${packages[@]}"
mkdir -p "$dest"/server/{proc,dev,run,tmp,srv/lab,srv/export}
ln -s usr/lib "$dest/server/lib"
[ -e "$dest/server/usr/lib64" ] && ln -s usr/lib64 "$dest/server/lib64"
# ganesha finds the file system of an export in it.
ln -s /proc/self/mounts "$dest/server/etc/mtab"
printf 'hosts: files\n' >"$dest/server/etc/nsswitch.conf"

unpack_debs "$dest/build" "$dest/apt/build" libnfs14 libnfs-dev libfuse3-4 libfuse3-dev
libraries=$dest/build/usr/lib/x86_64-linux-gnu
# The libraries want a newer C library than the machine's; a host has it.
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -D_FILE_OFFSET_BITS=64 -I"$dest/build/usr/include" -I"$dest/build/usr/include/fuse3" \
    -o "$dest/client/usr/sbin/mount.nfs" "$recipes/mount.nfs.c" "$libraries/libfuse3.so.4" "$libraries/libnfs.so.14" \
    -Wl,--unresolved-symbols=ignore-in-shared-libs
ln -s mount.nfs "$dest/client/usr/sbin/mount.nfs4"
cp -P "$libraries"/libnfs.so.14* "$dest/client/usr/lib/x86_64-linux-gnu/"
rm -rf "$dest"/{apt,build}
