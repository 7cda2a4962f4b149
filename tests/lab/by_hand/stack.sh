#!/usr/bin/env bash
# The stack, as somebody deploys it who followed the source document: folders, key and certificates on the share, configs
# without a hash in their names, no labels. What the lab cannot do (IPVS, limits of processes) is left out.
set -euo pipefail
: "${HOSTS:?names of the hosts}"

share=/mnt/gluster
mkdir -p $share/{log,var,ssl}
: >$share/var/.secret_key

# --- an authority and a certificate with the names of all hosts
cd $share/ssl
umask 077
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout local-ca.key -out local-ca.crt \
    -subj "/CN=Kompira local CA ($(hostname))" -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=$(hostname)" 2>/dev/null
names=
for host in $HOSTS; do
    names+=",DNS:$host"
done
openssl x509 -req -in server.csr -CA local-ca.crt -CAkey local-ca.key -CAcreateserial -days 3650 -out server.crt -extfile <(
    printf '%s\n' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth,clientAuth' \
        'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' "subjectAltName=${names#,}"
) 2>/dev/null
chmod 0644 -- *.crt
rm server.csr

# --- its files
mkdir -p /root/ke2
cd /root/ke2
cat >bootstrap-rabbitmq.sh <<'X'
set -e
mkdir -p /etc/rabbitmq/ssl
cp /run/.kompira_ssl/local-ca.crt /run/.kompira_ssl/server.* /etc/rabbitmq/ssl
chown -R rabbitmq: /etc/rabbitmq/ssl
rabbitmq-plugins enable --offline rabbitmq_auth_mechanism_ssl
exec docker-entrypoint.sh rabbitmq-server
X
cat >auth.conf <<'X'
auth_backends.1 = internal
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = AMQPLAIN
X
cat >ssl.conf <<'X'
listeners.ssl.default = 5671
ssl_options.cacertfile = /etc/rabbitmq/ssl/local-ca.crt
ssl_options.certfile = /etc/rabbitmq/ssl/server.crt
ssl_options.keyfile = /etc/rabbitmq/ssl/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
X
{
    echo 'cluster_partition_handling = pause_minority'
    echo 'cluster_formation.peer_discovery_backend = classic_config'
    n=0
    for host in $HOSTS; do
        echo "cluster_formation.classic_config.nodes.$((n += 1)) = rabbit@mq-$host"
    done
} >cluster.conf
cat >kompira.conf <<'X'
[amqp-connection]
server = rabbitmq
ssl = false
ssl_verify = false
user = guest
password = guest
X
echo 'logging_level: 2' >audit.yaml
cat >nginx.conf <<'X'
resolver 127.0.0.11 valid=5s ipv6=off;
server {
    listen 80;
    location / { return 301 https://$host$request_uri; }
}
server {
    listen 443 ssl;
    ssl_certificate /etc/nginx/ssl/server.crt;
    ssl_certificate_key /etc/nginx/ssl/server.key;
    location / {
        set $to "${KOMPIRA_HOST}:${KOMPIRA_PORT}";
        include uwsgi_params;
        uwsgi_pass $to;
        uwsgi_read_timeout 300s;
    }
}
X
cat >docker-swarm.yml <<'X'
version: "3.8"
x-application: &application
  image: kompira.azurecr.io/kompira-enterprise:2.0.5-latest
  init: true
  extra_hosts: ["host.docker.internal:host-gateway"]
  volumes:
    - /mnt/gluster/var:/var/opt/kompira
    - /mnt/gluster/log:/var/log/kompira
    - /mnt/gluster/ssl:/opt/kompira/ssl:ro
  logging: { driver: local }
x-environment: &environment
  TZ: Asia/Tokyo
  LANGUAGE_CODE: ja
  DATABASE_URL: pgsql://kompira:kompira@host.docker.internal:9999/kompira
  AMQP_URL: amqp://guest:guest@mq-{{.Node.Hostname}}:5672
  CACHE_URL: redis://redis:6379
x-three: &three
  replicas: 3
  placement: { max_replicas_per_node: 1 }
  endpoint_mode: dnsrr
services:
  redis:
    image: registry.hub.docker.com/library/redis:7.2-alpine
    hostname: re-{{.Node.Hostname}}
    deploy: { replicas: 1, endpoint_mode: dnsrr }
  rabbitmq:
    image: registry.hub.docker.com/library/rabbitmq:3.13-alpine
    hostname: mq-{{.Node.Hostname}}
    command: ["/bin/sh", "/run/bootstrap-rabbitmq.sh"]
    environment: { TZ: Asia/Tokyo, RABBITMQ_ERLANG_COOKIE: SECRET_COOKIE, RABBITMQ_USE_LONGNAME: "false" }
    volumes: ["kompira_rmq:/var/lib/rabbitmq", "/mnt/gluster/ssl:/run/.kompira_ssl:ro"]
    ports: [{ target: 5671, published: 5671, mode: host }]
    configs:
      - { source: bootstrap-rabbitmq, target: /run/bootstrap-rabbitmq.sh }
      - { source: rabbitmq-config-auth, target: /etc/rabbitmq/conf.d/20-auth.conf }
      - { source: rabbitmq-config-ssl, target: /etc/rabbitmq/conf.d/30-ssl.conf }
      - { source: rabbitmq-config-cluster, target: /etc/rabbitmq/conf.d/50-cluster.conf }
    deploy: *three
  jobmngrd:
    <<: *application
    hostname: jm-{{.Node.Hostname}}
    command: ["jobmngrd"]
    environment: *environment
    configs: [{ source: kompira-config, target: /opt/kompira/kompira.conf }]
    deploy: *three
  kengine:
    <<: *application
    hostname: ke-{{.Node.Hostname}}
    command: ["kompirad"]
    environment: *environment
    configs: [{ source: kompira-audit, target: /opt/kompira/kompira_audit.yaml }]
    deploy: *three
  kompira:
    <<: *application
    hostname: ap-{{.Node.Hostname}}
    command: ["uwsgi"]
    stop_signal: SIGINT
    environment: *environment
    configs: [{ source: kompira-audit, target: /opt/kompira/kompira_audit.yaml }]
    deploy: *three
  nginx:
    image: registry.hub.docker.com/library/nginx:1.27-alpine
    hostname: nx-{{.Node.Hostname}}
    environment: { KOMPIRA_HOST: kompira, KOMPIRA_PORT: "8000", NGINX_ENVSUBST_FILTER: "^KOMPIRA" }
    volumes: ["/mnt/gluster/var:/var/opt/kompira", "/mnt/gluster/ssl:/etc/nginx/ssl:ro"]
    ports:
      - { target: 80, published: 80, mode: host }
      - { target: 443, published: 443, mode: host }
    configs: [{ source: nginx-config, target: /etc/nginx/templates/default.conf.template }]
    deploy: *three
networks:
  default: { name: swarm_default }
volumes:
  kompira_rmq: { name: swarm_kompira_rmq }
configs:
  bootstrap-rabbitmq: { file: ./bootstrap-rabbitmq.sh, name: swarm_bootstrap-rabbitmq }
  rabbitmq-config-auth: { file: ./auth.conf, name: swarm_rabbitmq-config-auth }
  rabbitmq-config-ssl: { file: ./ssl.conf, name: swarm_rabbitmq-config-ssl }
  rabbitmq-config-cluster: { file: ./cluster.conf, name: swarm_rabbitmq-config-cluster }
  kompira-config: { file: ./kompira.conf, name: swarm_kompira-config }
  kompira-audit: { file: ./audit.yaml, name: swarm_kompira-audit }
  nginx-config: { file: ./nginx.conf, name: swarm_nginx-config }
X
docker stack deploy --resolve-image never -c docker-swarm.yml ke2 >/dev/null 2>&1
answers() {
    for host in $HOSTS; do
        [ "$(curl -s -o /dev/null -w '%{http_code}' --cacert $share/ssl/local-ca.crt "https://$host/.login")" = 200 ] || return 1
    done
}
for _ in $(seq 180); do
    ! answers || exit 0
    sleep 1
done
docker stack ps ke2 --no-trunc
for host in $HOSTS; do
    curl -sS --cacert $share/ssl/local-ca.crt "https://$host/.login" || true
done
exit 1
