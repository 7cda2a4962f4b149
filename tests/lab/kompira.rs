//! The stack of Kompira as the last layer of the site: what runs, what is changed, what is removed.

use super::inventory::Inventory;
use super::lab::{Lab, name_of};
use super::provision::Ended;
use std::path::{Path, PathBuf};

/// The inventory of all layers: what the lab needs is in `inventory/lab.yml`, with the reasons.
pub fn inventory(lab: &Lab) -> PathBuf {
    let path = lab.files.path().join("whole.yml");
    if path.exists() {
        return path;
    }
    let images = lab.files.path().join("images").display().to_string();
    lab.run_bare("images", &["--to", &images]);
    let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/lab-overlay.yml");
    std::fs::copy(overlay, lab.files.path().join("overlay.yml")).unwrap();
    Inventory::of(lab)
        .everything()
        .var("nginx_port_mode", "host")
        .var("rabbitmq_port_mode", "host")
        .var("stack_endpoint_mode", "dnsrr")
        .var("stack_overlay", "overlay.yml")
        .var("image_archives", &images)
        .write(lab, "whole.yml")
}

/// A run with it.
pub fn run(lab: &Lab, words: &[&str]) -> Ended {
    lab.provision_with(&inventory(lab), words)
}

/// All tasks run, a second run finds nothing, and every check passes.
pub fn converged(lab: &Lab) {
    run(lab, &["--detailed-exitcode", "--dry-run"])
        .expect(0)
        .says(&["nothing to do"]);
    let tasks = lab.sh(
        1,
        "docker service ls --format '{{.Name}} {{.Replicas}}' | sort",
    );
    let wanted = "ke2_jobmngrd 3/3 (max 1 per node)\nke2_kengine 3/3 (max 1 per node)\nke2_kompira 3/3 (max 1 per node)\nke2_nginx 3/3 (max 1 per node)\nke2_rabbitmq 3/3 (max 1 per node)\nke2_redis 1/1\n";
    assert_eq!(tasks, wanted);
    let tested = lab.verb_with("test", &inventory(lab), &["--output", "json"]);
    let tested = tested.expect(0);
    let checks = tested.events();
    let passed = |check: &str| {
        checks
            .iter()
            .filter(|event| event["check"] == check && event["outcome"] == "passed")
            .count()
    };
    let counts = ["https", "row", "file", "rabbitmq"].map(passed);
    assert_eq!(counts, [3, 3, 3, 3], "{}", tested.out);
    let left = lab.sh(1, "ls -A /mnt/gluster | grep provision-test || true");
    assert_eq!(left, "", "a test leaves no trace");
    let status = lab.verb_with("status", &inventory(lab), &[]).expect(0);
    status.says(&["because 3 nodes of RabbitMQ, 3 healthy, quorum 2"]);
}

/// The keys: the application's own is kept, the authority's is on this machine alone, the document is root's.
pub fn secrets(lab: &Lab) {
    let look = "sha256sum </mnt/gluster/var/.secret_key; stat -c %s /mnt/gluster/var/.secret_key";
    let key = lab.sh(1, look);
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
    // Without its key here nothing is made anew, and the key of the application stays.
    let here = lab.files.path().join("kompira-ca");
    let away = lab.files.path().join("kompira-ca.away");
    std::fs::rename(&here, &away).unwrap();
    run(lab, &["--detailed-exitcode"]).expect(0);
    std::fs::rename(&away, &here).unwrap();
    assert_eq!(lab.sh(1, look), key);
    // Emptied with data in the database: what the application would make anew could not read what is stored.
    let file = "/mnt/gluster/var/.secret_key";
    lab.sh(1, &format!("cp -p {file} /root/key; : >{file}"));
    run(lab, &["--dry-run"]).says(&[
        "if not, it is refused (K4: ",
        ".secret_key is missing or empty",
    ]);
    lab.sh(1, &format!("cat /root/key >{file}; rm /root/key"));
    assert_eq!(lab.sh(1, look), key);
}

/// Docker takes each rendered document, and a service with a port in the routing mesh: that such a port
/// answers cannot be seen here, because the lab's kernel has no ip_vs.
pub fn customisations(lab: &Lab) {
    let place = lab.files.path().join("customised");
    let folder = tempfile::tempdir().unwrap();
    for (name, variables, overlay) in super::customisations::CASES {
        let mut variables = (*variables).to_owned();
        if !overlay.is_empty() {
            std::fs::write(folder.path().join("overlay.yml"), overlay).unwrap();
            variables += ", stack_overlay: overlay.yml";
        }
        let hosts: String = lab
            .hosts()
            .map(|host| {
                format!(
                    "    {}: {{ ansible_host: 10.20.0.{host} }}\n",
                    name_of(host)
                )
            })
            .collect();
        let inventory = folder.path().join("inventory.yml");
        let text = format!("all:\n  vars: {{ {variables} }}\n  hosts:\n{hosts}");
        std::fs::write(&inventory, text).unwrap();
        let out = place.join(name).display().to_string();
        lab.verb_with("stack", &inventory, &["--out", &out])
            .expect(0);
    }
    lab.send(1, &place, "/root/customised");
    let said = lab.sh(
        1,
        "cd /root/customised && for d in *; do docker stack config -c $d/docker-swarm.yml >/root/$d.out 2>/root/$d.err && [ -s /root/$d.out ] || { echo \"$d\"; cat /root/$d.err; }; done",
    );
    assert_eq!(said, "");
    lab.sh(
        1,
        "docker service create --quiet --detach --name mesh --replicas 0 --publish published=18080,target=80,mode=ingress registry.hub.docker.com/library/nginx:1.27-alpine && docker service rm mesh",
    );
}

/// What people do to a stack by hand, and a changed declaration.
pub fn changes(lab: &Lab) {
    lab.sh(
        1,
        "docker service scale -d ke2_nginx=2; docker service create --quiet --detach --name ke2_old --label com.docker.stack.namespace=ke2 --container-label com.docker.stack.namespace=ke2 --replicas 0 registry.hub.docker.com/library/redis:7.2-alpine",
    );
    run(lab, &[])
        .expect(3)
        .says(&["K14", "2 tasks instead of 3"]);
    let allowed = [
        "--allow",
        "revert-service=ke2_nginx",
        "--allow",
        "remove-service=ke2_old",
    ];
    run(lab, &allowed).expect(0);
    // A config of another content: a new object, and the old one gone.
    let configs = || lab.sh(1, "docker config ls --format '{{.Name}}' | grep nginx");
    let before = configs();
    let changed = lab.files.path().join("templates/kompira");
    std::fs::create_dir_all(&changed).unwrap();
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/kompira/nginx.conf");
    let text = std::fs::read_to_string(own).unwrap();
    std::fs::write(changed.join("nginx.conf"), text + "# of our own\n").unwrap();
    run(lab, &[]).expect(0);
    let after = configs();
    assert!(
        before != after && after.lines().count() == 1,
        "{before}{after}"
    );
    converged(lab);
    std::fs::remove_dir_all(lab.files.path().join("templates")).unwrap();
    run(lab, &[]).expect(0);
}

/// What a replaced host looks like to the others: drained, without data, and its node still known to them.
pub fn forgotten(lab: &Lab) {
    let name = name_of(3);
    lab.sh(
        1,
        &format!("docker node update --availability drain {name}"),
    );
    lab.sh(
        3,
        "for _ in $(seq 100); do [ -n \"$(docker ps -q)\" ] || break; sleep 1; done; docker ps -aq | xargs -r docker rm -f >/dev/null; docker volume rm swarm_kompira_rmq",
    );
    let ended = run(lab, &["--output", "json"]).expect(0);
    let wanted = super::plan::step(&format!("stack/forget/{name}"), 3, "repair");
    assert_eq!(ended.done(), [wanted].into());
    let known = lab.sh(
        1,
        "docker exec $(docker ps -q --filter label=com.docker.swarm.service.name=ke2_rabbitmq) rabbitmqctl -q cluster_status --formatter json",
    );
    let known: serde_json::Value = serde_json::from_str(&known).unwrap();
    assert_eq!(known["disk_nodes"].as_array().unwrap().len(), 2, "{known}");
    lab.sh(
        1,
        &format!("docker node update --availability active {name}"),
    );
    // It waits for the tasks, and for RabbitMQ's nodes to see each other.
    run(lab, &[]).expect(0);
    converged(lab);
}

/// Removal, what stays, and the stack made again at once: nodes may still hold on to the one before.
pub fn removed(lab: &Lab) {
    let absent = ["-e", "stack_state=absent"];
    run(lab, &absent)
        .expect(3)
        .says(&["K20", "--allow remove-stack=ke2"]);
    let allowed = [&absent[..], &["--allow", "remove-stack=ke2"]].concat();
    run(lab, &allowed).expect(0);
    assert_eq!(lab.sh(1, "docker service ls -q"), "");
    let volumes = lab.sh(1, "docker volume ls -q");
    assert!(volumes.contains("swarm_kompira_rmq"), "{volumes}");
    lab.sh(1, "[ -s /mnt/gluster/var/.secret_key ]");
    run(lab, &[]).expect(0);
    converged(lab);
    run(lab, &allowed).expect(0);
}
