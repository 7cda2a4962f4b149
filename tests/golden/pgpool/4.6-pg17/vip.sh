#!/bin/bash
# vip.sh up|down|announce ADDRESS : the cluster's virtual address on this host. Run by Pgpool-II as postgres.
# The interface is the one whose network holds the address, with that network's prefix length.
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
WANTED_INTERFACE=bond0.7
WANTED_PREFIX=23

die() {
    echo "vip.sh: $*" >&2
    exit 1
}

number() {
    local a b c d
    IFS=. read -r a b c d <<<"$1"
    echo $(((a << 24) + (b << 16) + (c << 8) + d))
}

# Says "INTERFACE PREFIX" of the first network that holds the address. The address itself is no evidence: it is what moves.
home() {
    local vip name prefix own mask
    vip=$(number "$1")
    while read -r name own; do
        prefix=${own#*/} own=${own%/*}
        [[ $own != "$1" && $own/$prefix =~ ^[0-9.]+/[0-9]+$ ]] || continue
        [[ -z $WANTED_INTERFACE || $name == "$WANTED_INTERFACE" ]] || continue
        mask=$((prefix == 0 ? 0 : (0xffffffff << (32 - prefix)) & 0xffffffff))
        if (((vip & mask) == ($(number "$own") & mask))); then
            echo "$name ${WANTED_PREFIX:-$prefix}"
            return 0
        fi
    done < <(ip -o -4 addr show up scope global | awk '{ print $2, $4 }')
    return 1
}

[[ $# -eq 2 && $2 =~ ^[0-9]+(\.[0-9]+){3}$ ]] || die "usage: vip.sh up|down|announce ADDRESS"
# Where it is now; a name such as eth0.10@eth0 is eth0.10.
present=$(ip -o -4 addr show to "$2/32" | awk '{ sub(/@.*/, "", $2); print $2, $4 }')
case $1 in
    up)
        [[ -z $present ]] || exit 0
        found=$(home "$2") || die "no interface of this host is in the network of $2"
        exec sudo -n /usr/sbin/ip addr add "$2/${found#* }" dev "${found% *}"
        ;;
    down)
        while read -r name own; do
            [[ -n $name ]] || continue
            sudo -n /usr/sbin/ip addr del "$own" dev "$name" || die "$own stays on $name"
        done <<<"$present"
        ;;
    announce)
        [[ -n $present ]] || die "$2 is not here"
        exec sudo -n /usr/sbin/arping -U "$2" -c 2 -I "${present%% *}"
        ;;
    *) die "usage: vip.sh up|down|announce ADDRESS" ;;
esac
