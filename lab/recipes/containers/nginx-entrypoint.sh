#!/bin/sh
# Entry point of the lab's nginx image: templates become configuration, with the variables that
# NGINX_ENVSUBST_FILTER lets through.
set -e
if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
    for script in /docker-entrypoint.d/*.sh; do
        if [ -x "$script" ]; then "$script"; fi
    done
    names=$(awk -v filter="${NGINX_ENVSUBST_FILTER:-}" \
        'BEGIN { for (name in ENVIRON) if (name ~ filter) printf "${%s} ", name }')
    templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
    suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
    if [ -d "$templates" ]; then
        find "$templates" -follow -type f -name "*$suffix" | sort | while read -r template; do
            target=${template#"$templates/"}
            target=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}/${target%"$suffix"}
            mkdir -p "${target%/*}"
            envsubst "$names" <"$template" >"$target"
        done
    fi
fi
exec "$@"
