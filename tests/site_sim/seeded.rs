//! Each mistake of the list is caught by a law, in a history that goes right without it.

use super::bugs::BUGS;
use super::cluster::Cluster;
use super::histories::grounds;
use super::history::attempt;

#[test]
fn every_seeded_bug_is_caught() {
    let grounds = grounds();
    let mut overlooked = Vec::new();
    for bug in BUGS {
        let moves = bug.history();
        let ground = &grounds[usize::from(bug.is_asynchronous())];
        let blank = Cluster::blank(ground.site.hosts, 7, true);
        let start = match bug.is_of_a_build() {
            true => &blank,
            false => &ground.start,
        };
        if let Err(why) = attempt(&ground.site, start, &moves, None) {
            panic!("{bug:?}: its history goes wrong without it: {why}");
        }
        match attempt(&ground.site, start, &moves, Some(bug)) {
            Ok(ending) => overlooked.push(format!("{bug:?} ended {ending:?}")),
            Err(why) => println!("{bug:?}: {}", why.lines().next().unwrap_or_default()),
        }
    }
    assert!(overlooked.is_empty(), "not caught: {overlooked:#?}");
}
