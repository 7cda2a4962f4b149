#!/bin/sh
# Entry point of the lab's redis image.
set -e
case "${1#-}" in
"$1") case "$1" in *.conf) set -- redis-server "$@" ;; esac ;;
*) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ]; then
    # Debian's build protects itself from other hosts; the official image's does not.
    set -- "$@" --protected-mode no
    if [ "$(id -u)" = 0 ]; then
        find . ! -user redis -exec chown redis '{}' +
        exec /usr/bin/setpriv --reuid=redis --regid=redis --clear-groups -- "$@"
    fi
fi
exec "$@"
