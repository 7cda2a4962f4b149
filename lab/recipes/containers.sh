#!/bin/bash
# containers.sh DEST MIRROR : the container images of the Kompira stack as archives for `docker load`,
# DEST/<name>-<tag>.tar, under the names the stack asks for.
#
# Debian trixie supplies the programs, busybox the shell and the small tools, as in the Alpine
# images. Packages are unpacked, never configured. Each image is two layers: `base`, which all
# share, and its own. The archives are plain tar with manifest.json first; the layers in it are
# compressed.
set -euo pipefail
dest=$1 mirror=$2
recipes=$(dirname "$0")
work=$dest/work
mkdir -p "$work/layers"

# --- packages
apt=$work/apt
# shellcheck source-path=SCRIPTDIR
. "$recipes/apt.sh"
apt_at "$apt"

declare -A packages=(
    [base]="busybox-static libc6 libstdc++6 zlib1g libzstd1 libssl3t64 libcrypt1 libcap-ng0 tzdata ca-certificates"
    [redis]="redis-tools"
    [rabbitmq]="rabbitmq-server"
    [nginx]="nginx gettext-base"
    [kompira]="uwsgi-plugin-python3 python3-psycopg2 python3-redis python3-amqp"
)
# What dependencies name for the sake of installation, of maintainer scripts and of tools nobody calls.
declare -A unwanted=(
    [all]="adduser base-passwd debconf dpkg gcc-14-base init-system-helpers libaudit-common libdebconfclient0
        libpam-modules libpam-modules-bin libsemanage-common libsemanage2 libsepol2 login.defs openssl passwd
        readline-common redis-server tar"
    [redis]="libbsd0 libmd0"
    [rabbitmq]="libbsd0 libmd0 libexpat1 libffi8 libproc2-0 libpython3-stdlib libpython3.13-minimal libpython3.13-stdlib
        libreadline8t64 libsqlite3-0 libuuid1 media-types procps python3 python3-minimal python3.13 python3.13-minimal
        socat libwrap0 libacl1 libbz2-1.0 liblzma5 libpcre2-8-0 libselinux1 libdb5.3t64"
    [nginx]="iproute2 libbpf1 libcap2-bin libcom-err2 libdb5.3t64 libelf1t64 libgssapi-krb5-2 libk5crypto3
        libkeyutils1 libkrb5-3 libkrb5support0 libmnl0 libselinux1 libtirpc-common libtirpc3t64 libxtables12"
)

# of NAME : the packages of an image, with all they depend on.
of() {
    # shellcheck disable=SC2086 # a list of words
    closure ${packages[$1]}
}
in_base=" $(of base | tr '\n' ' ') "
# unpack NAME : the tree of an image's own layer.
unpack() {
    local package wanted=() except=" ${unwanted[all]} ${unwanted[$1]-} "
    [ "$1" = base ] || except+=$in_base
    for package in $(of "$1"); do
        [[ $except == *[[:space:]]"$package"[[:space:]]* ]] || wanted+=("$package")
    done
    unpack_debs "$work/$1" "$apt/$1" "${wanted[@]}"
}
# put TREE/PATH [MODE] < CONTENT
put() {
    mkdir -p "$(dirname "$work/$1")"
    rm -f "$work/$1"
    cat >"$work/$1"
    chmod "${2:-644}" "$work/$1"
}
# libraries NAME : a program whose library nobody brought would only fail when it is first run.
libraries() {
    local file library
    find "$work/base" "$work/$1" -name '*.so*' -printf '%f\n' | sort -u >"$work/$1.libraries"
    find "$work/$1" -type f \( -perm /111 -o -name '*.so*' \) -print0 | while IFS= read -r -d '' file; do
        { readelf -d "$file" 2>/dev/null || true; } | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
            grep -qxF "$library" "$work/$1.libraries" || echo "$1: ${file#"$work/$1"} wants $library"
        done
    done >"$work/$1.missing"
    [ ! -s "$work/$1.missing" ] || { cat "$work/$1.missing" >&2; return 1; }
}

# --- layers and archives
# layer NAME : DEST/work/layers/NAME.tar.zst, its digest before compression beside it.
layer() {
    tar -C "$work/$1" --sort=name --mtime=@1700000000 --numeric-owner --format=gnu -cf "$work/layers/$1.tar" .
    sha256sum "$work/layers/$1.tar" | cut -d' ' -f1 >"$work/layers/$1.sha256"
    zstd -q --rm -6 -T0 "$work/layers/$1.tar"
}
# archive NAME FILE REFERENCE < JSON of the image's `config` : one image.
archive() {
    local place=$work/archive-$1 config base own
    base=$(<"$work/layers/base.sha256") own=$(<"$work/layers/$1.sha256")
    mkdir "$place"
    ln "$work/layers/base.tar.zst" "$place/$base.tar"
    ln "$work/layers/$1.tar.zst" "$place/$own.tar"
    printf '{"architecture":"amd64","os":"linux","created":"2023-11-14T22:13:20Z","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]},"history":[{"created":"2023-11-14T22:13:20Z","created_by":"containers.sh base"},{"created":"2023-11-14T22:13:20Z","created_by":"containers.sh %s"}]}' \
        "$(cat)" "$base" "$own" "$1" >"$place/config.json"
    config=$(sha256sum "$place/config.json" | cut -d' ' -f1).json
    mv "$place/config.json" "$place/$config"
    printf '[{"Config":"%s","RepoTags":["%s"],"Layers":["%s.tar","%s.tar"]}]\n' "$config" "$3" "$base" "$own" >"$place/manifest.json"
    tar -C "$place" --mtime=@1700000000 --owner=0 --group=0 --mode=644 --format=gnu -cf "$dest/$2.tar" manifest.json "$config" "$base.tar" "$own.tar"
}

# --- base
mkdir -p "$work"/base/{usr/{bin,sbin,lib,lib64},etc,proc,sys,dev,run,tmp,root,var/{lib,log,tmp}}
for directory in bin sbin lib lib64; do
    ln -s "usr/$directory" "$work/base/$directory"
done
ln -s ../run "$work/base/var/run"
chmod 1777 "$work"/base/{tmp,var/tmp}
unpack base
for applet in $("$work/base/usr/bin/busybox" --list); do
    [ -e "$work/base/usr/bin/$applet" ] || ln -s busybox "$work/base/usr/bin/$applet"
done
# The entry points give up root with it; busybox's cannot, and comes first unless the path is given.
(cd "$apt" && apt-get -qq download util-linux)
dpkg-deb --fsys-tarfile "$apt"/util-linux_*.deb | tar -xC "$work/base" ./usr/bin/setpriv
find "$work/base/usr/share/ca-certificates" -name '*.crt' -print0 | sort -z | xargs -0 cat | put base/etc/ssl/certs/ca-certificates.crt
put base/etc/passwd <<'X'
root:x:0:0:root:/root:/bin/sh
rabbitmq:x:100:101:rabbitmq:/var/lib/rabbitmq:/bin/sh
nginx:x:101:102:nginx:/var/cache/nginx:/bin/false
redis:x:999:1000:redis:/data:/bin/false
nobody:x:65534:65534:nobody:/:/bin/false
X
put base/etc/group <<'X'
root:x:0:
rabbitmq:x:101:
nginx:x:102:
redis:x:1000:
nogroup:x:65534:
X
put base/etc/nsswitch.conf <<'X'
passwd: files
group: files
hosts: files dns
X
put base/etc/os-release <<'X'
ID=debian
PRETTY_NAME="Debian trixie, unpacked for the lab"
X
layer base

# --- redis
unpack redis
# The package of the server itself holds little but this link.
ln -s redis-check-rdb "$work/redis/usr/bin/redis-server"
mkdir -p "$work/redis/data"
chown 999:1000 "$work/redis/data"
put redis/usr/local/bin/docker-entrypoint.sh 755 <"$recipes/redis-entrypoint.sh"
libraries redis
layer redis
archive redis redis-7.2-alpine registry.hub.docker.com/library/redis:7.2-alpine <<'X'
{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["docker-entrypoint.sh"],"Cmd":["redis-server"],"WorkingDir":"/data","Volumes":{"/data":{}},"ExposedPorts":{"6379/tcp":{}}}
X

# --- rabbitmq
unpack rabbitmq
# Debian's wrappers in /usr/sbin change users by themselves; the official image has upstream's scripts.
mkdir "$work/rabbitmq/opt"
mv "$work"/rabbitmq/usr/lib/rabbitmq/lib/rabbitmq_server-* "$work/rabbitmq/opt/rabbitmq"
rm -rf "$work"/rabbitmq/{usr/sbin,usr/lib/rabbitmq,usr/lib/ocf,etc/rabbitmq}
mkdir -p "$work"/rabbitmq/{etc/rabbitmq/conf.d,var/lib/rabbitmq,var/log/rabbitmq}
put rabbitmq/etc/rabbitmq/conf.d/10-defaults.conf <<'X'
## The official image's own: the log goes to standard output, and guest may come from other hosts.
log.console = true
loopback_users.guest = false
X
chown -R 100:101 "$work"/rabbitmq/{etc/rabbitmq,var/lib/rabbitmq,var/log/rabbitmq}
put rabbitmq/usr/local/bin/docker-entrypoint.sh 755 <"$recipes/rabbitmq-entrypoint.sh"
libraries rabbitmq
layer rabbitmq
archive rabbitmq rabbitmq-3.13-alpine registry.hub.docker.com/library/rabbitmq:3.13-alpine <<'X'
{"Env":["PATH=/opt/rabbitmq/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","HOME=/var/lib/rabbitmq","RABBITMQ_DATA_DIR=/var/lib/rabbitmq","RABBITMQ_PLUGINS_DIR=/opt/rabbitmq/plugins","LANG=C.UTF-8"],"Entrypoint":["docker-entrypoint.sh"],"Cmd":["rabbitmq-server"],"Volumes":{"/var/lib/rabbitmq":{}},"ExposedPorts":{"4369/tcp":{},"5671/tcp":{},"5672/tcp":{},"25672/tcp":{}}}
X

# --- nginx
unpack nginx
rm -rf "$work"/nginx/{etc/nginx,var}
mkdir -p "$work"/nginx/{docker-entrypoint.d,etc/nginx/conf.d,etc/nginx/templates,var/cache/nginx,var/lib/nginx,var/log/nginx,usr/share/nginx/html}
ln -s /dev/stdout "$work/nginx/var/log/nginx/access.log"
ln -s /dev/stderr "$work/nginx/var/log/nginx/error.log"
dpkg-deb --fsys-tarfile "$apt"/nginx/nginx-common_*.deb | tar -xC "$work/nginx" ./etc/nginx/{mime.types,uwsgi_params,fastcgi_params,scgi_params}
put nginx/etc/nginx/nginx.conf <"$recipes/nginx.conf"
put nginx/docker-entrypoint.sh 755 <"$recipes/nginx-entrypoint.sh"
libraries nginx
layer nginx
archive nginx nginx-1.27-alpine registry.hub.docker.com/library/nginx:1.27-alpine <<'X'
{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/docker-entrypoint.sh"],"Cmd":["nginx","-g","daemon off;"],"StopSignal":"SIGQUIT","ExposedPorts":{"80/tcp":{}}}
X

# --- kompira
unpack kompira
mkdir -p "$work"/kompira/{opt/kompira/ssl,var/opt/kompira,var/log/kompira}
for module in "$recipes"/*.py; do
    put "kompira/usr/lib/kompira/${module##*/}" <"$module"
done
for command in jobmngrd kompirad uwsgi; do
    put "kompira/usr/local/bin/$command" 755 <"$recipes/$command"
done
libraries kompira
layer kompira
archive kompira kompira-enterprise-2.0.5-latest kompira.azurecr.io/kompira-enterprise:2.0.5-latest <<'X'
{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8","PYTHONPATH=/usr/lib/kompira","PYTHONUNBUFFERED=1"],"WorkingDir":"/opt/kompira","ExposedPorts":{"8000/tcp":{}}}
X
rm -rf "$work"
