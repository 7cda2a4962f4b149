# pgpool.sh : Pgpool-II as pgpool.net packages it for EL9. Debian's 4.6 is served for both
# release packages, of 4.5 and of 4.6.
# shellcheck shell=bash disable=SC2154 # see rpm.sh

pgpool=$(<"$payload/version/pgpool2")
source=$payload/source/pgpool2/src
etc=etc/pgpool-II

t=$(tree pgpool-II-pg16)
unpack "$t" pgpool2 libpgpool2
rm -rf "${t:?}"/{etc/pgpool2,usr/lib/systemd,usr/lib/tmpfiles.d}
mkdir -p "$t/usr/bin" "$t/$etc/sample_scripts" "$t/var/log/pgpool_log"
mv "$t"/usr/sbin/* "$t/usr/bin/"
rmdir "$t/usr/sbin"
mv "$t/usr/share/pgpool2" "$t/usr/share/pgpool-II"
rm -f "$t/usr/share/pgpool-II/pgpool.conf"
install -m 755 "$source"/sample/scripts/* "$t/$etc/sample_scripts/"
sed -i 's#/usr/pgsql-1[0-9]#/usr/pgsql-16#' "$t/$etc"/sample_scripts/*
for name in pcp.conf pgpool.conf pool_hba.conf; do
    install -m 600 "$source/sample/$name.sample" "$t/$etc/$name.sample"
done
# Debian's program has other defaults compiled in than upstream's package.
sed -i -e "s|^#\(unix_socket_directories\|pcp_socket_dir\|wd_ipc_socket_dir\) = '/tmp'|#\1 = '/var/run/postgresql'|" \
    -e "s|^#pid_file_name = .*|pid_file_name = '/var/run/pgpool/pgpool.pid'|" \
    -e "s|^#logdir = .*|logdir = '/tmp'|" \
    "$t/$etc/pgpool.conf.sample"
for name in pcp.conf pgpool.conf pool_hba.conf; do
    cp -p "$t/$etc/$name.sample" "$t/$etc/$name"
done
install -m 600 /dev/null "$t/$etc/pool_passwd"
# It also looks for its files where Debian has them.
ln -s pgpool-II "$t/etc/pgpool2"
file "$t/etc/sysconfig/pgpool" <<'X'
OPTS=" -n"
STOP_OPTS=" -m fast"
X
file "$t/etc/sudoers.d/pgpool" 440 <<<'postgres ALL=NOPASSWD: /sbin/ip, /usr/sbin/ip, /usr/sbin/arping'
file "$t/usr/lib/tmpfiles.d/pgpool-II-pg16.conf" <<'X'
d /run/pgpool 0755 postgres postgres -
d /run/postgresql 0755 postgres postgres -
X
file "$t/usr/lib/systemd/system/pgpool.service" <<'X'
[Unit]
Description=Pgpool-II
After=syslog.target network.target postgresql-16.service
[Service]
User=postgres
Group=postgres
EnvironmentFile=-/etc/sysconfig/pgpool
ExecStart=/usr/bin/pgpool -f /etc/pgpool-II/pgpool.conf $OPTS
ExecStop=/usr/bin/pgpool -f /etc/pgpool-II/pgpool.conf $STOP_OPTS stop
ExecReload=/usr/bin/pgpool -f /etc/pgpool-II/pgpool.conf reload
[Install]
WantedBy=multi-user.target
X
package pgpool pgpool-II-pg16 "$pgpool" 1pgdg.rhel9 x86_64 "$t" <<X
Requires: libmemcached-awesome, sudo, iproute
Provides: pgpool-II = $pgpool, pgpool-II-pcp = $pgpool
%pre
$add_postgres
%post
/sbin/ldconfig
$reload_units
systemd-tmpfiles --create pgpool-II-pg16.conf
%preun
[ "\$1" -gt 0 ] || systemctl --no-reload disable --now pgpool.service >/dev/null 2>&1 || :
%files
%attr(755,postgres,postgres) %dir /$etc
%attr(755,postgres,postgres) %dir /$etc/sample_scripts
%attr(755,postgres,postgres) /$etc/sample_scripts/*
%attr(600,postgres,postgres) %config(noreplace) /$etc/pcp.conf
%attr(600,postgres,postgres) %config(noreplace) /$etc/pgpool.conf
%attr(600,postgres,postgres) %config(noreplace) /$etc/pool_hba.conf
%attr(600,postgres,postgres) %config(noreplace) /$etc/pool_passwd
%attr(440,root,root) %config(noreplace) /etc/sudoers.d/pgpool
%attr(744,postgres,postgres) %dir /var/log/pgpool_log
X

t=$(tree pgpool-II-pg16-extensions)
mkdir -p "$t"/usr/pgsql-16/{lib/postgresql,share/postgresql/extension}
for extension in "$databases"/extensions/*; do
    install -m 755 "$extension"/*.so "$t/usr/pgsql-16/lib/postgresql/"
    install -m 644 "$extension"/*.control "$extension"/*--*.sql "$t/usr/pgsql-16/share/postgresql/extension/"
    for script in pgpool-recovery pgpool-regclass; do
        [[ ! -e $extension/$script.sql ]] ||
            install -m 644 "$extension/$script.sql" "$t/usr/pgsql-16/share/postgresql/extension/"
    done
done
package pgpool pgpool-II-pg16-extensions "$pgpool" 1pgdg.rhel9 x86_64 "$t" <<'X'
Requires: postgresql16-server, pgpool-II-pg16
X

for series in 4.5 4.6; do
    t=$(tree "pgpool-II-release-$series")
    install -D -m 644 "$identity/gpg/pgpool" "$t/etc/pki/rpm-gpg/RPM-GPG-KEY-PGPOOL2"
    file "$t/etc/yum.repos.d/pgpool-II-release-${series/./}.repo" <<X
[pgpool${series/./}]
name=Pgpool-II $series Repository
baseurl=https://www.pgpool.net/yum/rpms/$series/redhat/rhel-\$releasever-\$basearch
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-PGPOOL2
X
    package "pgpool-release-$series" pgpool-II-release "$series" 1 noarch "$t" </dev/null
done
