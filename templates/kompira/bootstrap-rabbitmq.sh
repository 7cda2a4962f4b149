#!/bin/sh
# Starts RabbitMQ in its container. The certificates are on a share that root owns: the server gets copies
# that only it can read.
set -eu
from=/run/.kompira_ssl
to=/etc/rabbitmq/ssl
mkdir -p "$to"
for name in @CA@.crt @CERT@.crt @CERT@.key; do
    install -m 0400 -o rabbitmq -g rabbitmq "$from/$name" "$to/$name"
done
chown rabbitmq:rabbitmq "$to"
chmod 0500 "$to"
rabbitmq-plugins enable --offline rabbitmq_auth_mechanism_ssl
exec docker-entrypoint.sh rabbitmq-server
