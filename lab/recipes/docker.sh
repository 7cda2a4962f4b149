# docker.sh : docker-ce and its companions, under the names, epochs and paths of
# download.docker.com/linux/centos/9.
# shellcheck shell=bash disable=SC2154 # see rpm.sh

engine=$(<"$payload/version/docker.io")

t=$(tree containerd.io)
unpack "$t" containerd runc
rm "$t"/usr/bin/containerd-shim{,-runc-v1}
mv "$t/usr/sbin/runc" "$t/usr/bin/runc"
rmdir "$t/usr/sbin"
file "$t/etc/containerd/config.toml" <<<'disabled_plugins = ["cri"]'
package docker containerd.io "$(<"$payload/version/containerd")" 3.1.el9 x86_64 "$t" <<X
Requires: container-selinux
Provides: containerd = $(<"$payload/version/containerd"), runc = $(<"$payload/version/runc")
Conflicts: containerd, runc
%post
$reload_units
%preun
[ "\$1" -gt 0 ] || systemctl --no-reload disable --now containerd.service >/dev/null 2>&1 || :
X

t=$(tree docker-ce)
unpack "$t" docker.io
mkdir -p "$t/usr/bin"
mv "$t"/usr/sbin/{dockerd,docker-proxy} "$t/usr/bin/"
rm -rf "${t:?}"/{usr/sbin,usr/share/docker.io,etc,usr/bin/docker-init}
cp "$debs/tini/usr/bin/tini-static" "$t/usr/bin/docker-init"
# shellcheck disable=SC2016 # the unit's own variable
sed -i -e 's#/usr/sbin/dockerd#/usr/bin/dockerd#' -e 's# \$DOCKER_OPTS##' -e '/^EnvironmentFile=/d' \
    "$t/usr/lib/systemd/system/docker.service"

t_cli=$(tree docker-ce-cli)
unpack "$t_cli" docker-cli

# Two versions with the same programs inside, so that asking for one of them can be tested.
older=${engine%.*}.$((${engine##*.} - 1))
for version in "$older" "$engine"; do
    package docker docker-ce "$version" 1.el9 x86_64 "$t" <<X
Epoch: 3
Requires: docker-ce-cli, containerd.io >= 1.6.24, container-selinux >= 2.74
Requires: systemd, iptables, tar, xz
Recommends: docker-ce-rootless-extras
Conflicts: docker, docker-io, docker-ee, docker-engine-cs
%pre
getent group docker >/dev/null || groupadd --system docker
%post
$reload_units
%preun
[ "\$1" -gt 0 ] || systemctl --no-reload disable --now docker.service docker.socket >/dev/null 2>&1 || :
%postun
[ "\$1" -eq 0 ] || systemctl try-restart docker.service >/dev/null 2>&1 || :
X
    package docker docker-ce-cli "$version" 1.el9 x86_64 "$t_cli" <<'X'
Epoch: 1
Recommends: docker-buildx-plugin, docker-compose-plugin
Conflicts: docker, docker-io, docker-ee
X
done

t=$(tree docker-compose-plugin)
unpack "$t" docker-compose
rm -rf "${t:?}/usr/bin"
package docker docker-compose-plugin "$(<"$payload/version/docker-compose")" 1.el9 x86_64 "$t" </dev/null

t=$(tree docker-buildx-plugin)
unpack "$t" docker-buildx
package docker docker-buildx-plugin "$(<"$payload/version/docker-buildx")" 1.el9 x86_64 "$t" </dev/null

file "$work/docker-ce.repo" <<'X'
[docker-ce-stable]
name=Docker CE Stable - $basearch
baseurl=https://download.docker.com/linux/centos/$releasever/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=https://download.docker.com/linux/centos/gpg
X
