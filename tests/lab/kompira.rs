//! The stack of Kompira on lab hosts that have a shared directory and a database already.

use super::inventory::Inventory;
use super::lab::{Lab, address_of, name_of};
use std::path::PathBuf;

/// The layers that the stack needs, and its own, which the built-in site leaves out.
const LAYERS: &str = "\
- import_playbook: hosts.yml
- import_playbook: packages.yml
- import_playbook: docker.yml
- import_playbook: firewall.yml
- import_playbook: swarm.yml
- import_playbook: glusterfs.yml
- import_playbook: kompira.yml
";

/// The variables that the lab needs: its kernel has no ip_vs, and its containers may not raise their limits.
pub fn inventory(lab: &Lab, base: Inventory, images: &str, name: &str) -> PathBuf {
    std::fs::write(
        lab.files.path().join("overlay.yml"),
        "services:\n  jobmngrd: { ulimits: !reset {} }\n  kengine: { ulimits: !reset {} }\n",
    )
    .unwrap();
    let playbooks = lab.files.path().join("playbooks");
    std::fs::create_dir_all(&playbooks).unwrap();
    std::fs::write(playbooks.join("site.yml"), LAYERS).unwrap();
    base.var("nginx_port_mode", "host")
        .var("rabbitmq_port_mode", "host")
        .var("stack_endpoint_mode", "dnsrr")
        .var("stack_overlay", "overlay.yml")
        .var("image_archives", images)
        .write(lab, name)
}

/// All tasks run, the second run finds nothing, and every check passes.
pub fn converged(lab: &Lab, inventory: &std::path::Path) {
    let again = lab.provision_with(inventory, &["--detailed-exitcode", "--dry-run"]);
    again.expect(0).says(&["nothing to do"]);
    let tasks = lab.sh(
        1,
        "docker service ls --format '{{.Name}} {{.Replicas}}' | sort",
    );
    let wanted = "ke2_jobmngrd 3/3 (max 1 per node)\nke2_kengine 3/3 (max 1 per node)\nke2_kompira 3/3 (max 1 per node)\nke2_nginx 3/3 (max 1 per node)\nke2_rabbitmq 3/3 (max 1 per node)\nke2_redis 1/1\n";
    assert_eq!(tasks, wanted);
    let tested = lab
        .verb_with("test", inventory, &["--output", "json"])
        .expect(0);
    let checks = tested.events();
    let passed = |check: &str| {
        checks
            .iter()
            .filter(|event| event["check"] == check && event["outcome"] == "passed")
            .count()
    };
    assert_eq!(
        (passed("https"), passed("file"), passed("rabbitmq")),
        (3, 3, 3),
        "{}",
        tested.out
    );
    let left = lab.sh(1, "ls -A /mnt/gluster | grep provision-test || true");
    assert_eq!(left, "", "a test leaves no trace");
}

/// The keys: the application's own is kept, the authority's is on this machine alone, the document is root's.
pub fn secrets(lab: &Lab, inventory: &std::path::Path) {
    let key = lab.sh(
        1,
        "sha256sum </mnt/gluster/var/.secret_key; stat -c %s /mnt/gluster/var/.secret_key",
    );
    assert!(!key.trim().ends_with("\n0"), "{key}");
    let files = lab.sh(2, "ls /mnt/gluster/ssl");
    assert_eq!(files, "local-ca.crt\nserver.crt\nserver.key\n");
    let kept = lab.files.path().join("kompira-ca/local-ca.key");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mode = lab.sh(
        1,
        "stat -c '%a %U' /etc/kompira/ke2 /etc/kompira/ke2/docker-swarm.yml",
    );
    assert_eq!(mode, "700 root\n600 root\n");
    lab.sh(
        1,
        "docker stack config -c /etc/kompira/ke2/docker-swarm.yml >/dev/null",
    );
    // Another authority is never put over the one that clients trust.
    std::fs::rename(
        lab.files.path().join("kompira-ca"),
        lab.files.path().join("kompira-ca.away"),
    )
    .unwrap();
    lab.provision_with(inventory, &["--dry-run"]).expect(0);
    std::fs::rename(
        lab.files.path().join("kompira-ca.away"),
        lab.files.path().join("kompira-ca"),
    )
    .unwrap();
    let now = lab.sh(
        1,
        "sha256sum </mnt/gluster/var/.secret_key; stat -c %s /mnt/gluster/var/.secret_key",
    );
    assert_eq!(now, key);
}

/// What people do to a stack by hand, and a changed declaration.
pub fn changes(lab: &Lab, inventory: &std::path::Path) {
    lab.sh(1, "docker service scale -d ke2_nginx=2");
    lab.provision_with(inventory, &[])
        .expect(3)
        .says(&["K14", "2 tasks instead of 3"]);
    let allowed = ["--allow", "revert-service=ke2_nginx"];
    lab.provision_with(inventory, &allowed).expect(0);
    converged(lab, inventory);
    // A config of another content: a new object, and the old one gone.
    let configs = || lab.sh(1, "docker config ls --format '{{.Name}}' | grep nginx");
    let before = configs();
    let changed = lab.files.path().join("templates/kompira");
    std::fs::create_dir_all(&changed).unwrap();
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/kompira/nginx.conf");
    let text = std::fs::read_to_string(own).unwrap();
    std::fs::write(changed.join("nginx.conf"), text + "# of our own\n").unwrap();
    lab.provision_with(inventory, &[]).expect(0);
    let after = configs();
    assert!(
        before != after && after.lines().count() == 1,
        "{before}{after}"
    );
    converged(lab, inventory);
    std::fs::remove_dir_all(lab.files.path().join("templates")).unwrap();
    lab.provision_with(inventory, &[]).expect(0);
}

/// Removal, and what stays.
pub fn removed(lab: &Lab, inventory: &std::path::Path) {
    let absent = ["-e", "stack_state=absent"];
    lab.provision_with(inventory, &absent)
        .expect(3)
        .says(&["K20", "--allow remove-stack=ke2"]);
    let allowed = [&absent[..], &["--allow", "remove-stack=ke2"]].concat();
    lab.provision_with(inventory, &allowed).expect(0);
    assert_eq!(lab.sh(1, "docker service ls -q"), "");
    assert!(
        lab.sh(1, "docker volume ls -q")
            .contains("swarm_kompira_rmq")
    );
    lab.sh(1, "[ -s /mnt/gluster/var/.secret_key ]");
}

/// A database on the first host, as an external one.
pub fn external_database(lab: &Lab) -> String {
    lab.sh(
        1,
        "set -e\n\
         dnf -y -q install https://download.postgresql.org/pub/repos/yum/reporpms/EL-9-x86_64/pgdg-redhat-repo-latest.noarch.rpm >/dev/null\n\
         dnf -qy module disable postgresql >/dev/null; dnf -y -q install postgresql16-server >/dev/null\n\
         /usr/pgsql-16/bin/postgresql-16-setup initdb >/dev/null\n\
         echo \"listen_addresses = '*'\" >>/var/lib/pgsql/16/data/postgresql.conf\n\
         echo 'host all all 0.0.0.0/0 scram-sha-256' >>/var/lib/pgsql/16/data/pg_hba.conf\n\
         systemctl enable -q --now postgresql-16\n\
         firewall-cmd -q --add-port=5432/tcp; firewall-cmd -q --permanent --add-port=5432/tcp\n\
         cd /; echo \"create role kompira login password 'p@ss:0123'; create database kompira owner kompira\" |\n\
         runuser -u postgres -- /usr/pgsql-16/bin/psql -Xq -v ON_ERROR_STOP=1",
    );
    assert_eq!(name_of(1), "ke2-server1");
    format!(
        "pgsql://kompira:p%40ss%3A0123@{}:5432/kompira",
        address_of(1)
    )
}
