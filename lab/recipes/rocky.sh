# rocky.sh : what Rocky Linux's own repositories carry. firewalld and the dnf plugins are real
# packages; of most others only the name is packaged, because the base image has their programs.
# shellcheck shell=bash disable=SC2154 # see rpm.sh

t=$(tree firewalld)
unpack "$t" firewalld
actions=$t/usr/share/polkit-1/actions/org.fedoraproject.FirewallD1
rm "$actions.desktop.policy.choice"
mv "$actions.server.policy.choice" "$actions.policy"
# The public zone as EL9 ships it; and the interface joins the default zone whenever firewalld
# starts, at runtime only, which is NetworkManager's part on a real host.
file "$t/usr/lib/firewalld/zones/public.xml" <<'X'
<?xml version="1.0" encoding="utf-8"?>
<zone>
  <short>Public</short>
  <description>For use in public areas. You do not trust the other computers on networks to not harm your computer. Only selected incoming connections are accepted.</description>
  <service name="ssh"/>
  <service name="dhcpv6-client"/>
  <service name="cockpit"/>
  <forward/>
</zone>
X
sed -i 's#^ExecStartPost=.*#ExecStartPost=-/usr/bin/busctl --quiet call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1.zone addInterface ss "" eth0#' \
    "$t/usr/lib/systemd/system/firewalld.service"
# Labelled with EL9.4's version, although the program is Debian's newer one.
package baseos firewalld 1.3.4 1.el9 noarch "$t" <<X
Requires: python3-firewall = 1.3.4-1.el9, firewalld-filesystem = 1.3.4-1.el9
%post
$reload_units
systemctl reload dbus >/dev/null 2>&1 || :
[ "\$1" -ne 1 ] || systemctl --no-reload preset firewalld.service >/dev/null 2>&1 || :
%preun
[ "\$1" -gt 0 ] || systemctl --no-reload disable --now firewalld.service >/dev/null 2>&1 || :
X
t=$(tree python3-firewall)
unpack "$t" python3-firewall
package baseos python3-firewall 1.3.4 1.el9 noarch "$t" </dev/null

# On a minimal EL9 `dnf config-manager` and `dnf versionlock` come with packages.
plugins=usr/lib/python3/dist-packages/dnf-plugins
t=$(tree dnf-plugins-core)
unpack "$t" dnf-plugins-core
# Of Debian's plugins some fail on a host without a Debian around it; others EL9 has in packages
# of their own.
rm -rf "${t:?}/$plugins"/{system_upgrade,copr,local,leaves,show_leaves,expired-pgp-keys}.py \
    "${t:?}/$plugins"/{pre,post}-transaction-actions.py \
    "${t:?}"/etc/dnf/plugins/{copr,local,expired-pgp-keys,{pre,post}-transaction-actions}.conf \
    "${t:?}"/usr/{lib/systemd,bin,libexec}
lock=$(tree python3-dnf-plugin-versionlock)
mkdir -p "$lock/$plugins" "$lock/etc/dnf/plugins"
mv "$t/$plugins/versionlock.py" "$lock/$plugins/"
mv "$t"/etc/dnf/plugins/versionlock.* "$lock/etc/dnf/plugins/"
package baseos dnf-plugins-core 4.3.0 13.el9 noarch "$t" <<'X'
Provides: python3-dnf-plugins-core, dnf-command(config-manager)
X
package baseos python3-dnf-plugin-versionlock 4.3.0 13.el9 noarch "$lock" <<'X'
Requires: dnf-plugins-core
Provides: dnf-command(versionlock)
X

t=$(tree rocky-release)
install -D -m 644 "$identity/gpg/rocky" "$t/etc/pki/rpm-gpg/RPM-GPG-KEY-Rocky-9"
file "$t/etc/dnf/vars/contentdir" <<<'pub/rocky'
repository() { # ID NAME DIRECTORY ENABLED
    cat <<X
[$1]
name=Rocky Linux \$releasever - $2
baseurl=https://dl.rockylinux.org/\$contentdir/\$releasever/$3/\$basearch/os/
gpgcheck=1
enabled=$4
countme=1
metadata_expire=6h
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-Rocky-9

X
}
{
    repository baseos BaseOS BaseOS 1
    repository appstream AppStream AppStream 1
    repository crb CRB CRB 0
} | file "$t/etc/yum.repos.d/rocky.repo"
repository extras Extras extras 1 | file "$t/etc/yum.repos.d/rocky-extras.repo"
package baseos rocky-release 9.4 1.7.el9 noarch "$t" <<'X'
Provides: system-release = 9.4, system-release(releasever) = 9, redhat-release = 9.4
X

t=$(tree epel-release)
install -D -m 644 "$identity/gpg/epel" "$t/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9"
file "$t/etc/yum.repos.d/epel.repo" <<'X'
[epel]
name=Extra Packages for Enterprise Linux $releasever - $basearch
baseurl=https://dl.fedoraproject.org/pub/epel/$releasever/Everything/$basearch/
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9
X
package extras epel-release 9 7.el9 noarch "$t" </dev/null

# stubs REPO < lines of NAME VERSION [TAGS] : packages that own no file
stubs() {
    local spec=$work/spec/stubs-$1.spec name version tags
    mkdir -p "$work/spec" "$work/rpms/$1"
    {
        printf 'Name: stubs-%s\nVersion: 9.4\nRelease: 1.el9\nSummary: stubs\nLicense: none\nBuildArch: noarch\n' "$1"
        printf '%%description\nNames of packages.\n'
        while read -r name version tags; do
            [[ -n $name ]] || continue
            printf '%%package -n %s\nVersion: %s\nSummary: %s, whose programs are in the base image\n' \
                "$name" "$version" "$name"
            [[ -z $tags ]] || printf 'Provides: %s\n' "$tags"
            printf 'AutoReqProv: no\n%%description -n %s\nProvided by the base image of the lab.\n%%files -n %s\n' \
                "$name" "$name"
        done
    } >"$spec"
    build "$1" noarch "$spec"
}

# Installed on every host, as on a minimal EL9 (finish.sh reads the list).
cat >"$work/installed-stubs" <<'X'
bash 5.1.8 /bin/sh, /bin/bash, /usr/bin/bash, /usr/bin/sh
coreutils 8.32
glibc 2.34
systemd 252
dbus 1.12.20
sudo 1.9.5p2
openssh 8.7p1
openssh-server 8.7p1
openssh-clients 8.7p1
python3 3.9.18 /usr/bin/python3
python3-libs 3.9.18
dnf 4.14.0
yum 4.14.0
rpm 4.16.1.3
chrony 4.5
crontabs 1.11
cronie 1.5.7
curl 7.76.1
ca-certificates 2023.2.60
openssl 3.0.7
iproute 6.2.0
iputils 20210202
hostname 3.23
procps-ng 3.3.17
util-linux 2.37.4
shadow-utils 4.9
passwd 0.80
kmod 28
xfsprogs 6.3.0
e2fsprogs 1.46.5
iptables-nft 1.8.10 iptables = 1.8.10
iptables-libs 1.8.10
nftables 1.0.9
python3-nftables 1.0.9
ipset 7.11
firewalld-filesystem 1.3.4
ethtool 6.2
tar 1.34
xz 5.2.5
gzip 1.12
less 590
vim-minimal 8.2.2637
logrotate 3.18.0
libselinux 3.6
policycoreutils 3.6
device-mapper 1.02.197
device-mapper-libs 1.02.197
selinux-policy 38.1.35
selinux-policy-targeted 38.1.35
attr 2.5.1
acl 2.3.1
findutils 4.8.0
grep 3.6
sed 4.8
gawk 5.1.0
X
stubs baseos <"$work/installed-stubs"
stubs appstream <<'X'
container-selinux 2.229.0
policycoreutils-python-utils 3.6
rsync 3.2.3
yum-utils 4.3.0
dnf-utils 4.3.0
wget 1.21.1
unzip 6.0
bzip2 1.0.8
jq 1.6
python3-pip 21.3.1
lvm2 2.03.23
device-mapper-persistent-data 0.9.0
rpcbind 1.2.6
bind-utils 9.16.23
net-tools 2.0
vim-enhanced 8.2.2637
tcpdump 4.99.0
lsof 4.94.0
psmisc 23.4
nmap-ncat 7.92
socat 1.7.4.1
git-core 2.43.0
bash-completion 2.11
audit 3.1.2
fuse3 3.10.2
perl-libs 5.32.1
X
stubs crb <<'X'
libmemcached-awesome 1.1.0
X
