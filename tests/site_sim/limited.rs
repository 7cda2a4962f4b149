//! A run with `--limit` changes the hosts that it names, and no other.

use super::cluster::Cluster;
use super::events::Event;
use super::fleet::Sim;
use super::history::pass;
use super::rng::Rng;
use super::run::Site;
use super::site::{built, check_well, site};
use provision::report::Outcome;

#[test]
fn what_a_deployment_starts_on_all_hosts_is_left_to_a_run_without_limit() {
    let site = site(3, true);
    for h in 0..3 {
        let sim = Sim::of(built(&site, 7, true));
        sim.cluster.borrow_mut().happen(Event::RemoveService, 0);
        let ended = site.apply_to(&sim, Some(h));
        assert!(ended.done().is_empty(), "{}", ended.story);
        assert_eq!(ended.shown.left_out, 1);
        assert_eq!(ended.outcome, Some(Outcome::Converged), "{}", ended.story);
        let whole = site.apply(&sim);
        assert_eq!(whole.done().len(), 1, "{}", whole.story);
        check_well(&site, &sim, &whole);
    }
}

/// A run for the second host, beside one that it must leave ill; whether it told this.
fn holds_a_restart_up(site: &Site, mut cluster: Cluster, why: &str) -> bool {
    cluster.happen(Event::LoseNotes, 1);
    let sim = Sim::of(cluster);
    let ended = site.apply_to(&sim, Some(1));
    assert!(ended.done().is_empty(), "{}", ended.story);
    assert_eq!(ended.outcome, Some(Outcome::Failed), "{}", ended.story);
    check_well(site, &sim, &site.apply(&sim));
    ended.story.contains(why)
}

#[test]
fn a_restart_waits_while_an_election_hides_who_is_well() {
    let why = "swarm is not well on ke2-server3: no manager tells the roster";
    let site = site(3, true);
    let mut built = built(&site, 7, true);
    built.happen(Event::StopDocker, 0);
    // The run may look a moment too early, or too late.
    let told = (0..8).map(|seed| {
        let mut cluster = built.clone();
        cluster.rng = Rng::new(seed);
        holds_a_restart_up(&site, cluster, why)
    });
    assert!(told.filter(|told| *told).count() > 0);
}

#[test]
fn a_restart_waits_beside_a_dead_brick_for_which_the_others_have_something_to_heal() {
    let why = "glusterfs gvol0 is not well on ke2-server3: brick offline";
    let site = site(3, true);
    let mut cluster = built(&site, 7, true);
    cluster.happen(Event::KillBrick, 2);
    pass(&mut cluster, 3);
    assert!(cluster.pending(0) > 0 && cluster.pending(1) > 0);
    assert!(holds_a_restart_up(&site, cluster, why));
}
