//! A build and a repair that are killed, cut off or lose a host at an act, and the run after it.

use super::cluster::Cluster;
use super::fleet::{Fault, KINDS, Sim};
use super::run::Site;
use super::site::{check_well, site};

/// Breaks a build at an act, and finishes it; whether it had so many acts.
fn broken_at(site: &Site, fault: Fault) -> bool {
    let sim = Sim::of(Cluster::blank(3, fault.at as u64, true));
    sim.fault.set(Some(fault));
    let _ = site.apply(&sim);
    let came = sim.acts.get() > fault.at;
    sim.fault.set(None);
    sim.cluster.borrow_mut().mend();
    let again = site.apply(&sim);
    check_well(site, &sim, &again);
    came
}

/// Each kind of fault in turn, before and after an act. `PROVISION_SIM_EVERY=1` breaks at every act with every kind.
#[test]
fn a_build_that_breaks_off_anywhere_is_finished_by_the_next_run() {
    let every = std::env::var_os("PROVISION_SIM_EVERY").is_some();
    let site = site(3, true);
    let mut faults = KINDS
        .into_iter()
        .flat_map(|kind| [(kind, false), (kind, true)])
        .cycle();
    for at in (0..).step_by(if every { 1 } else { 11 }) {
        let kinds: Vec<_> = faults.by_ref().take(if every { 10 } else { 1 }).collect();
        let mut came = false;
        for (kind, happens) in kinds {
            came |= broken_at(&site, Fault { at, kind, happens });
        }
        if !came {
            assert!(at > 150, "the build had only {at} acts");
            break;
        }
    }
}
