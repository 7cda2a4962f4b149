#!/bin/bash
# payload.sh DEST MIRROR : fetch the Debian packages that are repackaged as EL9 RPMs, unpacked
# to DEST/debs/<package>, upstream's version in DEST/version/<package>, sources in DEST/source. The machine's own apt is of another release, so apt gets a
# configuration of its own that knows nothing of the machine's.
set -euo pipefail
dest=$1 mirror=$2

packages=(
    docker.io docker-cli docker-buildx docker-compose containerd runc tini
    firewalld python3-firewall
    dnf-plugins-core
    libglusterfs0 libgfrpc0 libgfxdr0 libgfapi0 libgfchangelog0
    glusterfs-common glusterfs-cli glusterfs-client glusterfs-server
    pgpool2 libpgpool2
)

apt=$dest/apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial,parts,downloads} "$dest"/{debs,version}
for kind in deb deb-src; do
    echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main"
done >"$apt/sources.list"
cat >"$apt/apt.conf" <<X
Dir::Etc "$apt";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/parts";
Dir::Etc::parts "$apt/parts";
Dir::Etc::preferencesparts "$apt/parts";
Dir::Etc::trustedparts "$apt/parts";
Dir::State::Lists "$apt/lists";
Dir::State::status "/dev/null";
Dir::Cache "$apt/cache";
APT::Architecture "amd64";
APT::Sandbox::User "root";
X
export APT_CONFIG=$apt/apt.conf
apt-get -qq update
cd "$apt/downloads"
apt-get -qq download "${packages[@]}"
for deb in *.deb; do
    package=${deb%%_*}
    dpkg-deb -x "$deb" "$dest/debs/$package"
    version=$(dpkg-deb -f "$deb" Version)
    version=${version#*:}
    echo "${version%%[+~-]*}" >"$dest/version/$package"
done

# Pgpool-II's samples and its server-side extensions are in no binary package we can use.
apt-get -qq --download-only source pgpool2
mkdir -p "$dest/source/pgpool2"
tar -xf pgpool2_*.orig.tar.* -C "$dest/source/pgpool2" --strip-components 1
rm -rf "$apt"
