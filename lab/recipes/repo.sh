#!/bin/bash
# repo.sh DEST PAYLOAD ROOTFS IDENTITY : the web sites of the lab's fake internet, one directory
# per host name below DEST/web, with signed RPMs and their metadata under the upstream paths;
# DEST/base/ holds the packages that finish.sh installs into the base image.
set -euo pipefail
dest=$1 payload=$2 rootfs=$3 identity=$4
recipes=$(dirname "$(readlink -f "$0")")
debs=$payload/debs
work=$dest/work
mkdir -p "$work"

# shellcheck source-path=SCRIPTDIR
{
    . "$recipes/rpm.sh"
    . "$recipes/rocky.sh"
    . "$recipes/docker.sh"
}

export GNUPGHOME=$identity/gnupg
# publish REPO SIGNER DIRECTORY : sign the RPMs of REPO and lay them out at DIRECTORY of the web
publish() {
    local target=$dest/web/$3
    mkdir -p "$target/Packages" "$work/rpms/$1"
    if compgen -G "$work/rpms/$1/*.rpm" >/dev/null; then
        # Without __gpg rpmsign prints the names and signs nothing.
        rpmsign --define "__gpg $(command -v gpg)" --define "_gpg_path $GNUPGHOME" \
            --define "_gpg_name lab $2 <$2@lab.invalid>" --addsign "$work/rpms/$1"/*.rpm >/dev/null
        mv "$work/rpms/$1"/*.rpm "$target/Packages/"
    fi
    createrepo_c --quiet --compatibility "$target" 2>/dev/null || createrepo_c --quiet "$target"
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

mkdir -p "$dest/base"
packages=$dest/web/$rocky/BaseOS/x86_64/os/Packages
for name in firewalld python3-firewall rocky-release $(cut -d' ' -f1 "$work/installed-stubs"); do
    ln "$packages/$name"-[0-9]*.rpm "$dest/base/"
done
gpgconf --kill all
rm -rf "$work"
