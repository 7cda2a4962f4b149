//! A rehearsed loss, against the loss itself: the hosts are really lost and replaced, and the plan is the one that was foretold.

mod compare;

use super::cluster::Cluster;
use super::events::Event;
use super::fleet::Sim;
use super::run::Site;
use super::site::{bare_of, built_of, site_of, why};
use compare::{TICKS, check, check_but, codes, rehearsed};
use provision::rehearse::{Foretold, Refused};
use provision::report::{Outcome, rehearsal};
use std::collections::BTreeSet;

fn refusals(foretold: &Foretold) -> BTreeSet<String> {
    let codes = codes(&foretold.plan);
    codes.into_iter().map(|(_, code)| code).collect()
}

/// A converged site whose standbys have caught up.
fn converged(site: &Site, seed: u64, any1: bool, databases: usize) -> Cluster {
    let mut blank = Cluster::blank(site.hosts, seed, any1);
    blank.databases_on = databases;
    let mut start = built_of(site, blank);
    start.ticks(TICKS);
    start
}

fn primary(cluster: &Cluster) -> usize {
    let mut hosts = cluster.hosts();
    hosts.find(|h| cluster.databases[*h].is_primary()).unwrap()
}

#[test]
fn the_loss_of_each_of_three_hosts_comes_as_foretold() {
    for any1 in [false, true] {
        let site = site_of(3, 3, any1);
        let start = converged(&site, 7, any1, 3);
        for h in 0..3 {
            let foretold = check(&site, &start, &[h]);
            assert!(foretold.plan.open().count() > 20, "{foretold:?}");
            assert_eq!(refusals(&foretold), BTreeSet::new());
        }
    }
}

/// Then the primary, the leader of the watchdog and that of the swarm are on other hosts than at first.
#[test]
fn the_loss_of_each_of_three_hosts_comes_as_foretold_after_an_earlier_one() {
    let site = site_of(3, 3, false);
    let mut cluster = converged(&site, 8, false, 3);
    let first = primary(&cluster);
    cluster.replace(first);
    cluster.ticks(TICKS);
    let sim = Sim::of(cluster);
    let ended = site.apply(&sim);
    assert_eq!(ended.outcome, Some(Outcome::Changed), "{}", why(&ended));
    let mut start = sim.cluster.into_inner();
    start.ticks(TICKS);
    assert_ne!(primary(&start), first);
    for h in 0..3 {
        check(&site, &start, &[h]);
    }
}

/// Without a stack: what is on a volume that has lost the majority of its bricks cannot be read on real hosts, which is
/// foretold, and can on the simulated ones.
#[test]
fn the_loss_of_two_of_three_hosts_comes_as_foretold() {
    let site = bare_of(3, 3, false);
    let start = converged(&site, 9, false, 3);
    for lost in [[0, 1], [0, 2], [1, 2]] {
        let foretold = check_but(&site, &start, &lost);
        let refused: BTreeSet<&str> = foretold
            .refusals
            .iter()
            .map(|(_, refusal)| &*refusal.code)
            .collect();
        let wanted: &[&str] = match lost.contains(&primary(&start)) {
            true => &["S10", "G16", "P9"],
            false => &["S10", "G16"],
        };
        assert!(
            wanted.iter().all(|code| refused.contains(code)),
            "{lost:?}: {refused:?}"
        );
        // What comes before it, blank machines can be given; what is refused then is said with its arithmetic.
        let told = |words: &str| {
            let mut unknown = foretold.plan.unknown.iter();
            unknown.any(|one| one.why.contains(words))
        };
        assert!(told("as seen now it would be refused (S10"), "{foretold:?}");
        assert!(told(
            "1 of the 3 bricks of gvol0 can work, and 2 are needed"
        ));
        for layer in foretold.down.iter().filter_map(|one| one.margin.as_ref()) {
            assert_eq!(layer.can_lose, 0, "{}", layer.because);
        }
    }
}

#[test]
fn the_loss_of_one_and_of_two_of_five_hosts_comes_as_foretold() {
    for databases in [3, 5] {
        let site = site_of(5, databases, false);
        let start = converged(&site, 10, false, databases);
        for h in 0..5 {
            check(&site, &start, &[h]);
        }
        for lost in [[0, 1], [0, 4], [1, 3], [3, 4]] {
            check_but(&site, &start, &lost);
        }
    }
}

/// With two nodes of Pgpool-II one is no majority.
#[test]
fn the_loss_of_one_of_two_databases_comes_as_foretold() {
    let site = site_of(3, 2, false);
    let start = converged(&site, 11, false, 2);
    for h in 0..3 {
        let foretold = check_but(&site, &start, &[h]);
        let mut refused = foretold.refusals.iter();
        let nobody = refused.any(|(_, refusal)| refusal.code == "P9");
        assert_eq!(nobody, h == primary(&start), "{:?}", foretold.refusals);
    }
}

/// What is to be done already is done as well after a loss, and said to be.
#[test]
fn a_loss_beside_other_damage_comes_as_foretold() {
    let site = site_of(3, 3, false);
    let mut start = converged(&site, 12, false, 3);
    start.happen(Event::EditPassword, 2);
    let foretold = check(&site, &start, &[1]);
    let told = |words: &str| foretold.assumptions.iter().any(|one| one.contains(words));
    assert!(
        told("not as they should be now"),
        "{:?}",
        foretold.assumptions
    );
}

#[test]
fn a_host_that_is_silent_is_lost_already_and_the_document_names_what_it_assumes() {
    let site = site_of(3, 3, false);
    let start = converged(&site, 13, false, 3);
    let mut broken = start.clone();
    broken.power_off(1);
    match rehearsed(&site, &Sim::of(broken), &[1]) {
        Err(Refused::Silent(host, _)) => assert_eq!(host, site.name(1)),
        other => panic!("{other:?}"),
    }
    let document = || {
        let foretold = rehearsed(&site, &Sim::of(start.clone()), &[1]).unwrap();
        (
            rehearsal::json(&foretold),
            rehearsal::text(&foretold, 3, false),
        )
    };
    let (json, text) = document();
    assert_eq!((json.clone(), text.clone()), document(), "asked twice");
    let assumed = "assumes that ke2-server2 is lost and replaced by a blank machine";
    assert!(text.contains(assumed), "{text}");
    assert_eq!(json["assumes"], assumed);
    assert_eq!(json["plan"]["assumes_lost"][0], "ke2-server2");
    // Nothing that reads plans finds steps in it.
    assert!(json.get("schema").is_none() && json.get("steps").is_none());
    assert!(text.contains("can lose 1 more host: no, because 3 managers, 2 healthy, quorum 2"));
}
