//! While the managers of a swarm elect a leader, none of them tells the roster, or what runs.

use super::fleet::Sim;
use super::site::{built, check_well, site};

#[test]
fn a_run_waits_for_a_leader_and_refuses_nothing() {
    let site = site(3, true);
    let mut cluster = built(&site, 7, true);
    let swarm = &mut cluster.swarm.clusters[0];
    (swarm.leader, swarm.electing) = (None, 10);
    let sim = Sim::of(cluster);
    let ended = site.apply(&sim);
    check_well(&site, &sim, &ended);
    assert!(
        ended.shown.refusals.is_empty(),
        "{:?}",
        ended.shown.refusals
    );
    let waits: Vec<&str> = ended
        .shown
        .waits
        .iter()
        .map(|(layer, _)| &**layer)
        .collect();
    assert_eq!(waits, ["swarm", "kompira"], "{:?}", ended.shown.waits);
    assert!(ended.story.contains("they may be electing one"));
}
