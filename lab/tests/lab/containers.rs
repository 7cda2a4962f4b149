//! The container images do what the Kompira stack asks of them: three hosts, the whole stack.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{collections::BTreeSet, thread};

use serde_json::{Value, json};

use crate::handle::Lab;

const HOSTS: [&str; 3] = ["ke2-server1", "ke2-server2", "ke2-server3"];

/// Waits for the stack: it takes a quarter of a minute on a quiet machine.
fn eventually(what: &str, mut look: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while let Err(seen) = look() {
        assert!(
            Instant::now() < deadline,
            "not so after 180 s: {what}: {seen}"
        );
        thread::sleep(Duration::from_millis(500));
    }
}

/// Runs a script as root in a host.
fn root(lab: &Lab, host: &str, script: &str) -> String {
    lab.run("exec", &[host, "--", "bash", "-ec", script])
}

/// Writes a file of a host.
fn write(lab: &Lab, host: &str, path: &str, text: &str) {
    root(
        lab,
        host,
        &format!("mkdir -p $(dirname {path}); cat >{path} <<'END-OF-FILE'\n{text}END-OF-FILE"),
    );
}

/// The answer of the application, asked on each host at its own published port.
fn ask(lab: &Lab, host: &str, page: &str) -> Result<Value, String> {
    let number = &host[host.len() - 1..];
    let command = format!(
        "curl -sS -m 20 --cacert /srv/kompira/ssl/local-ca.crt --resolve {host}:443:10.20.0.{number} \
         https://{host}{page} 2>&1 || true"
    );
    let text = root(lab, host, &command);
    serde_json::from_str(&text).map_err(|_| text)
}

/// The application is well from everywhere, on one cluster of three brokers.
fn all_is_well(lab: &Lab) -> Result<(), String> {
    let mut answered_by = BTreeSet::new();
    // Each host's nginx goes round all nodes.
    for host in HOSTS.iter().cycle().take(9) {
        let login = ask(lab, host, "/.login")?;
        if login["failed"] != json!({}) {
            return Err(format!("{host}: {login}"));
        }
        let status = ask(lab, host, "/.lab/status")?;
        if status["amqp"]["nodes"] != json!(HOSTS.map(|host| format!("mq-{host}"))) {
            return Err(format!("{host}: {status}"));
        }
        answered_by.insert(status["node"].to_string());
    }
    let heard = ask(lab, HOSTS[0], "/.lab/status")?["amqp"]["services"].to_string();
    for service in ["jobmngrd", "kompirad", "uwsgi"] {
        for host in HOSTS {
            if !heard.contains(&format!("\"{service}@{host}\"")) {
                return Err(format!("{service} of {host} is not heard: {heard}"));
            }
        }
    }
    let seen = ask(lab, HOSTS[0], "/.lab/status")?["var"]["seen_age_s"].clone();
    if seen.as_object().is_none_or(|seen| seen.len() != 9) {
        return Err(format!("not every container's file is seen: {seen}"));
    }
    if answered_by.len() < 2 {
        return Err(format!("only {answered_by:?} answers"));
    }
    Ok(())
}

#[test]
#[ignore = "takes two minutes: `make test-lab` runs it"]
fn the_images_form_the_kompira_stack() {
    let lab = Lab::new("images");
    lab.run("up", &["--hosts", "3", "--images"]);
    let files: Vec<_> = fs::read_dir(lab.state().join("images")).unwrap().collect();
    assert_eq!(files.len(), 4);
    lab.run("nfs-server", &[]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/stack");
    let prepare = fs::read_to_string(folder.join("prepare.sh")).unwrap();
    thread::scope(|scope| {
        for host in HOSTS {
            let (lab, prepare) = (&lab, &prepare);
            scope.spawn(move || root(lab, host, prepare));
        }
    });
    let since = Instant::now();
    lab.run("load-images", &["--all"]);
    println!(
        "loaded on three hosts in {:.1} s",
        since.elapsed().as_secs_f64()
    );
    let ids = |host| {
        root(
            &lab,
            host,
            "docker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort",
        )
    };
    let first = ids(HOSTS[0]);
    assert_eq!(first.lines().count(), 4, "{first}");
    assert_eq!((ids(HOSTS[1]), ids(HOSTS[2])), (first.clone(), first));

    root(
        &lab,
        HOSTS[0],
        "docker swarm init --advertise-addr 10.20.0.1",
    );
    let token = root(&lab, HOSTS[0], "docker swarm join-token -q manager");
    for host in &HOSTS[1..] {
        root(
            &lab,
            host,
            &format!("docker swarm join --token {} 10.20.0.1:2377", token.trim()),
        );
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        write(
            &lab,
            HOSTS[0],
            &format!("/root/stack/{name}"),
            &fs::read_to_string(&path).unwrap(),
        );
    }
    root(
        &lab,
        HOSTS[0],
        "cd /root/stack; docker stack deploy --detach=true --resolve-image never -c stack.yml ke2",
    );
    // One that makes the key, then all.
    eventually("the application has made its key", || {
        let key = root(&lab, HOSTS[1], "cat /srv/kompira/var/.secret_key");
        (key.len() > 20).then_some(()).ok_or(key)
    });
    root(
        &lab,
        HOSTS[0],
        "docker service scale --detach ke2_kompira=3",
    );
    eventually("the stack is up", || all_is_well(&lab));

    // Each kind of task dies, on different hosts.
    for (host, service) in [
        (HOSTS[1], "rabbitmq"),
        (HOSTS[2], "kompira"),
        (HOSTS[0], "nginx"),
    ] {
        root(
            &lab,
            host,
            &format!("docker kill $(docker ps -qf name=ke2_{service}.)"),
        );
    }
    eventually("the stack is up again", || all_is_well(&lab));
    let before = ask(&lab, HOSTS[2], "/.lab/status").unwrap()["database"]["rows"]
        .as_u64()
        .unwrap();
    let added: Value = serde_json::from_str(&root(
        &lab,
        HOSTS[0],
        "curl -sSk -d 'a note' https://10.20.0.1/.lab/rows",
    ))
    .unwrap();
    assert_eq!(added["rows"], before + 1);
    assert_eq!(
        root(
            &lab,
            HOSTS[1],
            "curl -sSk https://10.20.0.2/.static/lab.txt"
        ),
        "static\n"
    );

    // A key that is not the database's is an error, and so is an empty one.
    for key in ["", "another"] {
        root(
            &lab,
            HOSTS[0],
            &format!("printf '{key}' >/srv/kompira/var/.secret_key"),
        );
        let login = ask(&lab, HOSTS[0], "/.login").unwrap();
        assert!(
            login["failed"]["database"]
                .to_string()
                .contains("is not the key of the database"),
            "{login}"
        );
    }
}
