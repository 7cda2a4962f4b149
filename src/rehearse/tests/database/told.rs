//! A pool of databases as its hosts tell it.

use super::super::{Told, host};
use crate::probe::network::Interface;
use crate::probe::pgpool::{self, Node, Peer, Pgpool, Watchdog};
use crate::probe::postgres::{self, Data, Lsn, Postgres, Receiver, Sender, Server, Slot};
use crate::probe::{Answer, Query};

pub fn about() -> (Query, Query) {
    let server = postgres::About {
        bin: "/usr/pgsql-16/bin".to_owned(),
        data: "/var/lib/pgsql/16/data".to_owned(),
        database: "kompira".to_owned(),
    };
    let daemon = pgpool::About {
        conf: "/etc/pgpool-II".to_owned(),
        passfile: "/var/lib/pgsql/.pcppass".to_owned(),
        user: "pgpool".to_owned(),
    };
    (Query::Postgres(server), Query::Pgpool(daemon))
}

fn server(n: usize, all: usize, received: u64) -> Postgres {
    let primary = n == 1;
    let at = Some(Lsn(received));
    let standbys = 2..=all;
    Postgres {
        installed: true,
        data: Data::Present,
        standby_signal: !primary,
        running: true,
        server: Some(Box::new(Server {
            in_recovery: !primary,
            timeline: 3,
            current: at.filter(|_| primary),
            received: at.filter(|_| !primary),
            replayed: at.filter(|_| !primary),
            receiver: (!primary).then(|| Receiver {
                status: "streaming".to_owned(),
                sender_host: "ke2-server1".to_owned(),
                slot: format!("ke2_server{n}"),
                timeline: 3,
                ..Receiver::default()
            }),
            senders: standbys
                .clone()
                .filter(|_| primary)
                .map(|other| Sender {
                    name: host(other).to_string(),
                    state: "streaming".to_owned(),
                    sync_state: "quorum".to_owned(),
                    ..Sender::default()
                })
                .collect(),
            slots: standbys
                .filter(|_| primary)
                .map(|other| Slot {
                    name: format!("ke2_server{other}"),
                    active: true,
                    ..Slot::default()
                })
                .collect(),
            ..Server::default()
        })),
        ..Postgres::default()
    }
}

fn daemon(of: usize, all: usize) -> Pgpool {
    let role = |n: usize| if n == 1 { "primary" } else { "standby" }.to_owned();
    let nodes = (1..=all).map(|n| Node {
        host: host(n).to_string(),
        status: "up".to_owned(),
        pg_status: "up".to_owned(),
        role: role(n),
        pg_role: role(n),
        replication: if n == 1 { "none" } else { "streaming" }.to_owned(),
    });
    let peers = (1..=all).map(|n| Peer {
        host: host(n).to_string(),
        state: if n == 1 { "LEADER" } else { "STANDBY" }.to_owned(),
        membership: "MEMBER".to_owned(),
    });
    Pgpool {
        installed: true,
        backends: Some(
            (1..=all)
                .map(|n| (u32::try_from(n).unwrap() - 1, host(n).to_string()))
                .collect(),
        ),
        nodes: Some(nodes.collect()),
        watchdog: Some(Watchdog {
            quorum: "QUORUM EXIST".to_owned(),
            leader: "ke2-server1".to_owned(),
            escalated: of == 1,
            nodes: peers.collect(),
        }),
        ..Pgpool::default()
    }
}

/// The first host is the primary, leads and has the address; the standbys have received so much.
pub fn told(received: &[u64]) -> Told {
    let all = received.len() + 1;
    let (postgres, pgpool) = about();
    let mut told = Told::default();
    for n in 1..=all {
        let has = if n == 1 { 0x900 } else { received[n - 2] };
        let mut addresses = vec![format!("10.20.0.{n}/24")];
        if n == 1 {
            addresses.push("10.20.0.100/24".to_owned());
        }
        let interface = Interface {
            name: "eth0".to_owned(),
            driver: String::new(),
            addresses,
            up: true,
        };
        told = told
            .says(n, postgres.clone(), Answer::Postgres(server(n, all, has)))
            .says(n, pgpool.clone(), Answer::Pgpool(daemon(n, all)))
            .says(n, Query::Interfaces, Answer::Interfaces(vec![interface]));
    }
    told
}
