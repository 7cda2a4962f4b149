# rpm.sh : sourced by the package recipes. Wants $work (scratch), $rootfs (what a host has
# already), $debs (unpacked Debian packages). The recipes also read $payload, $databases, $identity, $nfs.
# shellcheck shell=bash disable=SC2154 # the variables above are set by repo.sh

# tree NAME : a fresh directory that becomes the contents of package NAME
tree() {
    local tree=$work/tree/$1
    mkdir -p "$tree"
    printf '%s' "$tree"
}

# unpack TREE DEB... : merge Debian packages, without what EL packages do not carry
unpack() {
    local tree=$1 deb
    shift
    for deb in "$@"; do
        cp -a "$debs/$deb/." "$tree/"
    done
    rm -rf "${tree:?}"/usr/share/{man,doc,lintian,locale,bash-completion,zsh,fish} \
        "${tree:?}"/etc/{init.d,apparmor.d,default,logrotate.d}
}

# file PATH [MODE] < CONTENT
file() {
    mkdir -p "$(dirname "$1")"
    rm -f "$1"
    cat >"$1"
    chmod "${2:-644}" "$1"
}

# file_list TREE : the %files of a tree; directories of the base image are not owned
file_list() {
    local kind path
    (cd "$1" && find . -mindepth 1 -printf '%y %P\n') | sort -k2 | while read -r kind path; do
        case $kind in
        d) [[ -d $rootfs/$path ]] || printf '%%dir "/%s"\n' "$path" ;;
        f) case $path in
            etc/*) printf '%%config(noreplace) "/%s"\n' "$path" ;;
            *) printf '"/%s"\n' "$path" ;;
            esac ;;
        *) printf '"/%s"\n' "$path" ;;
        esac
    done
}

# package REPO NAME VERSION RELEASE ARCH TREE < FRAGMENT : build one RPM into $work/rpms/REPO.
# FRAGMENT is spec text: tags first, then scriptlets, then %attr lines after a line `%files`.
package() {
    local repo=$1 name=$2 version=$3 release=$4 arch=$5 tree=$6
    local fragment=$work/spec/$name.fragment spec=$work/spec/$name-$version.spec
    mkdir -p "$work/spec" "$work/rpms/$repo"
    cat >"$fragment"
    {
        printf 'Name: %s\nVersion: %s\nRelease: %s\n' "$name" "$version" "$release"
        printf 'Summary: %s, repackaged for the lab\nLicense: see upstream\n' "$name"
        printf 'AutoReqProv: no\n'
        [[ $arch != noarch ]] || printf 'BuildArch: noarch\n'
        sed '/^%/,$d' "$fragment"
        printf '%%description\n%s repackaged from Debian for the lab.\n' "$name"
        printf '%%install\nmkdir -p %%{buildroot}\ncp -a %s/. %%{buildroot}/\n' "$tree"
        sed -n '/^%/,$p' "$fragment" | sed '/^%files$/,$d'
        printf '%%files\n'
        file_list "$tree"
        sed '1,/^%files$/d' "$fragment"
    } >"$spec"
    build "$repo" "$arch" "$spec"
}

# build REPO ARCH SPEC
build() {
    rpmbuild -bb --quiet --nodeps --target "$2-linux" \
        --define "_topdir $work/rpmbuild" --define "_rpmdir $work/rpms/$1" \
        --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
        --define '__os_install_post %{nil}' --define 'debug_package %{nil}' \
        --define '_build_id_links none' --define '_binary_payload w1.gzdio' \
        --define '_unpackaged_files_terminate_build 0' --define 'dist .el9' "$3" >/dev/null
}

# shellcheck disable=SC2034 # used by the package recipes
reload_units='systemctl daemon-reload >/dev/null 2>&1 || :'

# shellcheck disable=SC2034
add_postgres='getent group postgres >/dev/null || groupadd -g 26 -o -r postgres
getent passwd postgres >/dev/null || useradd -M -g postgres -o -r -d /var/lib/pgsql -s /bin/bash -c "PostgreSQL Server" -u 26 postgres'
