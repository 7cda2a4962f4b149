//! Every parser of the probe on output that real hosts gave to the scripts of the probe: `blank` as
//! installed, `swarm` with Docker and a swarm of one, `stopped` with the daemons down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use provision::probe::ask::{Ask, Reply, lower};
use provision::probe::{Answer, PathState, Query, Seen};
use std::path::Path;

fn output(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured");
    std::fs::read(folder.join(name)).unwrap_or_default()
}

/// The answers to questions that share one script, from `NAME.stdout` and `NAME.stderr`.
fn read(name: &str, queries: &[Query]) -> Vec<(Query, Seen<Answer>)> {
    let [stdout, stderr] = ["stdout", "stderr"].map(|end| output(&format!("{name}.{end}")));
    assert!(!(stdout.is_empty() && stderr.is_empty()), "{name}");
    read_output(stdout, stderr, queries)
}

fn read_output(stdout: Vec<u8>, stderr: Vec<u8>, queries: &[Query]) -> Vec<(Query, Seen<Answer>)> {
    let asks: Vec<Ask> = lower(&queries.iter().cloned().collect());
    let [ask] = &asks[..] else {
        panic!("one script: {asks:?}")
    };
    ask.read(&Reply {
        status: 0,
        stdout,
        stderr,
        sent_s: 1_795_232_600.0,
        received_s: 1_795_232_900.0,
    })
}

fn one(name: &str, query: Query) -> Answer {
    let answers = read(name, &[query]);
    let [(_, Seen::Is(answer))] = &answers[..] else {
        panic!("{name}: {answers:?}")
    };
    answer.clone()
}

macro_rules! read_one {
    ($name:expr, $variant:ident) => {
        match one($name, Query::$variant) {
            Answer::$variant(answer) => answer,
            other => panic!("{other:?}"),
        }
    };
}

#[test]
fn machine() {
    let machine = read_one!("machine.blank", Machine);
    assert_eq!(
        (&*machine.os, &*machine.os_version, &*machine.platform),
        ("rocky", "9.4", "platform:el9")
    );
    assert_eq!(machine.os_name, "Rocky Linux 9.4 (Blue Onyx)");
    assert_eq!(
        (&*machine.hostname, &*machine.architecture),
        ("ke2-server1", "x86_64")
    );
    assert_eq!(machine.machine_id, "4d8ead464fee48ac82e431cdd179953f");
    assert_eq!((machine.uid, &*machine.selinux), (0, "Disabled"));
}

#[test]
fn clock() {
    let clock = read_one!("clock.blank", Clock);
    assert_eq!(
        (clock.synchronised, &*clock.source),
        (Some(true), "chronyc")
    );
    assert_eq!(clock.ahead_s, 0.0);
}

#[test]
fn interfaces() {
    let interfaces = read_one!("interfaces.swarm", Interfaces);
    let told: Vec<String> = interfaces
        .iter()
        .map(|one| format!("{} {} {}", one.name, one.addresses.join(","), one.up))
        .collect();
    // The output has docker0 and docker_gwbridge, too.
    assert_eq!(told, ["lo 127.0.0.1/8 true", "eth0 10.20.0.1/24 true"]);
    assert_eq!(read_one!("interfaces.blank", Interfaces).len(), 2);
}

#[test]
fn firewall() {
    let blank = read_one!("firewall.blank", Firewall);
    assert_eq!(blank.zone_of("eth0"), "public");
    let services: Vec<_> = blank.zones["public"].runtime.services.iter().collect();
    assert_eq!(services, ["cockpit", "dhcpv6-client", "ssh"]);
    assert!(blank.zones["public"].permanent.ports.is_empty());

    let swarm = read_one!("firewall.swarm", Firewall);
    assert!(swarm.running);
    // The output has docker0 and docker_gwbridge, too.
    assert!(!swarm.interfaces.contains_key("docker0"));
    assert_eq!(swarm.zone_of("eth0"), "public", "by default");
    assert_eq!(swarm.zones["docker"].runtime.target, "ACCEPT");
    let public = &swarm.zones["public"];
    let now: Vec<_> = public.runtime.ports.iter().collect();
    assert_eq!(now, ["2377/tcp", "7946/udp", "9999/tcp"]);
    let later: Vec<_> = public.permanent.ports.iter().collect();
    assert_eq!(later, ["2377/tcp", "7946/udp", "9998/tcp"]);
    assert!(public.runtime.protocols.contains("esp"));

    let stopped = read_one!("firewall.stopped", Firewall);
    assert!(!stopped.running);
    assert_eq!(stopped.silent, "firewalld is not running");
}

#[test]
fn docker() {
    let blank = read_one!("docker.blank", Docker);
    assert!(!blank.installed && blank.engine.is_none());
    assert_eq!(blank.trace, Default::default());

    let stopped = read_one!("docker.stopped", Docker);
    assert!(stopped.installed && stopped.engine.is_none());
    assert_eq!(stopped.silent, "docker.service is inactive");

    assert!(!stopped.hangs);
    // A manager that looks for a leader: the service is active, and curl has given up.
    let hangs = read_one!("docker.hangs", Docker);
    assert!(hangs.hangs && hangs.engine.is_none() && hangs.trace.state);
    assert!(
        hangs
            .silence()
            .starts_with("its engine runs and does not answer (curl: (28)")
    );

    let swarm = read_one!("docker.swarm", Docker);
    assert!(swarm.trace.state);
    assert_eq!(swarm.trace.ca_sha256.len(), 64);
    assert_eq!(swarm.trace.managers, ["10.20.0.1:2377"]);
    let engine = swarm.engine.unwrap();
    assert!(engine.server_version.starts_with("26.1.5"));
    assert_eq!(engine.swarm.local_node_state, "active");
    assert!(engine.swarm.control_available);
    assert_eq!(engine.swarm.remote_managers[0].addr, "10.20.0.1:2377");
    let cluster = engine.swarm.cluster.unwrap();
    assert_eq!(cluster.data_path_port, 4789);
    assert_eq!(cluster.default_addr_pool, ["10.128.0.0/16"]);
    assert_eq!(cluster.subnet_size, 24);
}

#[test]
fn swarm_nodes() {
    let roster = read_one!("swarm_nodes.swarm", SwarmNodes);
    let nodes = roster.nodes.unwrap();
    let [node] = &nodes[..] else {
        panic!("{nodes:?}")
    };
    assert_eq!(
        (
            &*node.hostname,
            &*node.role,
            &*node.state,
            &*node.reachability
        ),
        ("ke2-server1", "manager", "ready", "reachable")
    );
    assert!(node.leader);
    assert_eq!(node.manager_addr, "10.20.0.1:2377");
    let blank = read_one!("swarm_nodes.blank", SwarmNodes);
    assert_eq!(blank.nodes, None);
    assert_eq!(blank.error, "docker.service is inactive");
}

#[test]
fn packages() {
    let names = ["bash", "docker-ce", "nosuch"].map(|name| Query::Package(name.to_owned()));
    let told: Vec<String> = read("package", &names)
        .into_iter()
        .map(|(_, seen)| match seen {
            Seen::Is(Answer::Package(Some(installed))) => installed.evr,
            Seen::Is(Answer::Package(None)) => "none".to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["5.1.8-1.el9", "3:26.1.4-1.el9", "none"]);
}

#[test]
fn units() {
    let names = ["docker.service", "sshd.service"].map(|name| Query::Unit(name.to_owned()));
    let answers = read("unit", &names);
    let [
        (_, Seen::Is(Answer::Unit(docker))),
        (_, Seen::Is(Answer::Unit(sshd))),
    ] = &answers[..]
    else {
        panic!("{answers:?}")
    };
    assert!(!docker.exists() && !docker.is_active());
    assert!(sshd.exists() && sshd.is_active() && sshd.is_enabled() && !sshd.stale);
}

#[test]
fn paths() {
    let names = [
        "/dev/null",
        "/etc",
        "/etc/hosts",
        "/etc/hosts/x",
        "/etc/localtime",
        "/nope",
    ];
    let told: Vec<String> = read("path", &names.map(|name| Query::Path(name.to_owned())))
        .into_iter()
        .map(|(_, seen)| match seen {
            Seen::Is(Answer::Path(PathState::File {
                sha256,
                size,
                attributes,
            })) => format!(
                "file {size} {:04o} {} {:.8}",
                attributes.mode,
                attributes.owner,
                sha256.unwrap_or_default()
            ),
            Seen::Is(Answer::Path(PathState::Directory { attributes })) => {
                format!("directory {:04o}", attributes.mode)
            }
            Seen::Is(Answer::Path(PathState::Other(kind))) => kind,
            Seen::Is(Answer::Path(PathState::Absent)) => "absent".to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "character special file",
            "directory 0755",
            "file 158 0644 root 498f4942",
            "absent",
            "symbolic link",
            "absent",
        ]
    );
}

#[test]
fn contents() {
    let names = ["/etc", "/etc/hostname", "/etc/resolv.conf", "/nope"];
    let told: Vec<String> = read(
        "content",
        &names.map(|name| Query::Content(name.to_owned())),
    )
    .into_iter()
    .map(|(_, seen)| match seen {
        Seen::Is(Answer::Content(Some(content))) => String::from_utf8(content.bytes).unwrap(),
        Seen::Is(Answer::Content(None)) => "none".to_owned(),
        Seen::Unknown(why) => why,
        other => panic!("{other:?}"),
    })
    .collect();
    assert_eq!(
        told,
        [
            "/etc is not a regular file",
            "ke2-server1\n",
            "nameserver 10.20.0.254\n",
            "none",
        ]
    );
}

#[test]
fn users_and_filesystems() {
    let Answer::User(Some(user)) = one("user", Query::User("rocky".to_owned())) else {
        panic!()
    };
    assert_eq!((user.uid, &*user.home), (1000, "/home/rocky"));
    assert_eq!(user.groups, ["rocky", "wheel"]);
    let query = Query::Filesystem("/var/lib/docker/x".to_owned());
    let Answer::Filesystem(filesystem) = one("filesystem", query) else {
        panic!()
    };
    assert_eq!(
        (&*filesystem.mount_point, &*filesystem.kind),
        ("/var/lib/docker", "ext4")
    );
    assert!(filesystem.free_bytes > 1 << 30);
}

fn pgpool_query() -> Query {
    Query::Pgpool(provision::probe::pgpool::About {
        conf: "/etc/pgpool-II".to_owned(),
        passfile: "/var/lib/pgsql/.pcppass".to_owned(),
        user: "pgpool".to_owned(),
    })
}

fn pgpool(name: &str) -> provision::probe::pgpool::Pgpool {
    match one(name, pgpool_query()) {
        Answer::Pgpool(pgpool) => pgpool,
        other => panic!("{other:?}"),
    }
}

#[test]
fn pgpool_nodes_and_watchdog() {
    let well = pgpool("pgpool.three-up");
    assert!(well.installed && well.node_id == "1");
    let ids: Vec<(u32, &str)> = well
        .backends
        .iter()
        .flatten()
        .map(|(id, host)| (*id, &**host))
        .collect();
    assert_eq!(
        ids,
        [(0, "ke2-server1"), (1, "ke2-server2"), (2, "ke2-server3")]
    );
    let told = |pgpool: &provision::probe::pgpool::Pgpool| -> Vec<String> {
        let nodes = pgpool.nodes.iter().flatten();
        nodes
            .map(|node| {
                format!(
                    "{} {} {} {} {}",
                    node.status, node.pg_status, node.role, node.pg_role, node.replication
                )
            })
            .collect()
    };
    assert_eq!(
        told(&well),
        [
            "waiting up standby standby streaming",
            "up up primary primary none",
            "up up standby standby streaming"
        ]
    );
    let watchdog = well.watchdog.unwrap();
    assert!(watchdog.has_quorum() && watchdog.escalated);
    assert_eq!(watchdog.leader, "ke2-server2");
    assert_eq!(watchdog.state("ke2-server1"), Some("STANDBY"));

    let ill = pgpool("pgpool.one-down");
    assert_eq!(told(&ill)[2], "down down standby unknown none");
    assert_eq!(ill.watchdog.unwrap().state("ke2-server3"), Some("SHUTDOWN"));
}

/// Half a minute has to be between the last change of a node and the host's clock.
#[test]
fn pgpool_has_a_settled_table() {
    let settled = pgpool("pgpool.settled");
    assert!(settled.settled && settled.guarded);
    let text = String::from_utf8(output("pgpool.settled.stdout")).unwrap();
    let taken = text.lines().find_map(|line| line.strip_prefix("now "));
    let settled_at = |now: &str| {
        let stdout = text.replace(taken.unwrap(), now).into_bytes();
        let answers = read_output(stdout, Vec::new(), &[pgpool_query()]);
        let [(_, Seen::Is(Answer::Pgpool(pgpool)))] = &answers[..] else {
            panic!("{answers:?}")
        };
        pgpool.settled
    };
    assert!(settled_at("2026-11-22 22:30:40"));
    assert!(!settled_at("2026-11-22 22:30:39"));
    assert!(!settled_at(""));
    assert!(
        !pgpool("pgpool.three-up").settled,
        "was taken without a clock"
    );
}

#[test]
fn postgres() {
    let about = provision::probe::postgres::About {
        bin: "/usr/pgsql-16/bin".into(),
        data: "/var/lib/pgsql/16/data".into(),
        database: "kompira".into(),
    };
    let read = |name: &str| match one(name, Query::Postgres(about.clone())) {
        Answer::Postgres(postgres) => postgres,
        other => panic!("{other:?}"),
    };
    let primary = read("postgres.primary");
    let server = primary.primary().unwrap();
    assert_eq!(server.version, "16.14");
    assert_eq!(server.identifier, primary.identifier);
    assert_eq!(
        (server.timeline, primary.control.as_ref().unwrap().timeline),
        (1, 1)
    );
    assert!(server.current.is_some() && server.received.is_none());
    assert_eq!(server.senders.len(), 2);
    let sender = server.sender("ke2-server2").unwrap();
    assert_eq!(
        (&*sender.state, &*sender.sync_state, &*sender.address),
        ("streaming", "async", "10.20.0.2")
    );
    assert!(
        server
            .slots
            .iter()
            .all(|slot| slot.active && slot.kind == "physical")
    );
    assert_eq!(server.setting("max_connections"), Some("256"));
    assert_eq!(server.database("kompira").unwrap().owner, "kompira");
    assert!(
        server
            .database("template1")
            .unwrap()
            .extensions
            .contains_key("pgpool_recovery")
    );
    assert_eq!(server.has_tables, Some(false));
    let role = server.role("kompira").unwrap();
    assert!(role.createdb && role.login && !role.superuser);
    assert_eq!(server.role("pgpool").unwrap().member_of, ["pg_monitor"]);
    let password = "k$(touch /tmp/x)'; DROP ROLE x; --: \\";
    let verifier = role.verifier.as_ref().unwrap();
    assert!(verifier.matches(password) && !verifier.matches("kompira"));
    let told = format!("{primary:?}{}", serde_json::to_string(&primary).unwrap());
    assert!(!told.contains("SCRAM-SHA-256$"), "a verifier is shown");
    assert!(primary.files_changed_s.unwrap() <= server.loaded_s);

    let standby = read("postgres.standby");
    let server = standby.standby().unwrap();
    assert!(standby.standby_signal && server.current.is_none() && server.replayed.is_some());
    let receiver = server.receiver.as_ref().unwrap();
    assert_eq!(
        (&*receiver.status, &*receiver.sender_host, &*receiver.slot),
        ("streaming", "ke2-server1", "ke2_server2")
    );

    let former = read("postgres.former");
    assert!(!former.running && !former.standby_signal && former.server.is_none());
    let control = former.control.as_ref().unwrap();
    assert_eq!((&*control.state, control.timeline), ("in production", 1));

    let promoted = read("postgres.promoted");
    let server = promoted.primary().unwrap();
    assert_eq!(server.timeline, 2);
    assert_eq!(server.has_tables, Some(true));
    assert_eq!(promoted.history[0].timeline, 1);
    assert!(promoted.history[0].at > former.control.unwrap().checkpoint);
}
