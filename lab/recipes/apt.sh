# apt.sh : sourced by recipes that unpack Debian packages. Expects $mirror.
# shellcheck shell=bash disable=SC2154

# apt_at DIRECTORY : an apt of trixie's that knows nothing of the machine's own packages.
apt_at() {
    mkdir -p "$1"/{lists/partial,archives/partial,parts}
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$1/sources.list"
    cat >"$1/apt.conf" <<X
Dir::Etc "$1";
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "$1/parts";
Dir::Etc::parts "$1/parts";
Dir::Etc::preferencesparts "$1/parts";
Dir::Etc::trustedparts "$1/parts";
Dir::State::Lists "$1/lists";
Dir::State::status "/dev/null";
Dir::Cache "$1";
Dir::Cache::archives "$1/archives";
Debug::NoLocking "true";
APT::Architecture "amd64";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
X
    export APT_CONFIG=$1/apt.conf
    apt-get -qq update
}

# closure PACKAGE... : packages with all they depend on.
closure() {
    apt-get -qq --simulate install "$@" | awk '$1 == "Inst" { print $2 }' | sort
}

# unpack_debs TREE DIRECTORY PACKAGE... : download packages to DIRECTORY, unpack them into TREE.
unpack_debs() {
    local tree=$1 directory=$2 deb
    shift 2
    mkdir -p "$tree" "$directory"
    (cd "$directory" && apt-get -qq download "$@")
    for deb in "$directory"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -xC "$tree" --exclude='./usr/share/'{doc,man,locale,info,lintian,bash-completion,pixmaps} \
            --exclude=./usr/lib/systemd --exclude='./etc/'{init.d,logrotate.d,cron\*,ufw,apparmor.d,default}
    done
}
