//! PostgreSQL and Pgpool-II.

mod told;

use super::Told;
use crate::probe::pgpool::Pgpool;
use crate::probe::postgres::{Fork, Lsn, Postgres};
use crate::probe::{Answer, Query, Seen, arp};
use crate::rehearse::Scene;
use told::{about, told};

fn postgres(told: &Told, all: usize, lost: &[usize], of: usize) -> Postgres {
    match told
        .rehearsed(all, lost, Scene::Down, of, &about().0)
        .known()
    {
        Some(Answer::Postgres(postgres)) => postgres.clone(),
        other => panic!("{other:?}"),
    }
}

fn pool(told: &Told, all: usize, lost: &[usize], of: usize) -> Pgpool {
    match told
        .rehearsed(all, lost, Scene::Down, of, &about().1)
        .known()
    {
        Some(Answer::Pgpool(pgpool)) => pgpool.clone(),
        other => panic!("{other:?}"),
    }
}

fn addresses(told: &Told, all: usize, lost: &[usize], scene: Scene, of: usize) -> Vec<String> {
    match told
        .rehearsed(all, lost, scene, of, &Query::Interfaces)
        .known()
    {
        Some(Answer::Interfaces(interfaces)) => interfaces[0].addresses.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_standby_that_has_received_most_begins_a_new_timeline_and_the_other_follows() {
    let told = told(&[0x700, 0x800]);
    let new = postgres(&told, 3, &[1], 3);
    let primary = new.primary().unwrap();
    assert_eq!(
        (primary.timeline, primary.current, new.standby_signal),
        (4, Some(Lsn(0x800)), false)
    );
    let fork = Fork {
        timeline: 3,
        at: Lsn(0x800),
    };
    assert_eq!(new.history, std::slice::from_ref(&fork));
    let senders: Vec<(&str, &str)> = primary
        .senders
        .iter()
        .map(|sender| (&*sender.name, &*sender.sync_state))
        .collect();
    assert_eq!(senders, [("ke2-server2", "quorum")]);
    let slots: Vec<(&str, bool)> = primary
        .slots
        .iter()
        .map(|slot| (&*slot.name, slot.active))
        .collect();
    assert_eq!(slots, [("ke2_server2", true)]);
    let other = postgres(&told, 3, &[1], 2);
    let follower = other.standby().unwrap();
    let receiver = follower.receiver.as_ref().unwrap();
    assert_eq!(
        (&*receiver.sender_host, &*receiver.status, follower.timeline),
        ("ke2-server3", "streaming", 4)
    );
    assert_eq!(other.history, [fork]);
    let said = told.aftermath(3, &[1]);
    assert_eq!(
        said[0],
        (
            "postgresql: ke2-server3 becomes the primary: as seen now, it has received most of the log, up to 0/800".to_owned(),
            true
        )
    );
    assert!(
        said[1]
            .0
            .starts_with("pgpool: ke2-server2 or ke2-server3 becomes the leader")
            && !said[1].1,
        "{said:?}"
    );
    assert!(
        said[2].0.starts_with(
            "virtual address: ke2-server2 or ke2-server3 becomes the holder of 10.20.0.100"
        ),
        "{said:?}"
    );
}

#[test]
fn of_equal_standbys_the_lowest_node_id_is_promoted() {
    let told = told(&[0x800, 0x800]);
    assert!(postgres(&told, 3, &[1], 2).primary().is_some());
    let nodes = pool(&told, 3, &[1], 3).nodes.unwrap();
    let words: Vec<(&str, &str, &str, &str)> = nodes
        .iter()
        .map(|node| {
            (
                &*node.status,
                &*node.role,
                &*node.pg_role,
                &*node.replication,
            )
        })
        .collect();
    assert_eq!(
        words,
        [
            ("down", "standby", "unknown", "none"),
            ("up", "primary", "primary", "none"),
            ("up", "standby", "standby", "streaming"),
        ]
    );
}

#[test]
fn a_lost_standby_keeps_its_slot_and_changes_no_office() {
    let told = told(&[0x800, 0x800]);
    let primary = postgres(&told, 3, &[2], 1);
    let server = primary.primary().unwrap();
    assert_eq!(server.timeline, 3);
    assert_eq!(server.senders.len(), 1);
    let slots: Vec<bool> = server.slots.iter().map(|slot| slot.active).collect();
    assert_eq!(slots, [false, true]);
    let pgpool = pool(&told, 3, &[2], 1);
    let statuses: Vec<String> = pgpool
        .nodes
        .unwrap()
        .into_iter()
        .map(|node| node.status)
        .collect();
    assert_eq!(statuses, ["up", "down", "up"]);
    let watchdog = pgpool.watchdog.unwrap();
    assert!(watchdog.has_quorum() && watchdog.escalated);
    assert_eq!(
        (&*watchdog.leader, watchdog.state("ke2-server2")),
        ("ke2-server1", Some("LOST"))
    );
    let said: Vec<(String, bool)> = told.aftermath(3, &[2]);
    assert!(
        said.iter()
            .all(|(text, decided)| *decided && text.contains("ke2-server1 stays")),
        "{said:?}"
    );
}

#[test]
fn the_address_goes_with_the_leader_and_is_on_no_blank_machine() {
    let told = told(&[0x800, 0x800]);
    assert_eq!(
        addresses(&told, 3, &[1], Scene::Down, 2),
        ["10.20.0.2/24", "10.20.0.100/24"]
    );
    assert_eq!(addresses(&told, 3, &[1], Scene::Down, 3), ["10.20.0.3/24"]);
    assert_eq!(
        addresses(&told, 3, &[1], Scene::Replaced, 1),
        ["10.20.0.1/24"]
    );
    let watchdog = pool(&told, 3, &[1], 2).watchdog.unwrap();
    assert!(watchdog.escalated && watchdog.leader == "ke2-server2");
    let other = pool(&told, 3, &[1], 3).watchdog.unwrap();
    assert!(!other.escalated && other.state("ke2-server2") == Some("LEADER"));
}

#[test]
fn an_address_that_a_lost_host_has_now_is_free_then_and_a_strangers_is_not() {
    let query = Query::AddressTaken(arp::About {
        interface: "eth0".to_owned(),
        address: "10.20.0.100".parse().unwrap(),
    });
    let free = |told: Told, of: usize| {
        let told = told.says(of, query.clone(), Answer::AddressTaken(true));
        let seen = told.rehearsed(3, &[1], Scene::Replaced, of, &query);
        seen == Seen::Is(Answer::AddressTaken(false))
    };
    assert!(free(told(&[0x800, 0x800]), 2) && free(told(&[0x800, 0x800]), 1));
    assert!(!free(Told::default(), 2) && !free(Told::default(), 1));
}

#[test]
fn without_a_majority_nothing_is_promoted_and_nobody_has_the_address() {
    let told = told(&[0x800, 0x800]);
    let left = postgres(&told, 3, &[1, 2], 3);
    let standby = left.standby().unwrap();
    assert_eq!((&standby.receiver, standby.timeline), (&None, 3));
    let pgpool = pool(&told, 3, &[1, 2], 3);
    let statuses: Vec<String> = pgpool
        .nodes
        .unwrap()
        .into_iter()
        .map(|node| node.status)
        .collect();
    assert_eq!(statuses, ["quarantine", "quarantine", "up"]);
    assert!(!pgpool.watchdog.unwrap().has_quorum());
    // The holder itself gives it up.
    assert_eq!(
        addresses(&told, 3, &[2, 3], Scene::Down, 1),
        ["10.20.0.1/24"]
    );
    let said = told.aftermath(3, &[1, 2]);
    assert!(
        said[0]
            .0
            .contains("nobody is the primary: ke2-server1 was it"),
        "{said:?}"
    );
    assert!(
        said[1]
            .0
            .contains("1 of 3 nodes of Pgpool-II left, and a majority is 2"),
        "{said:?}"
    );
}

#[test]
fn the_only_copy_of_a_database_is_lost_with_its_host() {
    let said = told(&[]).aftermath(1, &[1]);
    assert_eq!(
        said[0].0,
        "postgresql: the only copy of its data is on ke2-server1, and is lost with it"
    );
}
