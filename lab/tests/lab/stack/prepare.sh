# prepare.sh : Docker and the shared directory on each host, a database and certificates on the first.
set -eu
exec >/root/prepare.log 2>&1
systemctl disable --now firewalld
curl -sSf -o /etc/yum.repos.d/docker-ce.repo https://download.docker.com/linux/centos/docker-ce.repo
dnf -q -y install docker-ce nfs-utils
systemctl enable --now docker
mkdir -p /srv/kompira
mount -t nfs 10.20.0.254:/export /srv/kompira
[ "$(hostname)" = ke2-server1 ] || exit 0

dnf -q -y install https://download.postgresql.org/pub/repos/yum/reporpms/EL-9-x86_64/pgdg-redhat-repo-latest.noarch.rpm
dnf -q -y module disable postgresql
dnf -q -y install postgresql16-server
/usr/pgsql-16/bin/postgresql-16-setup initdb
echo 'host all all all scram-sha-256' >>/var/lib/pgsql/16/data/pg_hba.conf
printf "listen_addresses = '*'\nport = 9999\n" >>/var/lib/pgsql/16/data/postgresql.conf
systemctl start postgresql-16
cd /
su postgres -c 'psql -v ON_ERROR_STOP=1 -p 9999' <<'SQL'
CREATE ROLE kompira LOGIN PASSWORD 'p@s s''/:%"?#$`\é';
CREATE DATABASE kompira OWNER kompira;
SQL
mkdir /srv/kompira/var /srv/kompira/log /srv/kompira/ssl
: >/srv/kompira/var/.secret_key
cd /srv/kompira/ssl
openssl req -x509 -newkey rsa:2048 -nodes -keyout /root/local-ca.key -out local-ca.crt -subj '/CN=Kompira local CA' \
    -addext keyUsage=critical,keyCertSign,cRLSign
openssl req -newkey rsa:2048 -nodes -keyout server.key -out /root/server.csr -subj /CN=ke2-server1
printf 'subjectAltName=DNS:ke2-server1,DNS:ke2-server2,DNS:ke2-server3\nauthorityKeyIdentifier=keyid\n' >/root/server.ext
openssl x509 -req -in /root/server.csr -CA local-ca.crt -CAkey /root/local-ca.key -CAcreateserial -out server.crt -extfile /root/server.ext
