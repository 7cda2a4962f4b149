//! What packages need and bring.

use super::machine::Machine;
use provision::plan::Package;

/// The account of PostgreSQL.
const POSTGRES: &str = "postgres";

/// The folder of Pgpool-II's configuration.
pub const CONF: &str = "/etc/pgpool-II";

/// PostgreSQL's data directory.
pub const PGDATA: &str = "/var/lib/pgsql/16/data";

/// Why dnf does not find a package.
fn missing(machine: &Machine, name: &str) -> Option<&'static str> {
    let repo = |file: &str| {
        machine
            .text(&format!("/etc/yum.repos.d/{file}.repo"))
            .contains("enabled=1")
    };
    let from_docker = name.starts_with("docker-") || name == "containerd.io";
    if from_docker && !repo("docker-ce") {
        return Some("no repository of Docker");
    }
    if name.starts_with("glusterfs-") && !machine.has("centos-release-gluster11") {
        return Some("no repository of GlusterFS");
    }
    if name.starts_with("postgresql16") {
        if !repo("pgdg-redhat-all") {
            return Some("no repository of PostgreSQL");
        }
        if !machine
            .text("/etc/dnf/modules.d/postgresql.module")
            .contains("disabled")
        {
            return Some("All matches were filtered out by modular filtering");
        }
    }
    if name.starts_with("pgpool-II") && !machine.crb {
        return Some("nothing provides libmemcached.so.11");
    }
    None
}

/// Installs in one transaction.
///
/// # Errors
/// In dnf's words.
pub fn install(machine: &mut Machine, packages: &[Package], now: u64) -> Result<(), String> {
    for package in packages {
        if let Some(why) = missing(machine, &package.name) {
            return Err(format!("Unable to find a match: {}: {why}", package.name));
        }
    }
    for package in packages {
        let newest = || "3:26.1.5-1.el9".to_owned();
        let evr = package.version.clone().unwrap_or_else(newest);
        if machine.packages.insert(package.name.clone(), evr).is_none() {
            brings(machine, &package.name, now);
        }
    }
    Ok(())
}

fn brings(machine: &mut Machine, name: &str, now: u64) {
    match name {
        "postgresql16-server" => {
            for folder in ["/var/lib/pgsql", "/var/lib/pgsql/16", PGDATA] {
                if !machine.paths.contains_key(folder) {
                    machine.folder(folder, 0o700, POSTGRES);
                }
            }
        }
        "pgpool-II-pg16" => {
            machine.folder(CONF, 0o755, "root");
            machine.folder("/var/log/pgpool_log", 0o755, POSTGRES);
            let mut file = |name: &str, text: &str, owner: &str| {
                machine.file(name, text.as_bytes(), 0o600, owner, now);
            };
            file(&format!("{CONF}/pgpool.conf"), "# sample\n", POSTGRES);
            let hba = "local all all trust\nhost all all 127.0.0.1/32 trust\n";
            file(&format!("{CONF}/pool_hba.conf"), hba, POSTGRES);
            file(
                &format!("{CONF}/pcp.conf"),
                "# USERID:MD5PASSWD\n",
                POSTGRES,
            );
            file(&format!("{CONF}/pool_passwd"), "", POSTGRES);
            file(
                "/etc/sysconfig/pgpool",
                "OPTS=\" -n --discard-status\"\n",
                "root",
            );
        }
        _ => {}
    }
}

/// The package that brings a unit; units of ours are files.
pub fn of_unit(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "docker.service" => "docker-ce",
        "glusterd.service" => "glusterfs-server",
        "postgresql-16.service" => "postgresql16-server",
        "pgpool.service" => "pgpool-II-pg16",
        _ => return None,
    })
}
