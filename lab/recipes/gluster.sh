# gluster.sh : GlusterFS as the CentOS Storage SIG packages it. Debian's 11.1 is served for both
# release packages, of gluster10 and of gluster11.
# shellcheck shell=bash disable=SC2154 # see rpm.sh

gluster=$(<"$payload/version/glusterfs-server")

t=$(tree libglusterfs0)
unpack "$t" libglusterfs0 libgfrpc0 libgfxdr0 libgfapi0 libgfchangelog0
package gluster libglusterfs0 "$gluster" 1.el9s x86_64 "$t" <<X
Provides: glusterfs-libs = $gluster, libgfapi0, libgfchangelog0, libgfrpc0, libgfxdr0
%post
/sbin/ldconfig
X

t=$(tree glusterfs)
unpack "$t" glusterfs-common
package gluster glusterfs "$gluster" 1.el9s x86_64 "$t" <<X
Requires: libglusterfs0 = $gluster
%pre
getent group gluster >/dev/null || groupadd -r gluster
getent passwd gluster >/dev/null || useradd -r -g gluster -d /var/lib/glusterd -s /sbin/nologin gluster
%post
mkdir -p /var/log/glusterfs
$reload_units
X

t=$(tree glusterfs-cli)
unpack "$t" glusterfs-cli
package gluster glusterfs-cli "$gluster" 1.el9s x86_64 "$t" <<X
Requires: libglusterfs0 = $gluster
X

t=$(tree glusterfs-fuse)
unpack "$t" glusterfs-client
package gluster glusterfs-fuse "$gluster" 1.el9s x86_64 "$t" <<X
Requires: glusterfs = $gluster, attr
Provides: glusterfs-client-xlators = $gluster
X

t=$(tree glusterfs-server)
unpack "$t" glusterfs-server
rm -rf "${t:?}/etc/ganesha"
# Bricks outlive a restart of glusterd, as with upstream's unit.
sed -i -e 's#/etc/default/glusterd#/etc/sysconfig/glusterd#' -e 's/^KillMode=.*/KillMode=process/' \
    -e '/^Requires=$/d' "$t/usr/lib/systemd/system/glusterd.service"
file "$t/etc/sysconfig/glusterd" <"$debs/glusterfs-server/etc/default/glusterd"
# The scriptlet reloads firewalld, as upstream's does.
package gluster glusterfs-server "$gluster" 1.el9s x86_64 "$t" <<X
Requires: glusterfs = $gluster, glusterfs-cli = $gluster, glusterfs-fuse = $gluster
%post
$reload_units
systemd-tmpfiles --create >/dev/null 2>&1 || :
test -f /usr/bin/firewall-cmd && firewall-cmd --reload --quiet || :
%preun
[ "\$1" -gt 0 ] || systemctl --no-reload disable --now glusterd.service >/dev/null 2>&1 || :
X

for major in 10 11; do
    t=$(tree "centos-release-gluster$major")
    file "$t/etc/yum.repos.d/CentOS-Gluster-$major.repo" <<X
[centos-gluster$major]
name=CentOS-\$releasever - Gluster $major
baseurl=http://mirror.stream.centos.org/SIGs/\$releasever-stream/storage/\$basearch/gluster-$major/
gpgcheck=1
enabled=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-SIG-Storage
X
    package extras "centos-release-gluster$major" 1.0 1.el9s noarch "$t" <<'X'
Requires: centos-release-storage-common
X
done
t=$(tree centos-release-storage-common)
install -D -m 644 "$identity/gpg/gluster" "$t/etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-SIG-Storage"
package extras centos-release-storage-common 2 5.el9s noarch "$t" </dev/null
