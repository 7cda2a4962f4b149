#!/bin/bash
# rootfs.sh DEST MIRROR IDENTITY : an EL9-like root file system made of Debian trixie.
#
# Debian supplies the programs, because its mirror is what the machine can reach; names, units,
# users and defaults are those of EL9, because they are what a provisioner looks at.
set -euo pipefail
dest=$1 mirror=$2 identity=$3

packages=(
    # boot, login, names
    systemd systemd-sysv dbus libpam-systemd libnss-systemd libnss-myhostname openssh-server
    openssh-client sudo polkitd cron logrotate chrony hostname kmod
    # package management
    dnf rpm python3 python3-yaml python3-dateutil python3-dbus python3-distro
    # network
    iproute2 iputils-ping iputils-arping ethtool nftables iptables ipset bind9-host
    netcat-openbsd socat tcpdump curl wget ca-certificates
    # what firewalld imports
    python3-gi gir1.2-nm-1.0 python3-jsonschema python3-nftables python3-cap-ng
    # files and everyday tools
    procps psmisc lsof rsync xfsprogs e2fsprogs fuse3 attr acl tar gzip xz-utils bzip2 zstd lz4
    unzip file diffutils patch less vim-tiny jq openssl bash-completion selinux-utils perl
    libjson-perl busybox-static linux-sysctl-defaults
    # libraries of the repackaged daemons
    python3-prettytable python3-requests python3-jwt python3-cryptography libhashkit2t64
    libmemcached11t64 libpq5 libaio1t64 libxslt1.1 liburcu8t64 libtirpc3t64 libnuma1 liburing2
    libbtrfs0 libdevmapper1.02.1 libseccomp2
)
include=$(IFS=,; printf '%s' "${packages[*]}")

mmdebstrap --quiet --variant=minbase --architectures=amd64 --include="$include" \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    trixie "$dest" \
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main"

cd "$dest"
# A mount namespace of its own, so that nothing stays mounted whatever happens; systemctl wants /proc.
inside() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --propagation private sh -c \
        'root=$1; shift; mount -t proc proc "$root/proc"; exec chroot "$root" "$@"' - "$dest" "$@"
}
# put PATH [MODE] < CONTENT
put() {
    mkdir -p "$(dirname "./$1")"
    rm -f "./$1"
    cat >"./$1"
    chmod "${2:-644}" "./$1"
}

# --- who it says it is
put usr/lib/os-release <<'X'
NAME="Rocky Linux"
VERSION="9.4 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"
ANSI_COLOR="0;32"
LOGO="fedora-logo-icon"
CPE_NAME="cpe:/o:rocky:rocky:9::baseos"
HOME_URL="https://rockylinux.org/"
SUPPORT_END="2032-05-31"
X
ln -sf ../usr/lib/os-release etc/os-release
echo 'Rocky Linux release 9.4 (Blue Onyx)' >etc/redhat-release
ln -sf redhat-release etc/rocky-release
ln -sf redhat-release etc/system-release
rm -f etc/debian_version etc/hostname var/lib/dbus/machine-id etc/ssh/ssh_host_*
rm -f etc/motd etc/update-motd.d/* etc/issue.net
rm -rf var/log/journal
: >etc/machine-id

# --- package management
put etc/rpm/macros.el9 <<'X'
%_dbpath /var/lib/rpm
%dist .el9
%rhel 9
%el9 1
X
put etc/dnf/dnf.conf <<'X'
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
X
mkdir -p etc/yum.repos.d etc/dnf/vars etc/pki/rpm-gpg
ln -sf dnf usr/bin/yum
inside rpm --initdb

# --- users
# Debian's gid 26 is `tape`; EL gives 26 to postgres.
inside groupmod -g 926 tape
inside groupadd -f -r wheel
for user in rocky admin nosudo; do
    inside useradd -m -s /bin/bash "$user"
    install -d -m 700 "home/$user/.ssh"
    install -m 600 "$identity/id_ed25519.pub" "home/$user/.ssh/authorized_keys"
    inside chown -R "$user:$user" "/home/$user/.ssh"
done
inside usermod -aG wheel rocky
inside usermod -aG wheel admin
echo 'admin:lab-admin-password' | inside chpasswd
inside passwd -q -l root
# The rule of one user must sort after the one of its group: the last match wins.
put etc/sudoers.d/00-wheel 440 <<<'%wheel ALL=(ALL) ALL'
put etc/sudoers.d/90-rocky 440 <<<'rocky ALL=(ALL) NOPASSWD: ALL'
# sudo of EL9 (1.9.5) allocates no pty.
sed -i 's/^Defaults\s*use_pty/Defaults !use_pty/' etc/sudoers
put etc/environment <<<'PATH="/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin"'
put etc/selinux/config <<'X'
SELINUX=disabled
SELINUXTYPE=targeted
X

# --- names and network
put etc/hosts <<'X'
127.0.0.1   localhost localhost.localdomain localhost4 localhost4.localdomain4
::1         localhost localhost.localdomain localhost6 localhost6.localdomain6
X
put etc/resolv.conf <<<'nameserver 10.20.0.254'
sed -i 's/^hosts:.*/hosts: files dns myhostname/' etc/nsswitch.conf
ln -sf ../bin/arping usr/sbin/arping
install -m 644 "$identity/ca.crt" usr/local/share/ca-certificates/lab.crt
inside update-ca-certificates >/dev/null 2>&1
mkdir -p etc/pki/tls/certs
ln -sf /etc/ssl/certs/ca-certificates.crt etc/pki/tls/certs/ca-bundle.crt

# --- sshd as EL9 has it: its unit's name, host keys made at boot where they are missing,
# and none of the penalties that newer servers give to an address that failed to log in.
rm -f usr/lib/systemd/system/ssh{,@}.{service,socket} usr/lib/systemd/system/sshd{,@}.service \
    usr/lib/systemd/system/ssh-access.target usr/lib/systemd/system-generators/sshd-socket-generator \
    etc/systemd/system/*.wants/ssh* etc/systemd/system/ssh{,d}.service etc/init.d/ssh
put usr/lib/systemd/system/sshd-keygen.service <<'X'
[Unit]
Description=OpenSSH host key generation
Before=sshd.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
X
put usr/lib/systemd/system/sshd.service <<'X'
[Unit]
Description=OpenSSH server daemon
Documentation=man:sshd(8) man:sshd_config(5)
# On EL9 the network is configured only when firewalld is ready. Here it is there from the start,
# and a connection made before the rules would be cut off by them.
After=network.target network-pre.target firewalld.service sshd-keygen.service
Wants=sshd-keygen.service
[Service]
Type=notify
EnvironmentFile=-/etc/sysconfig/sshd
ExecStart=/usr/sbin/sshd -D $OPTIONS
ExecReload=/bin/kill -HUP $MAINPID
KillMode=process
Restart=on-failure
RestartSec=42s
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
RuntimeDirectoryMode=0755
[Install]
WantedBy=multi-user.target
X
put etc/ssh/sshd_config.d/00-el9.conf <<'X'
PerSourcePenalties no
PrintMotd no
X
mkdir -p usr/libexec/openssh
ln -sf ../../lib/openssh/sftp-server usr/libexec/openssh/sftp-server

# --- chronyd: real, but hands off the clock, which is the machine's (CAP_SYS_TIME is dropped)
rm -f usr/lib/systemd/system/chrony*.service usr/lib/systemd/system/chrony*.timer \
    etc/systemd/system/*.wants/chrony* etc/systemd/system/chronyd.service etc/init.d/chrony
put usr/lib/systemd/system/chronyd.service <<'X'
[Unit]
Description=NTP client/server
Documentation=man:chronyd(8) man:chrony.conf(5)
After=network.target
Conflicts=ntpd.service systemd-timesyncd.service
[Service]
Type=forking
PIDFile=/run/chrony/chronyd.pid
EnvironmentFile=-/etc/sysconfig/chronyd
ExecStart=/usr/sbin/chronyd -x -u root $OPTIONS
[Install]
WantedBy=multi-user.target
X
rm -rf etc/chrony
put etc/chrony.conf <<'X'
pool 2.rocky.pool.ntp.org iburst
driftfile /var/lib/chrony/drift
pidfile /run/chrony/chronyd.pid
logdir /var/log/chrony
X
mkdir -p etc/chrony
ln -sf ../chrony.conf etc/chrony/chrony.conf
put usr/lib/systemd/ntp-units.d/50-chronyd.list <<<'chronyd.service'

# --- cron under its EL name
mv usr/lib/systemd/system/cron.service usr/lib/systemd/system/crond.service
rm -f etc/systemd/system/*.wants/cron.service etc/init.d/cron

# --- units: /tmp is on disk, the network is the lab's, and what a package installs is not enabled
put usr/lib/systemd/system-preset/00-el9.preset <<'X'
enable sshd.service
enable chronyd.service
enable crond.service
enable firewalld.service
enable dbus*
enable systemd-*
disable *
X
inside systemctl -q enable sshd.service chronyd.service crond.service
inside systemctl -q mask tmp.mount systemd-networkd.service systemd-resolved.service \
    systemd-timesyncd.service getty@tty1.service console-getty.service
inside systemctl -q set-default multi-user.target
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer logrotate.timer; do
    inside systemctl -q disable "$unit" 2>/dev/null || true
done

# --- modules that are built into the machine's kernel, so that modprobe tells the truth
kernel=$(uname -r)
mkdir -p "usr/lib/modules/$kernel"
: >"usr/lib/modules/$kernel/modules.order"
for module in net/bridge/br_netfilter net/bridge/bridge fs/overlayfs/overlay drivers/net/vxlan/vxlan \
    drivers/net/veth fs/fuse/fuse fs/xfs/xfs net/netfilter/nf_conntrack \
    net/netfilter/nf_tables drivers/block/loop; do
    echo "kernel/$module.ko"
done >"usr/lib/modules/$kernel/modules.builtin"
inside depmod -a "$kernel" 2>/dev/null

# Mount points of the hosts, and of the services of the lab that run in this tree.
mkdir -p data/brick var/lib/docker srv/mirror srv/lab
rm -rf var/cache/apt/* var/lib/apt/lists/* var/cache/ldconfig/aux-cache
