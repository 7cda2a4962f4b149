//! A replacement that is broken off again and again: the program is killed, or the new machine's cable is pulled, in the
//! middle of a step. The same command goes on from there, whatever was done and whatever was not.

use super::cluster::Cluster;
use super::fault::Victim;
use super::ledger::Ledger;
use crate::scenario::note;
use std::time::Duration;

/// How many breaks there are at least.
const BREAKS: usize = 15;

/// The step of each run in the middle of which it is broken off: few, so that a replacement has many breaks.
const STEP: usize = 5;

/// At every so many breaks it is the cable, else the program.
const CABLE: usize = 5;

/// Replaces the primary's host, and breaks the repair off until it has nothing more to do; again until there were enough.
pub fn replacement(cluster: &Cluster<'_>, ledger: &Ledger<'_>) {
    let mut breaks = 0;
    while breaks < BREAKS {
        let victim = cluster.victim(Victim::Primary);
        let name = cluster.name(victim).to_owned();
        cluster.lab.run("replace", &[&name]);
        ledger.goes_on();
        while broken_off(cluster, &name, breaks) {
            breaks += 1;
        }
        cluster.settled();
        ledger.goes_on();
        ledger.nothing_lost();
    }
}

/// One run; whether it was broken off, or had too little to do for that.
fn broken_off(cluster: &Cluster<'_>, name: &str, breaks: usize) -> bool {
    let words = ["--lock-timeout", "120", "--accept-new-key", name];
    let mut run = cluster.start_run(&words);
    let mut begun = 0;
    let due = |event: &serde_json::Value| {
        begun += usize::from(event["event"] == "step_started");
        begun == STEP
    };
    let Some(event) = run.event(due) else {
        run.end().expect(0);
        return false;
    };
    // Sometimes at once, sometimes when the step may be done and has not been heard of.
    let later = Duration::from_millis((breaks as u64 * 311) % 1500);
    std::thread::sleep(later);
    let how = if breaks % CABLE == CABLE - 1 {
        cluster.lab.run("cut", &[name]);
        let ended = run.end();
        assert_ne!(ended.code, Some(0), "{}", ended.out);
        cluster.lab.run("mend", &[name]);
        "cut off"
    } else {
        run.signal("-KILL");
        assert_eq!(run.end().code, None);
        "killed"
    };
    note(&format!(
        "{:21}{how} {} ms after the beginning of {} for {}",
        "",
        later.as_millis(),
        event["id"],
        event["host"]
    ));
    true
}
