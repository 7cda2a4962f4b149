//! Clusters of other shapes than three hosts with everything on each.

use super::lab::Lab;
use super::site::Site;

/// Each is told by its first letters, which look the same in a shell, in YAML, SQL, JSON and a URL; the rest does not.
const PASSWORDS: [(&str, &str); 5] = [
    ("pg_pass", "zq1super'\"$\\`%@:/?# {{}} \\\\"),
    ("pg_repl_pass", "zq2repl'\"$(id)\\`%@:/?#&= {{ x }}"),
    ("pg_pool_pass", "zq3pool'\"$\\`%@:/?# {{}};|"),
    ("pg_kompira_pass", "zq4app'\"$\\`%@:/?# {{}}+é~"),
    ("pg_pool_key", "zq5key'\"$\\`%@:/?# {{}}"),
];
const TELLTALES: &[&str] = &["zq1super", "zq2repl", "zq3pool", "zq4app", "zq5key"];

const VIP: &str = "10.40.1.200";

/// Other names, network, volume, mount, port, users and database, logs on each node, and hostile passwords.
pub fn renamed() -> Lab {
    let names = ["kc-alpha", "kc-beta=10.40.1.7", "kc-gamma"];
    Lab::elsewhere("renamed", &names, "10.40.0.0/23")
}

/// The site of [`renamed`].
pub fn renamed_site(lab: &Lab) -> Site<'_> {
    Site::of(lab)
        .stack()
        .secrets(&PASSWORDS, TELLTALES)
        .var("cluster_vip", VIP)
        .var("gluster_volume", "shared_vol")
        .var("gluster_mount", "/srv/kompira-share")
        .var("gluster_brick", "/data/brick/shared_vol")
        .var("data_path_port", "7789")
        .var("kompira_log_dir", "/var/log/kompira-local")
        .var("pg_user", "dbadmin")
        .var("pg_repl_user", "replicator")
        .var("pg_pool_user", "pgwatch")
        .var("pg_kompira_user", "ke_app")
        .var("pg_kompira_db", "ke_data")
}

/// What the names and numbers of [`renamed_site`] have become.
pub fn renamed_used(lab: &Lab) {
    let address = lab.sh_all(&format!("ip -o -4 addr show to {VIP}/32"));
    let address = address.concat();
    assert_eq!(address.matches("10.40.1.200/23").count(), 1, "{address}");
    let port = lab.sh(1, "docker info --format '{{.Swarm.Cluster.DataPathPort}}'");
    assert_eq!(port, "7789\n");
    for host in lab.hosts() {
        let mounted = lab.sh(host, "findmnt -no FSTYPE,SOURCE /srv/kompira-share");
        assert!(mounted.contains("shared_vol"), "{mounted}");
        // The application's password from every host, through the virtual address, as a word and in a URL.
        let who = psql(lab, host, "ke_app", PASSWORDS[3].1, VIP, "9999", "ke_data");
        assert_eq!(who, "ke_app|f\n");
    }
    for (user, password) in [("dbadmin", PASSWORDS[0].1), ("pgwatch", PASSWORDS[2].1)] {
        let who = psql(lab, 2, user, password, VIP, "9999", "postgres");
        assert_eq!(who, format!("{user}|f\n"));
    }
    let wrong =
        "PGPASSWORD=ke_app psql -XAtw -h 10.40.1.200 -p 9999 -U ke_app -d ke_data -c 'select 1'";
    assert!(!lab.try_sh(1, wrong).status.success());
    // `.pgpass` and `.pcppass` as the scripts use them.
    for host in lab.hosts() {
        let as_postgres = "cd /; runuser -u postgres --";
        for (user, database) in [("dbadmin", "postgres"), ("pgwatch", "postgres")] {
            let line = format!(
                "{as_postgres} psql -wXAt -h kc-beta -U {user} -d {database} -c 'select current_user'"
            );
            assert_eq!(lab.sh(host, &line), format!("{user}\n"));
        }
        let line = format!(
            "{as_postgres} psql -wXAt 'host=kc-beta user=replicator replication=true dbname=replication' -c IDENTIFY_SYSTEM"
        );
        lab.sh(host, &line);
        let nodes = lab.sh(
            host,
            &format!("{as_postgres} env PCPPASSFILE=/var/lib/pgsql/.pcppass pcp_node_count -w -h localhost -p 9898 -U pgwatch"),
        );
        assert_eq!(nodes, "3\n");
    }
    used_url(lab);
}

/// The URL that the containers have, and that it opens the door.
fn used_url(lab: &Lab) {
    let urls = lab.sh(
        1,
        "docker service inspect ke2_kompira --format '{{range .Spec.TaskTemplate.ContainerSpec.Env}}{{println .}}{{end}}' | sed -n 's/^DATABASE_URL=pgsql:/postgresql:/p'",
    );
    let url = urls.trim().replace("host.docker.internal", VIP);
    assert!(
        url.starts_with(
            "postgresql://ke_app:zq4app%27%22%24%5C%60%25%40%3A%2F%3F%23%20%7B%7B%7D%7D"
        ),
        "{url}"
    );
    let who = lab.sh(3, &format!("psql -XAtw '{url}' -c 'select current_user'"));
    assert_eq!(who, "ke_app\n");
    let logs = lab.sh_all("ls -A /var/log/kompira-local; test ! -e /srv/kompira-share/log; stat -c %m /var/log/kompira-local");
    for log in logs {
        assert!(log.lines().count() > 1 && log.ends_with("\n/\n"), "{log}");
    }
}

fn psql(
    lab: &Lab,
    host: usize,
    user: &str,
    password: &str,
    at: &str,
    port: &str,
    database: &str,
) -> String {
    let password = shlex::try_quote(password).unwrap();
    lab.sh(
        host,
        &format!("PGPASSWORD={password} psql -XAtw -h {at} -p {port} -U {user} -d {database} -c 'select current_user, pg_is_in_recovery()'"),
    )
}

/// Five managers that mount a volume of three bricks, and the database on the last three of them.
pub fn five(lab: &Lab) -> Site<'_> {
    let all = [1, 2, 3, 4, 5];
    Site::of(lab)
        .stack()
        .var("cluster_vip", "10.20.0.100")
        .var("gluster_brick", "/data/brick/gvol0")
        .group("managers", &all)
        .group("gluster", &all)
        .group("kompira", &all)
        .group("database", &[3, 4, 5])
}

/// What [`five`] has become.
pub fn five_used(lab: &Lab) {
    let roster = lab.sh(
        1,
        "docker node ls --format '{{.Status}} {{.ManagerStatus}}'",
    );
    assert_eq!(roster.matches("Reachable").count(), 4, "{roster}");
    assert_eq!(roster.matches("Leader").count(), 1, "{roster}");
    let volume = lab.sh(4, "gluster --mode=script volume info gvol0");
    assert!(volume.contains("Number of Bricks: 1 x 3 = 3"), "{volume}");
    let pool = lab.sh(5, "gluster --mode=script pool list");
    assert_eq!(pool.matches("Connected").count(), 5, "{pool}");
    lab.sh_all("mountpoint -q /mnt/gluster");
    for blank in [1, 2] {
        lab.sh(blank, "! test -e /usr/pgsql-16 && ! rpm -q pgpool-II-pg16");
    }
    // The nodes without a Pgpool-II of their own reach the database through the virtual address.
    database_host(lab, "10.20.0.100");
}

/// Three hosts of the Swarm, and three others of the database.
pub fn apart(lab: &Lab) -> Site<'_> {
    let (swarm, database) = ([1, 2, 3], [4, 5, 6]);
    Site::of(lab)
        .stack()
        .var("cluster_vip", "10.20.0.100")
        .var("gluster_brick", "/data/brick/gvol0")
        .group("managers", &swarm)
        .group("gluster", &swarm)
        .group("kompira", &swarm)
        .group("database", &database)
}

/// What [`apart`] has become.
pub fn apart_used(lab: &Lab) {
    for host in [1, 2, 3] {
        lab.sh(host, "! test -e /usr/pgsql-16; docker info >/dev/null");
    }
    for host in [4, 5, 6] {
        lab.sh(host, "! rpm -q docker-ce glusterfs-server; ! test -e /mnt/gluster; systemctl is-active pgpool postgresql-16");
    }
    database_host(lab, "10.20.0.100");
}

fn database_host(lab: &Lab, host: &str) {
    let environment = lab.sh(
        1,
        "docker service inspect ke2_kengine --format '{{range .Spec.TaskTemplate.ContainerSpec.Env}}{{println .}}{{end}}'",
    );
    assert!(
        environment.contains(&format!("@{host}:9999/kompira")),
        "{environment}"
    );
}

/// A file server and a database that are somebody else's: the last host of the lab is not in the inventory.
pub fn borrowed<'a>(lab: &'a Lab, export: &str, database: &str) -> Site<'a> {
    let hosts: Vec<usize> = lab.hosts().filter(|host| *host != 4).collect();
    Site::of(lab)
        .stack()
        .only(&hosts)
        .secrets(&[("database_url", database)], &["zq6outside"])
        .var("shared_dir_nfs", export)
}

/// A database on the last host, made by hand.
pub fn borrow_database(lab: &Lab) -> String {
    lab.sh(
        4,
        "set -e\n\
         dnf -y -q install https://download.postgresql.org/pub/repos/yum/reporpms/EL-9-x86_64/pgdg-redhat-repo-latest.noarch.rpm >/dev/null\n\
         dnf -qy module disable postgresql >/dev/null; dnf -y -q install postgresql16-server >/dev/null\n\
         /usr/pgsql-16/bin/postgresql-16-setup initdb >/dev/null\n\
         echo \"listen_addresses = '*'\" >>/var/lib/pgsql/16/data/postgresql.conf\n\
         echo 'host all all 0.0.0.0/0 scram-sha-256' >>/var/lib/pgsql/16/data/pg_hba.conf\n\
         systemctl enable -q --now postgresql-16\n\
         firewall-cmd -q --add-port=5432/tcp; firewall-cmd -q --permanent --add-port=5432/tcp\n\
         cd /; echo \"create role kompira login password 'zq6outside@:/?'; create database kompira owner kompira\" |\n\
         runuser -u postgres -- /usr/pgsql-16/bin/psql -Xq -v ON_ERROR_STOP=1",
    );
    "pgsql://kompira:zq6outside%40%3A%2F%3F@10.20.0.4:5432/kompira".to_owned()
}

/// A database that cannot be reached stops everything before anything is changed, and says who tried what.
pub fn unreachable_database(lab: &Lab, site: &Site<'_>) {
    let state = "rpm -qa | sort; cat /etc/hosts /etc/fstab";
    let before = lab.sh_all(state);
    let refused = |reason: &str| {
        let ended = site.run(&["--output", "json"]).expect(3);
        assert!(ended.done().is_empty(), "{}", ended.out);
        let refusals = ended.plan()["refusals"].to_string();
        for host in ["ke2-server1", "ke2-server2", "ke2-server3"] {
            let words = format!("{host}: tried 10.20.0.4:5432 over TCP: {reason}");
            assert!(refusals.contains(&words), "{refusals}");
        }
        assert!(refusals.contains("\"K30\""), "{refusals}");
        assert!(!refusals.contains("zq6outside"), "{refusals}");
    };
    lab.sh(4, "systemctl stop postgresql-16");
    refused("Connection refused");
    // A firewall that swallows what it does not let in.
    lab.sh(
        4,
        "systemctl start postgresql-16; nft add table inet swallow; nft add chain inet swallow in '{ type filter hook input priority -10; }'; \
         nft add rule inet swallow in tcp dport 5432 drop",
    );
    refused("no answer within 4 s");
    lab.sh(4, "nft delete table inet swallow");
    let after = lab.sh_all(state);
    assert_eq!(before[..3], after[..3]);
}

/// What [`borrowed`] has become.
pub fn borrowed_used(lab: &Lab) {
    for host in [1, 2, 3] {
        let mounted = lab.sh(host, "findmnt -no SOURCE /mnt/gluster");
        assert_eq!(mounted, "10.20.0.254:/export\n");
        lab.sh(
            host,
            "! rpm -qa | grep -E '^(glusterfs-server|postgresql|pgpool)'; ! systemctl cat glusterd pgpool 2>/dev/null; \
             ! firewall-cmd --list-all | grep -E 'glusterfs|5432|9999'",
        );
    }
    let tables = lab.sh(
        4,
        "cd /; runuser -u postgres -- psql -XAtc \"select count(*) > 0 from pg_tables where schemaname = 'public'\" kompira",
    );
    assert_eq!(tables, "t\n", "the application uses it");
}

/// Numbers of hosts that no majority gains by: told with the arithmetic, and planned all the same.
pub fn even(lab: &Lab) {
    let two = Site::of(lab)
        .only(&[1, 2])
        .var("cluster_vip", "10.20.0.100")
        .var("gluster_brick", "/data/brick/gvol0")
        .var("gluster_replica", "2");
    two.run(&["--dry-run"])
        .expect(0)
        .says(&["S11: 2 managers", "G21", "P28"]);
    let four = Site::of(lab)
        .var("cluster_vip", "10.20.0.100")
        .var("gluster_brick", "/data/brick/gvol0")
        .var("gluster_replica", "4");
    four.run(&["--dry-run"])
        .expect(0)
        .says(&["S11: 4 managers", "G21", "P28"]);
    let one_and_two = Site::of(lab)
        .only(&[1, 2, 3])
        .group("managers", &[1])
        .group("workers", &[2, 3]);
    one_and_two.run(&["--dry-run"]).expect(0).says(&["S11"]);
}
