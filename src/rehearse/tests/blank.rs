//! A blank machine: what it says is what blank machines said when they were captured.

mod files;

use super::{Told, host};
use crate::probe::ask::{Reply, lower};
use crate::probe::docker::Docker;
use crate::probe::firewall::Openings;
use crate::probe::machine::Machine;
use crate::probe::shell::{CommandLine, Outcome};
use crate::probe::unit::Unit;
use crate::probe::user::User;
use crate::probe::{Answer, Query, Seen};
use crate::rehearse::Scene;
use std::collections::BTreeSet;
use std::path::Path;

/// What a real blank host, or a real one of a cluster, said.
fn captured(name: &str, query: &Query) -> Answer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captured");
    let part =
        |kind: &str| std::fs::read(folder.join(format!("{name}.{kind}"))).unwrap_or_default();
    let reply = Reply {
        status: 0,
        stdout: part("stdout"),
        stderr: part("stderr"),
        sent_s: 0.0,
        received_s: 1.0,
    };
    let ask = lower(&BTreeSet::from([query.clone()])).remove(0);
    match ask.read(&reply).remove(0).1 {
        Seen::Is(answer) => answer,
        Seen::Unknown(why) => panic!("{name}: {why}"),
    }
}

fn blank(told: &Told, query: &Query) -> Seen<Answer> {
    told.rehearsed(2, &[2], Scene::Replaced, 2, query)
}

fn says(query: &Query, answer: Answer) -> Seen<Answer> {
    blank(&Told::default().says(2, query.clone(), answer), query)
}

#[test]
fn it_has_no_engine_and_no_swarm_as_captured() {
    let told = Told::default();
    assert_eq!(
        blank(&told, &Query::Docker),
        Seen::Is(captured("docker.blank", &Query::Docker))
    );
    assert_eq!(
        blank(&told, &Query::SwarmNodes),
        Seen::Is(captured("swarm_nodes.blank", &Query::SwarmNodes))
    );
    let Seen::Is(Answer::Docker(docker)) = blank(&told, &Query::Docker) else {
        panic!("no answer");
    };
    assert!(crate::plan::no_swarm(&docker) && docker != Docker::default());
}

#[test]
fn its_firewall_lets_in_what_that_of_a_captured_one_does() {
    let firewall = |answer: Answer| match answer {
        Answer::Firewall(firewall) => firewall,
        other => panic!("{other:?}"),
    };
    let of_cluster = captured("firewall.swarm", &Query::Firewall);
    let Seen::Is(blank) = says(&Query::Firewall, of_cluster.clone()) else {
        panic!("no answer");
    };
    let (blank, of_cluster) = (firewall(blank), firewall(of_cluster));
    let captured = firewall(captured("firewall.blank", &Query::Firewall));
    assert_eq!(blank.zones, captured.zones);
    assert_eq!(blank.default_zone, captured.default_zone);
    // Whether by name or by default.
    assert_eq!(blank.zone_of("eth0"), captured.zone_of("eth0"));
    assert_ne!(blank.zones, of_cluster.zones);
    assert_eq!(
        blank.zones["public"].runtime.ports,
        Openings::default().ports
    );
}

#[test]
fn its_interfaces_are_without_those_of_containers_as_captured() {
    let of_cluster = captured("interfaces.swarm", &Query::Interfaces);
    assert_eq!(
        says(&Query::Interfaces, of_cluster),
        Seen::Is(captured("interfaces.blank", &Query::Interfaces))
    );
}

#[test]
fn it_is_another_machine_of_the_same_name() {
    let captured = captured("machine.blank", &Query::Machine);
    let Seen::Is(Answer::Machine(blank)) = says(&Query::Machine, captured.clone()) else {
        panic!("no answer");
    };
    let Answer::Machine(truth) = captured else {
        panic!("no machine");
    };
    assert_ne!(blank.machine_id, truth.machine_id);
    let same = |machine: Machine| Machine {
        machine_id: String::new(),
        product_uuid: String::new(),
        boot_id: String::new(),
        ..machine
    };
    assert_eq!(same(blank), same(truth));
}

#[test]
fn packages_units_and_accounts_are_those_of_el9() {
    let installed = |name: &str| {
        let evr = "1-1".to_owned();
        let answer = Answer::Package(Some(crate::probe::package::Installed { evr }));
        says(&Query::Package(name.to_owned()), answer)
    };
    assert_eq!(installed("docker-ce"), Seen::Is(Answer::Package(None)));
    assert!(matches!(
        installed("firewalld"),
        Seen::Is(Answer::Package(Some(_)))
    ));
    let unit = |name: &str| {
        let unit = Unit {
            load: "loaded".to_owned(),
            active: "active".to_owned(),
            file: "enabled".to_owned(),
            stale: false,
        };
        match says(&Query::Unit(name.to_owned()), Answer::Unit(unit)) {
            Seen::Is(Answer::Unit(unit)) => unit.exists(),
            other => panic!("{other:?}"),
        }
    };
    assert!(!unit("docker.service") && !unit("pgpool.service") && unit("firewalld.service"));
    let user = |name: &str, uid: u32| {
        let user = User {
            uid,
            home: String::new(),
            shell: String::new(),
            groups: vec![name.to_owned(), "docker".to_owned()],
        };
        match says(&Query::User(name.to_owned()), Answer::User(Some(user))) {
            Seen::Is(Answer::User(user)) => user.map(|user| user.groups),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(user("postgres", 26), None);
    assert_eq!(user("admin", 1000), Some(vec!["admin".to_owned()]));
}

#[test]
fn checks_that_succeed_now_fail_there_and_other_readings_are_not_known() {
    let outcome = |status: i32, stdout: &str| {
        let line = CommandLine {
            words: vec!["grep -q x /etc/y".to_owned()],
            shell: true,
            chdir: None,
        };
        let outcome = Outcome {
            status,
            stdout: stdout.to_owned(),
            stderr: String::new(),
        };
        match says(&Query::Command(line), Answer::Command(outcome)) {
            Seen::Is(Answer::Command(outcome)) => Some(outcome.status),
            Seen::Is(other) => panic!("{other:?}"),
            Seen::Unknown(_) => None,
        }
    };
    assert_eq!(
        (outcome(0, ""), outcome(3, ""), outcome(0, "said")),
        (Some(1), Some(3), None)
    );
    let sysctl = Query::Sysctl("vm.swappiness".to_owned());
    assert!(
        says(&sysctl, Answer::Sysctl(Some("1".to_owned())))
            .unknown()
            .is_some()
    );
    assert_eq!(host(2).as_str(), "ke2-server2");
}
