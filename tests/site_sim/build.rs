//! From blank hosts, exactly as planned; and nothing to do afterwards.

use super::cluster::Cluster;
use super::fleet::Sim;
use super::law;
use super::site::{check_well, site_of, why};
use provision::report::Outcome;

#[test]
fn a_blank_site_is_built_exactly_as_planned() {
    for (hosts, databases, any1) in [(3, 3, false), (3, 3, true), (5, 5, false), (5, 3, true)] {
        let site = site_of(hosts, databases, any1);
        for seed in 0..2 {
            site.forget_all();
            let mut blank = Cluster::blank(hosts, seed, any1);
            blank.databases_on = databases;
            let mut sim = Sim::of(blank);
            sim.strict = hosts == 3;
            let (plan, outcome) = site.look(&sim, None);
            assert_eq!(outcome, Outcome::Pending, "{plan:?}");
            law::check_plan(&sim.cluster.borrow(), &plan);
            let (again, _) = site.look(&sim, None);
            assert_eq!(format!("{plan:?}"), format!("{again:?}"), "planned twice");
            let ended = site.apply(&sim);
            assert_eq!(ended.outcome, Some(Outcome::Changed), "{}", why(&ended));
            check_well(&site, &sim, &ended);
        }
    }
}
