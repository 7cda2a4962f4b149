#!/bin/bash
# repo.sh DEST PAYLOAD DATABASES ROOTFS IDENTITY NFS : the web sites of the lab's fake internet, one directory
# per host name below DEST/web, with signed RPMs and their metadata under the upstream paths;
# DEST/base/ holds the packages that finish.sh installs into the base image.
set -euo pipefail
dest=$1 payload=$2 databases=$3 rootfs=$4 identity=$5 nfs=$6
recipes=$(dirname "$(readlink -f "$0")")
debs=$payload/debs
work=$dest/work
mkdir -p "$work"

# shellcheck source-path=SCRIPTDIR
{
    . "$recipes/rpm.sh"
    . "$recipes/rocky.sh"
    . "$recipes/nfs-utils.sh"
    . "$recipes/docker.sh"
    . "$recipes/gluster.sh"
    . "$recipes/postgresql.sh"
    . "$recipes/pgpool.sh"
}

export GNUPGHOME=$identity/gnupg
# sign REPO SIGNER : sign the RPMs of REPO, if there are any
sign() {
    compgen -G "$work/rpms/$1/*.rpm" >/dev/null || return 0
    # Without __gpg rpmsign prints the names and signs nothing.
    rpmsign --define "__gpg $(command -v gpg)" --define "_gpg_path $GNUPGHOME" \
        --define "_gpg_name lab $2 <$2@lab.invalid>" --addsign "$work/rpms/$1"/*.rpm >/dev/null
}

# publish REPO SIGNER DIRECTORY : a repository of the RPMs of REPO at DIRECTORY of the web
publish() {
    local target=$dest/web/$3
    mkdir -p "$target/Packages"
    sign "$1" "$2"
    [[ ! -d $work/rpms/$1 ]] || mv "$work/rpms/$1"/*.rpm "$target/Packages/"
    createrepo_c --quiet --compatibility "$target"
}

# release_package REPO SIGNER PATH : the only RPM of REPO as a file of the web
release_package() {
    sign "$1" "$2"
    mkdir -p "$(dirname "$dest/web/$3")"
    mv "$work/rpms/$1"/*.rpm "$dest/web/$3"
}

rocky=dl.rockylinux.org/pub/rocky/9
publish baseos rocky $rocky/BaseOS/x86_64/os
publish appstream rocky $rocky/AppStream/x86_64/os
publish crb rocky $rocky/CRB/x86_64/os
publish extras rocky $rocky/extras/x86_64/os
publish epel epel dl.fedoraproject.org/pub/epel/9/Everything/x86_64

docker=download.docker.com/linux/centos
publish docker docker $docker/9/x86_64/stable
install -m 644 "$identity/gpg/docker" "$dest/web/$docker/gpg"
install -m 644 "$work/docker-ce.repo" "$dest/web/$docker/docker-ce.repo"

ln -s centos "$dest/web/download.docker.com/linux/rhel"

gluster=mirror.stream.centos.org/SIGs/9-stream/storage/x86_64
publish gluster gluster $gluster/gluster-11
ln -s gluster-11 "$dest/web/$gluster/gluster-10"

pgdg=download.postgresql.org/pub/repos/yum
publish pgdg pgdg $pgdg/16/redhat/rhel-9-x86_64
publish pgdg-common pgdg $pgdg/common/redhat/rhel-9-x86_64
install -D -m 644 "$identity/gpg/pgdg" "$dest/web/$pgdg/keys/PGDG-RPM-GPG-KEY-RHEL"
release_package pgdg-release pgdg $pgdg/reporpms/EL-9-x86_64/pgdg-redhat-repo-latest.noarch.rpm

pgpool=www.pgpool.net/yum/rpms
publish pgpool pgpool $pgpool/4.6/redhat/rhel-9-x86_64
install -D -m 644 "$identity/gpg/pgpool" "$dest/web/www.pgpool.net/yum/RPM-GPG-KEY-PGPOOL2"
for series in 4.5 4.6; do
    [[ $series = 4.6 ]] || ln -s 4.6 "$dest/web/$pgpool/$series"
    release_package "pgpool-release-$series" pgpool \
        "$pgpool/4.6/redhat/rhel-9-x86_64/pgpool-II-release-$series-1.noarch.rpm"
done

modifyrepo_c --mdtype=modules "$recipes/modules.yaml" "$dest/web/$rocky/AppStream/x86_64/os/repodata" >/dev/null

mkdir -p "$dest/base"
packages=$dest/web/$rocky/BaseOS/x86_64/os/Packages
for name in firewalld python3-firewall rocky-release $(cut -d' ' -f1 "$work/installed-stubs"); do
    ln "$packages/$name"-[0-9]*.rpm "$dest/base/"
done
gpgconf --kill all
rm -rf "$work"
