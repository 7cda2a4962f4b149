//! The decision table of `pgpool`, row by row: a world of three hosts answers the module's questions, and takes its files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking"
)]

use provision::cluster::pgpool::Pgpool as Module_;
use provision::inventory::HostName;
use provision::module::{Args, Context, Module, Unfit};
use provision::plan::{Act, Allow, Decision};
use provision::probe::network::Interface;
use provision::probe::path::{Attributes, Content};
use provision::probe::pgpool::{Node as Backend, Peer, Pgpool, Watchdog};
use provision::probe::postgres::past::Past;
use provision::probe::postgres::{Control, Data, Fork, Lsn, Postgres, Sender, Server, Setting};
use provision::probe::unit::Unit;
use provision::probe::{Answer, Answers, Memory, PathState, Query, Seen};
use provision::yaml::{Entry, Node, Span, Value};
use std::collections::BTreeMap;

#[path = "cluster_cases/vain.rs"]
mod vain;

const HOSTS: [&str; 3] = ["db1", "db2", "db3"];
const VIP: &str = "10.20.0.100";

#[derive(Clone, Default)]
struct Host {
    silent: bool,
    active: bool,
    /// Its unit has begun to start it.
    activating: bool,
    /// Whether the unit that attaches its standby after a boot is at work.
    attaches: bool,
    /// What it was started with is another configuration.
    stale: bool,
    pgpool: Pgpool,
    postgres: Postgres,
    addresses: Vec<String>,
    files: BTreeMap<String, (Vec<u8>, Attributes)>,
    /// Somebody answers at the virtual address.
    taken: bool,
    /// What it committed past the fork, when that can be read.
    past: Option<u64>,
    allowed: Vec<&'static str>,
}

#[derive(Clone)]
struct World(BTreeMap<&'static str, Host>);

fn node(host: &str, status: &str, role: &str) -> Backend {
    let up = status != "down";
    Backend {
        host: host.to_owned(),
        status: status.to_owned(),
        pg_status: if up { "up" } else { "down" }.to_owned(),
        role: role.to_owned(),
        pg_role: if up { role } else { "unknown" }.to_owned(),
        replication: if up && role == "standby" {
            "streaming"
        } else {
            "none"
        }
        .to_owned(),
    }
}

fn primary() -> Postgres {
    Postgres {
        installed: true,
        data: Data::Present,
        identifier: "7".to_owned(),
        running: true,
        history: vec![Fork {
            timeline: 1,
            at: "0/5000000".parse().unwrap(),
        }],
        server: Some(Box::new(Server {
            identifier: "7".to_owned(),
            timeline: 2,
            current: Some("0/6000000".parse().unwrap()),
            senders: ["db2", "db3"]
                .map(|name| Sender {
                    name: name.to_owned(),
                    state: "streaming".to_owned(),
                    ..Sender::default()
                })
                .to_vec(),
            ..Server::default()
        })),
        ..Postgres::default()
    }
}

fn standby() -> Postgres {
    Postgres {
        standby_signal: true,
        server: Some(Box::new(Server {
            in_recovery: true,
            timeline: 2,
            ..Server::default()
        })),
        ..primary()
    }
}

/// Stopped, with data of timeline 1 as far as this.
fn stopped(state: &str, checkpoint: &str) -> Postgres {
    let checkpoint: Lsn = checkpoint.parse().unwrap();
    Postgres {
        running: false,
        server: None,
        control: Some(Control {
            identifier: "7".to_owned(),
            state: state.to_owned(),
            timeline: 1,
            checkpoint,
            ..Control::default()
        }),
        history: Vec::new(),
        ..primary()
    }
}

impl World {
    /// Installed, and nothing else.
    fn blank() -> Self {
        let host = |n: usize| Host {
            addresses: vec![format!("10.20.0.{n}/24")],
            pgpool: Pgpool {
                installed: true,
                ..Pgpool::default()
            },
            ..Host::default()
        };
        Self((1..=3).map(|n| (HOSTS[n - 1], host(n))).collect())
    }

    /// As it should be: db1 is the primary, and db2 leads the watchdog.
    fn well() -> Self {
        let mut world = Self::blank();
        for (n, name) in HOSTS.into_iter().enumerate() {
            let host = world.0.get_mut(name).unwrap();
            host.active = true;
            host.postgres = if n == 0 { primary() } else { standby() };
            host.pgpool.node_id = n.to_string();
            host.pgpool.backends = Some((0..).zip(HOSTS.map(str::to_owned)).collect());
            host.pgpool.nodes = Some(vec![
                node("db1", "up", "primary"),
                node("db2", "up", "standby"),
                node("db3", "waiting", "standby"),
            ]);
            host.pgpool.watchdog = Some(Watchdog {
                quorum: "QUORUM EXIST".to_owned(),
                leader: "db2".to_owned(),
                escalated: n == 1,
                nodes: HOSTS
                    .map(|host| Peer {
                        host: host.to_owned(),
                        state: if host == "db2" { "LEADER" } else { "STANDBY" }.to_owned(),
                        membership: "MEMBER".to_owned(),
                    })
                    .to_vec(),
            });
        }
        world.at("db2").addresses.push(format!("{VIP}/24"));
        world.settle();
        world
    }

    fn at(&mut self, host: &str) -> &mut Host {
        self.0.get_mut(host).unwrap()
    }

    /// All Pgpool-II nodes see it so.
    fn see(&mut self, seen: Backend) {
        for host in self.0.values_mut() {
            for node in host.pgpool.nodes.iter_mut().flatten() {
                if node.host == seen.host {
                    *node = seen.clone();
                }
            }
        }
    }

    fn answer(&self, name: &HostName, query: &Query) -> Seen<Answer> {
        let host = &self.0[name.as_str()];
        if host.silent {
            return Seen::Unknown("no route to host".to_owned());
        }
        let sum = |path: &str| {
            let (bytes, _) = host.files.get(path)?;
            Some(provision::plan::Content::plain(bytes.clone()).sha256())
        };
        Seen::Is(match query {
            Query::Pgpool(_) => Answer::Pgpool(host.pgpool.clone()),
            Query::Postgres(_) => Answer::Postgres(host.postgres.clone()),
            Query::PostgresPast(about) => {
                assert_eq!(
                    (about.timeline, about.at.to_string()),
                    (1, "0/5000000".to_owned())
                );
                Answer::PostgresPast(Past {
                    commits: host.past,
                    silent: host.past.map_or("the log is gone", |_| "").to_owned(),
                    ..Past::default()
                })
            }
            Query::Interfaces => Answer::Interfaces(vec![Interface {
                name: "eth0".to_owned(),
                driver: String::new(),
                addresses: host.addresses.clone(),
                up: true,
            }]),
            Query::Unit(unit) => Answer::Unit(Unit {
                load: "loaded".to_owned(),
                active: match unit.contains("attach") {
                    true if host.attaches => "active",
                    false if host.activating => "activating",
                    false if host.active => "active",
                    _ => "inactive",
                }
                .to_owned(),
                file: if host.files.is_empty() {
                    "disabled"
                } else {
                    "enabled"
                }
                .to_owned(),
                stale: false,
            }),
            Query::Path(path) => Answer::Path(match host.files.get(path) {
                None => PathState::Absent,
                Some((bytes, attributes)) => PathState::File {
                    sha256: sum(path),
                    size: bytes.len() as u64,
                    attributes: attributes.clone(),
                },
            }),
            Query::Content(path) if path.starts_with("/run/provision/") => {
                let mut bytes = String::new();
                for path in host.files.keys() {
                    let sum = if host.stale {
                        "0".to_owned()
                    } else {
                        sum(path).unwrap()
                    };
                    bytes.push_str(&format!("{sum}  {path}\n"));
                }
                let size = bytes.len() as u64;
                Answer::Content(host.active.then(|| Content {
                    bytes: bytes.into_bytes(),
                    size,
                }))
            }
            Query::Content(path) => {
                Answer::Content(host.files.get(path).map(|(bytes, _)| Content {
                    bytes: bytes.clone(),
                    size: bytes.len() as u64,
                }))
            }
            Query::AddressTaken(_) => Answer::AddressTaken(host.taken),
            other => panic!("{other:?}"),
        })
    }

    fn decide(&self) -> Decision {
        let allowed: Vec<Allow> = self
            .0
            .values()
            .flat_map(|host| host.allowed.iter().map(|text| text.parse().unwrap()))
            .collect();
        self.decided_by(&module_with(VIP, false, &allowed).unwrap())
    }

    fn decided_by(&self, module: &Module_) -> Decision {
        let mut memory = Memory::default();
        loop {
            let seen = Answers::new(&memory);
            match module.look(&seen) {
                Ok(state) => {
                    let decision = module.plan(&state);
                    assert_eq!(vain::begins_in_vain(&decision, &memory), None);
                    return decision;
                }
                Err(need) => {
                    for (host, query) in need.0 {
                        let answer = self.answer(&host, &query);
                        memory.insert(&host, query, answer);
                    }
                }
            }
        }
    }

    /// Takes the files that are planned.
    fn settle(&mut self) {
        for step in self.decide().steps {
            if let Act::WriteFile {
                path,
                content,
                mode,
                owner,
                group,
                ..
            } = step.act
            {
                let attributes = Attributes {
                    mode: mode.unwrap_or(0o644),
                    owner: owner.unwrap_or_else(|| "root".to_owned()),
                    group: group.unwrap_or_else(|| "root".to_owned()),
                };
                let host = self.at(step.subject.as_str());
                host.files.insert(path, (content.bytes, attributes));
            }
        }
    }

    /// The decision in short: `step ID class via HOST`, `refuse CODE`, `advice CODE`, `wait HOST`.
    fn lines(&self) -> Vec<String> {
        let decision = self.decide();
        let steps = decision.steps.iter().map(|step| {
            let via = match &step.via {
                provision::plan::Via::Host(host) => host.to_string(),
                other => format!("{other:?}"),
            };
            format!("{} {} via {via}", step.id, step.class.name())
        });
        let waits = decision
            .waits
            .iter()
            .map(|wait| format!("wait {}", wait.until));
        let refusals = decision
            .refusals
            .iter()
            .map(|refusal| format!("refuse {}", refusal.code));
        let advice = decision
            .advice
            .iter()
            .map(|advice| format!("advice {}", advice.code));
        steps.chain(waits).chain(refusals).chain(advice).collect()
    }
}

fn text(text: &str) -> Node {
    Node {
        span: Span::builtin("case"),
        value: Value::Text(text.to_owned()),
    }
}

fn module(vip: &str) -> Result<Module_, Unfit> {
    module_with(vip, false, &[])
}

fn module_with(vip: &str, only_check: bool, allowed: &[Allow]) -> Result<Module_, Unfit> {
    let hosts: Vec<HostName> = HOSTS.map(HostName::new).to_vec();
    let given = [
        ("vip", vip),
        ("data", "/var/lib/pgsql/16/data"),
        ("bin", "/usr/pgsql-16/bin"),
        ("database", "kompira"),
        ("pcp_user", "pgpool"),
    ];
    let entry = |key: &str, node: Node| Entry {
        key: key.to_owned(),
        key_span: Span::builtin("case"),
        node,
    };
    let mut entries: Vec<Entry> = given
        .iter()
        .map(|(key, value)| entry(key, text(value)))
        .collect();
    entries.push(entry(
        "only_check",
        Node {
            span: Span::builtin("case"),
            value: Value::Bool(only_check),
        },
    ));
    let arguments = Node {
        span: Span::builtin("case"),
        value: Value::Map(entries),
    };
    let addresses = |host: &HostName, name: &str| -> Result<Option<Node>, Unfit> {
        let number = host.as_str().trim_start_matches("db");
        Ok((name == "ansible_host").then(|| text(&format!("10.20.0.{number}"))))
    };
    let context = Context {
        host: &hosts[0],
        group: &hosts,
        user: "root",
        variable: &addresses,
        file: &|_| Ok(Vec::new()),
        template: &|_| Ok(String::new()),
        allowed,
        local: &|path| provision::module::Local {
            path: path.to_owned(),
            bytes: Ok(None),
        },
    };
    let args = Args {
        spec: const { &Module_::SPEC },
        node: &arguments,
    };
    Module_::from_args(&args, &context)
}

fn case(change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::well();
    change(&mut world);
    world.lines()
}

#[test]
fn p1_what_is_well_stays() {
    assert_eq!(World::well().lines(), [""; 0]);
}

#[test]
fn p0_a_blank_cluster_is_planned_whole_and_the_same_twice() {
    let world = World::blank();
    let lines = world.lines();
    assert_eq!(lines, world.lines());
    let of = |verb: &str| {
        let is = |line: &&String| line.starts_with(&format!("pgpool/{verb}/"));
        lines.iter().filter(is).count()
    };
    assert_eq!(
        (of("start"), of("enable"), of("recover")),
        (3, 3, 2),
        "{lines:?}"
    );
    assert_eq!(
        (of("pgpool.ke2-backends.conf"), of("pgpool_node_id")),
        (3, 3)
    );
    assert_eq!(of("recovery_1st_stage"), 1, "only where the primary is");
    let at = |what: &str| {
        lines
            .iter()
            .position(|line| line.starts_with(what))
            .unwrap()
    };
    assert!(at("pgpool/start/db1") < at("pgpool/start/db2"));
    assert!(at("pgpool/start/db3") < at("pgpool/recover/db2"));
}

#[test]
fn p0_nothing_is_founded_past_a_silent_host() {
    let mut world = World::blank();
    world.at("db3").silent = true;
    assert_eq!(world.lines(), ["refuse P9"]);
    world.at("db1").postgres = primary();
    assert_eq!(world.lines(), ["refuse P0"]);
}

#[test]
fn p2_an_empty_host_is_recovered_through_the_leader() {
    let lines = case(|world| {
        world.at("db3").postgres = Postgres::default();
        world.see(node("db3", "down", "standby"));
    });
    assert_eq!(lines, ["pgpool/recover/db3 create via db2"]);
}

#[test]
fn p2_recovery_waits_until_pgpool_has_noticed() {
    let lines = case(|world| world.at("db3").postgres = Postgres::default());
    assert_eq!(
        lines,
        [
            "pgpool/recover/db3 create via db2",
            "wait db2: Pgpool-II sends no queries to db3"
        ]
    );
}

#[test]
fn p2_two_are_recovered_one_after_the_other() {
    let mut world = World::well();
    for host in ["db2", "db3"] {
        world.at(host).postgres = Postgres::default();
        world.see(node(host, "down", "standby"));
    }
    let steps = world.decide().steps;
    assert_eq!(steps.len(), 2);
    let first = steps[0].done.clone().unwrap();
    assert!(steps[1].needs.contains(&first), "{:?}", steps[1].needs);
}

#[test]
fn p3_a_standby_that_is_only_stopped_is_not_copied_anew() {
    let lines = case(|world| {
        world.at("db3").postgres = Postgres {
            standby_signal: true,
            ..stopped("shut down in recovery", "0/4000000")
        };
        world.see(node("db3", "down", "standby"));
    });
    assert_eq!(lines, ["refuse P3"]);
}

#[test]
fn p4_a_former_primary_comes_back_only_with_nothing_to_lose() {
    let with = |state: &str, past: Option<u64>, allowed: &'static str| {
        case(|world| {
            world.at("db3").postgres = stopped(state, "0/4FFFFC8");
            world.at("db3").past = past;
            world.at("db1").allowed = [allowed].into_iter().filter(|it| !it.is_empty()).collect();
            world.see(node("db3", "down", "standby"));
        })
    };
    let back = ["pgpool/recover/db3 repair via db2"];
    assert_eq!(with("shut down", Some(0), ""), back);
    assert_eq!(with("in production", Some(0), ""), back);
    assert_eq!(with("in production", Some(2), ""), ["refuse P4"]);
    // What cannot be read may be anything, and an old permission is for another state.
    assert_eq!(with("shut down", None, ""), ["refuse P4"]);
    let stale = "discard-primary=db3@tli7";
    assert_eq!(with("in production", Some(2), stale), ["refuse P4"]);
    let given_up = "discard-primary=db3@tli1";
    assert_eq!(
        with("in production", Some(2), given_up),
        ["pgpool/recover/db3 create via db2"]
    );
}

#[test]
fn p5_what_streams_is_attached_and_never_recovered() {
    let lines = case(|world| world.see(node("db3", "down", "standby")));
    assert_eq!(lines, ["pgpool/attach/db3 repair via db2"]);
    // After a boot its own unit may be quicker.
    for (attaches, assumptions) in [(true, 1), (false, 0)] {
        let mut world = World::well();
        world.see(node("db3", "down", "standby"));
        world.at("db3").attaches = attaches;
        let steps = world.decide().steps;
        assert_eq!(steps[0].assumes.len(), assumptions, "{steps:?}");
    }
}

#[test]
fn p5_a_primary_that_all_take_for_down_is_attached_first() {
    let lines = case(|world| {
        for (host, role) in [("db1", "standby"), ("db2", "standby"), ("db3", "standby")] {
            world.see(node(host, "down", role));
        }
    });
    assert_eq!(
        lines,
        [
            "pgpool/attach/db1 repair via db2",
            "pgpool/attach/db2 repair via db2",
            "pgpool/attach/db3 repair via db2"
        ]
    );
}

#[test]
fn p6_a_standby_that_does_not_stream_is_left_to_a_person() {
    let lines = case(|world| {
        world.see(node("db3", "down", "standby"));
        let server = world.at("db1").postgres.server.as_mut().unwrap();
        server.senders.pop();
    });
    assert_eq!(lines, ["refuse P6"]);
}

/// db3 waits for db2, and has this much of the primary's history.
fn astray(world: &mut World, timeline: u32, at: &str) {
    let setting = |value: &str| Setting {
        value: value.to_owned(),
        ..Setting::default()
    };
    world.see(node("db3", "down", "standby"));
    let primary = world.at("db1").postgres.server.as_mut().unwrap();
    primary.senders.pop();
    let standby = &mut world.at("db3").postgres;
    standby.history.truncate(timeline as usize - 1);
    let server = standby.server.as_mut().unwrap();
    (server.timeline, server.replayed) = (timeline, Some(at.parse().unwrap()));
    server.settings = BTreeMap::from([
        (
            "primary_conninfo".to_owned(),
            setting("host='db2' port=5432"),
        ),
        ("primary_slot_name".to_owned(), setting("db3")),
    ]);
}

#[test]
fn p6_a_standby_that_waits_for_another_is_led_to_the_primary_and_attached() {
    let led = [
        "pgpool/follow/db3 repair via db3",
        "pgpool/attach/db3 repair via db2",
    ];
    assert_eq!(case(|world| astray(world, 2, "0/6000000")), led);
    assert_eq!(case(|world| astray(world, 1, "0/5000000")), led);
    let attached = case(|world| {
        astray(world, 1, "0/5000000");
        world.see(node("db3", "up", "standby"));
    });
    assert_eq!(attached, led[..1]);
}

#[test]
fn p6_a_standby_that_may_have_more_than_the_primary_is_left_to_a_person() {
    for (timeline, at) in [(1, "0/5000001"), (2, "0/6000001")] {
        assert_eq!(case(|world| astray(world, timeline, at)), ["refuse P6"]);
    }
}

#[test]
fn p7_two_primaries() {
    assert_eq!(
        case(|world| world.at("db3").postgres = primary()),
        ["refuse P7"]
    );
}

#[test]
fn p8_pgpool_takes_another_host_for_the_primary() {
    let lines = case(|world| {
        world.see(node("db1", "up", "standby"));
        world.see(node("db2", "up", "primary"));
    });
    // It may be about to notice a failover; meanwhile nothing is done.
    assert_eq!(
        lines,
        ["wait db2: Pgpool-II takes db1 for the primary", "refuse P8"]
    );
}

#[test]
fn p9_no_primary_and_data() {
    let lines = case(|world| world.at("db1").postgres = standby());
    assert_eq!(lines, ["refuse P9"]);
}

#[test]
fn p11_another_cluster() {
    let lines = case(|world| world.at("db3").postgres.identifier = "8".to_owned());
    assert_eq!(lines, ["refuse P11"]);
}

#[test]
fn p12_the_address_and_the_majority_are_waited_for() {
    let lines = case(|world| {
        world.at("db2").addresses.pop();
    });
    let wait = format!("wait db2: it has the address {VIP}");
    assert_eq!(lines, [wait.clone(), "refuse P12".to_owned()]);
    // What else there is to do does not wait for it.
    let lines = case(|world| {
        world.at("db2").addresses.pop();
        world.at("db3").active = false;
        world.at("db3").pgpool.nodes = None;
        world.at("db3").pgpool.watchdog = None;
    });
    assert!(
        lines.contains(&wait) && lines.iter().any(|line| line.contains("pgpool/start/db3")),
        "{lines:?}"
    );
    let lines = case(|world| {
        for host in world.0.values_mut() {
            let watchdog = host.pgpool.watchdog.as_mut().unwrap();
            watchdog.quorum = "QUORUM ABSENT".to_owned();
        }
    });
    assert!(
        lines.contains(&"wait db1: the watchdog has a majority".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn p12_a_daemon_that_starts_is_waited_for_as_long_as_it_may_take() {
    let silent = |world: &mut World, host: &str| {
        let pgpool = &mut world.at(host).pgpool;
        (pgpool.nodes, pgpool.watchdog) = (None, None);
    };
    let waits = |world: &World, hosts: &[&str], deadline_s: u64| {
        let decision = world.decide();
        let told: Vec<(String, u64)> = decision
            .waits
            .iter()
            .map(|wait| (wait.until.to_string(), wait.deadline_s))
            .collect();
        let serves = |host: &&str| {
            let text = format!("{host}: Pgpool-II answers, and counts in the watchdog");
            (text, deadline_s)
        };
        let wanted: Vec<(String, u64)> = hosts.iter().map(serves).collect();
        assert_eq!(told, wanted);
        assert!(decision.steps.is_empty() && decision.refusals.is_empty());
    };
    for activating in [false, true] {
        let mut world = World::well();
        silent(&mut world, "db3");
        world.at("db3").activating = activating;
        waits(&world, &["db3"], 600);
    }
    let mut world = World::well();
    for host in HOSTS {
        silent(&mut world, host);
    }
    waits(&world, &["db1", "db2", "db3"], 600);
    // One that answers has found a primary.
    let mut world = World::well();
    let watchdog = world.at("db3").pgpool.watchdog.as_mut().unwrap();
    watchdog.nodes[2].state = "INITIALIZING".to_owned();
    waits(&world, &["db3"], 120);
}

#[test]
fn p13_the_address_is_elsewhere() {
    let lines = case(|world| world.at("db3").addresses.push(format!("{VIP}/24")));
    assert_eq!(lines, ["refuse P13"]);
}

#[test]
fn p14_a_stopped_daemon_is_started_and_another_id_refused() {
    let lines = case(|world| {
        let host = world.at("db3");
        host.active = false;
        host.pgpool.nodes = None;
        host.pgpool.watchdog = None;
    });
    assert_eq!(lines, ["pgpool/start/db3 create via db3"]);
    let lines = case(|world| world.at("db3").pgpool.node_id = "1".to_owned());
    assert_eq!(lines, ["refuse P14"]);
}

#[test]
fn p15_backends_files_that_contradict_each_other() {
    let lines = case(|world| {
        let other = [(0, "db2".to_owned()), (1, "db1".to_owned())];
        world.at("db3").pgpool.backends = Some(other.into());
    });
    assert_eq!(lines, ["refuse P15"]);
}

#[test]
fn p16_another_configuration_is_loaded_one_by_one_the_leader_last() {
    let lines = case(|world| world.0.values_mut().for_each(|host| host.stale = true));
    assert_eq!(
        lines,
        [
            "pgpool/restart/db1 restart via db1",
            "pgpool/restart/db3 restart via db3",
            "pgpool/restart/db2 restart via db2"
        ]
    );
}

/// Nobody is disrupted beside a host that is not well: the restarts would wait for the standby that comes after them.
#[test]
fn p16_standbys_are_repaired_before_daemons_that_know_all_nodes_are_restarted() {
    let lost = |world: &mut World| {
        world.0.values_mut().for_each(|host| host.stale = true);
        world.at("db3").postgres = Postgres::default();
        world.see(node("db3", "down", "standby"));
    };
    assert_eq!(
        case(lost),
        [
            "pgpool/recover/db3 create via db2",
            "pgpool/restart/db1 restart via db1",
            "pgpool/restart/db3 restart via db3",
            "pgpool/restart/db2 restart via db2"
        ]
    );
    let detached = case(|world| {
        world.at("db1").stale = true;
        world.see(node("db3", "down", "standby"));
    });
    assert_eq!(
        detached,
        [
            "pgpool/attach/db3 repair via db2",
            "pgpool/restart/db1 restart via db1"
        ]
    );
}

#[test]
fn p16_a_daemon_that_does_not_know_a_node_is_restarted_before_that_is_recovered() {
    let lines = case(|world| {
        for host in ["db1", "db2"] {
            world.at(host).stale = true;
            let nodes = world.at(host).pgpool.nodes.as_mut().unwrap();
            nodes.retain(|node| node.host != "db3");
        }
        world.at("db3").postgres = Postgres::default();
    });
    assert_eq!(
        lines,
        [
            "pgpool/restart/db1 restart via db1",
            "pgpool/restart/db2 restart via db2",
            "pgpool/recover/db3 create via db2"
        ]
    );
}

/// A daemon that is yet to be started reads the files as they are: it does not count.
#[test]
fn p16_a_stopped_daemon_does_not_bring_the_restarts_forward() {
    let lines = case(|world| {
        world.at("db1").stale = true;
        let replaced = world.at("db3");
        replaced.active = false;
        (replaced.pgpool.nodes, replaced.pgpool.watchdog) = (None, None);
        replaced.postgres = Postgres::default();
        world.see(node("db3", "down", "standby"));
    });
    let at = |what: &str| lines.iter().position(|line| line.starts_with(what));
    assert!(at("pgpool/recover/db3").is_some(), "{lines:?}");
    assert!(
        at("pgpool/recover/db3") < at("pgpool/restart/db1"),
        "{lines:?}"
    );
}

#[test]
fn p18_a_slot_that_nobody_uses() {
    let lines = case(|world| {
        let server = world.at("db1").postgres.server.as_mut().unwrap();
        server.slots.push(provision::probe::postgres::Slot {
            name: "gone".to_owned(),
            ..provision::probe::postgres::Slot::default()
        });
    });
    assert_eq!(lines, ["advice P18"]);
}

#[test]
fn p19_the_scripts_in_the_data_directory() {
    let lines = case(|world| {
        world
            .at("db1")
            .files
            .remove("/var/lib/pgsql/16/data/pgpool_remote_start");
    });
    assert_eq!(lines, ["pgpool/pgpool_remote_start/db1 create via db1"]);
}

#[test]
fn p20_nothing_is_begun_while_a_failover_is_under_way() {
    let lines = case(|world| {
        world.see(node("db3", "down", "standby"));
        world.at("db2").pgpool.busy.push("failover.sh".to_owned());
    });
    assert_eq!(lines, ["wait db2: no failover or recovery is under way"]);
}

#[test]
fn p21_quarantine_ends_by_itself() {
    let lines = case(|world| world.see(node("db3", "quarantine", "standby")));
    assert_eq!(lines, ["advice P21"]);
}

#[test]
fn p26_the_address_is_somebody_elses() {
    let mut world = World::blank();
    world.at("db1").taken = true;
    assert_eq!(world.lines(), ["refuse P26"]);
    assert!(module("10.20.0.2").is_err(), "the address of a host");
}

#[test]
fn p27_the_address_is_in_no_network_of_a_host() {
    let lines = case(|world| world.at("db3").addresses = vec!["10.30.0.3/24".to_owned()]);
    assert_eq!(lines, ["refuse P27"]);
}

#[test]
fn before_anything_is_changed_only_the_address_is_checked() {
    let check = module_with(VIP, true, &[]).unwrap();
    let mut world = World::blank();
    let calm = world.decided_by(&check);
    assert!(calm.steps.is_empty() && calm.waits.is_empty() && calm.refusals.is_empty());
    world.at("db1").taken = true;
    assert_eq!(world.decided_by(&check).refusals[0].code, "P26");
    world.at("db3").addresses = vec!["10.30.0.3/24".to_owned()];
    assert_eq!(world.decided_by(&check).refusals[0].code, "P27");
}

#[test]
fn a_silent_standby_is_left_alone() {
    assert_eq!(case(|world| world.at("db3").silent = true), [""; 0]);
}

/// db2 leads.
#[test]
fn p29_a_table_that_is_not_the_leaders_is_given_up_by_a_restart() {
    let other = |host: &'static str, seen: Backend, settled: bool| {
        case(move |world| {
            for host in world.0.values_mut() {
                host.pgpool.settled = true;
            }
            let own = &mut world.at(host).pgpool;
            own.settled = settled;
            let nodes = own.nodes.as_mut().unwrap();
            let known = nodes.iter_mut().find(|node| node.host == seen.host);
            *known.unwrap() = seen;
        })
    };
    let down = || node("db3", "down", "standby");
    let restart = ["pgpool/restart/db1 restart via db1"];
    assert_eq!(other("db1", down(), true), restart);
    assert_eq!(other("db1", node("db1", "up", "standby"), true), restart);
    assert_eq!(
        other("db1", down(), false),
        ["wait db1: Pgpool-II has db3 as a standby"]
    );
    assert_eq!(
        other("db1", node("db1", "down", "standby"), false),
        ["wait db1: Pgpool-II takes db1 for the primary"]
    );
    // What is new to the leader may not have come to the others yet.
    let nodes = case(|world| {
        world.at("db1").pgpool.settled = true;
        let nodes = world.at("db1").pgpool.nodes.as_mut().unwrap();
        nodes[2] = down();
    });
    assert_eq!(nodes, ["wait db1: Pgpool-II has db3 as a standby"]);
    // The leader's own table is mended, and the others take it over.
    let attach = ["pgpool/attach/db3 repair via db2"];
    assert_eq!(other("db2", down(), true), attach);
    // Quarantine is each daemon's own.
    let quarantine = node("db3", "quarantine", "standby");
    assert!(other("db1", quarantine, true).is_empty());
}

#[test]
fn p29_who_starts_again_is_not_reloaded_and_one_is_after_the_other() {
    let lines = case(|world| {
        for (name, host) in &mut world.0 {
            host.pgpool.settled = true;
            if *name != "db2" {
                host.pgpool.nodes.as_mut().unwrap()[0] = node("db1", "up", "standby");
            }
        }
    });
    assert_eq!(
        lines,
        [
            "pgpool/restart/db1 restart via db1",
            "pgpool/restart/db3 restart via db3"
        ]
    );
}
