#!/bin/bash
# identity.sh DEST NAME... : what the lab is known by, made once and kept across images.
#
#   id_ed25519(.pub)   the key every login user of every host accepts
#   ca.crt             certificate authority the hosts trust
#   server.{crt,key}   what the mirror shows for each NAME (a host name of the fake internet)
#   gnupg/, gpg/       one package signing key per upstream, and their public halves
set -euo pipefail
dest=$1
shift

mkdir -p "$dest"
cd "$dest"
ssh-keygen -q -t ed25519 -N '' -C provision-lab -f id_ed25519

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj '/O=provision lab/CN=provision lab root' -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -subj "/CN=$1" -keyout server.key -out server.csr 2>/dev/null
names=$(printf 'DNS:%s,' "$@")
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out server.crt \
    -extfile <(printf 'subjectAltName=%sIP:10.20.0.254\n' "$names") 2>/dev/null
rm server.csr ca.key ca.srl

# Separate keys, as upstream has them: a host that trusts one repository must still
# be asked about the next.
mkdir -m 700 gnupg
mkdir gpg
export GNUPGHOME=$dest/gnupg
for upstream in rocky docker pgdg pgpool gluster epel; do
    gpg --batch --quiet --passphrase '' --quick-generate-key \
        "lab $upstream <$upstream@lab.invalid>" rsa3072 sign never 2>/dev/null
    gpg --batch --quiet --armor --export "$upstream@lab.invalid" >"gpg/$upstream"
done
gpgconf --kill all
