# nfs-utils.sh : the NFS client, under EL9's name.
# shellcheck shell=bash disable=SC2154 # see rpm.sh

t=$(tree nfs-utils)
cp -a "$nfs/client/." "$t/"
package baseos nfs-utils 2.5.4 26.el9 x86_64 "$t" <<'X'
Epoch: 1
Requires: rpcbind
X
