#!/bin/sh
# Entry point of the lab's rabbitmq image.
set -eu
case "$1" in
rabbitmq*)
    if [ "$(id -u)" = 0 ]; then
        if [ "$1" = rabbitmq-server ]; then
            find "$RABBITMQ_DATA_DIR" ! -user rabbitmq -exec chown rabbitmq '{}' +
        fi
        exec /usr/bin/setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups -- "$0" "$@"
    fi
    ;;
esac
export RABBITMQ_MNESIA_BASE="$RABBITMQ_DATA_DIR/mnesia"
# Long names where the host has one, unless told.
if [ -z "${RABBITMQ_USE_LONGNAME:-}" ] && [ "$(hostname)" != "$(hostname -s)" ]; then
    export RABBITMQ_USE_LONGNAME=true
fi
exec "$@"
