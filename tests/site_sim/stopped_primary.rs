//! P10: a primary that was stopped by hand beside standbys that run. Pgpool-II is left the time to promote one of them;
//! when it does not, the former primary is started.

use super::cluster::Cluster;
use super::events::Event;
use super::fleet::Sim;
use super::histories::grounds;
use super::run::Ended;
use super::site::check_well;
use std::time::Duration;

/// How long it is left.
const FAILOVER: Duration = Duration::from_secs(120);

fn primary(sim: &Sim) -> Option<usize> {
    let cluster = sim.cluster.borrow();
    cluster.hosts().find(|h| cluster.databases[*h].is_primary())
}

/// The primary is stopped and provision runs at once: who was the primary, and how it ended.
fn stopped(seed: usize, before: impl Fn(&mut Cluster)) -> (Sim, usize, Duration, Ended) {
    let ground = &grounds()[0];
    let sim = Sim::of(ground.start.clone());
    let was = primary(&sim).unwrap();
    {
        let mut cluster = sim.cluster.borrow_mut();
        before(&mut cluster);
        // Everywhere between the stop and the failover.
        cluster.happen(Event::StopDatabase, was);
        cluster.ticks(seed);
    }
    let ended = ground.site.apply(&sim);
    let took = ended.took;
    check_well(&ground.site, &sim, &ended);
    (sim, was, took, ended)
}

#[test]
fn it_comes_back_as_a_standby_when_another_is_promoted() {
    for seed in 0..8 {
        let (sim, was, took, ended) = stopped(seed, |_| {});
        assert_ne!(primary(&sim), Some(was));
        let done = ended.done();
        let recovered = format!("pgpool/recover/ke2-server{}", was + 1);
        assert!(done.iter().any(|(id, ..)| *id == recovered), "{done:?}");
        // The wait ends with the promotion, not with its time.
        assert!(took < FAILOVER, "{took:?}");
    }
}

#[test]
fn it_is_started_when_nobody_is_promoted_in_time() {
    let (sim, was, took, ended) = stopped(0, |cluster| {
        cluster
            .hosts()
            .for_each(|h| cluster.happen(Event::StopPgpool, h));
    });
    assert_eq!(primary(&sim), Some(was));
    assert!(took > FAILOVER && took < 2 * FAILOVER, "{took:?}");
    assert!(
        ended
            .story
            .contains("Pgpool-II may be about to promote the standby on")
    );
}
