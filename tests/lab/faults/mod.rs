//! A host fails, and the admin runs the same command again: faults on a converged cluster under two writers. Each trial
//! ends green by a re-run, or is refused with the commits at stake and green by the permission it names; nothing that
//! was acknowledged is lost; and the run after that is empty.

mod broken_off;
mod cluster;
mod damage;
mod fault;
mod ledger;
mod report;

use crate::lab::Lab;
use crate::pgpool;
use crate::plan::Step;
use crate::scenario::{note, scenario};
use cluster::{Cluster, HOSTS, Mended};
use fault::{Case, Fault};
use ledger::Ledger;
pub use report::once;
use report::{Report, Trial};
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

/// Longer than any layer waits for a host that does not answer: Pgpool-II's watchdog and health check 60 s, GlusterFS's
/// ping 42 s, PostgreSQL's sender and receiver 60 s, the swarm's heartbeat 15 s.
const CUT: Duration = Duration::from_secs(100);

/// Whether a trial of this name is to be tried: all are, or with `PROVISION_TRIALS` those whose names contain one of its
/// words, which are separated by semicolons.
fn is_wanted(name: &str) -> bool {
    let words = std::env::var("PROVISION_TRIALS").unwrap_or_default();
    words.split(';').any(|word| name.contains(word))
}

/// Six trials on the layers below the stack.
pub fn some(lab: &Lab) {
    let cluster = scenario("the layers below the stack", || Cluster::build(lab, false));
    scenario("used through the address", || pgpool::used(lab));
    let ledger = scenario("two writers", || Ledger::open(lab, &HOSTS));
    let wanted = |case: &Case| is_wanted(&case.to_string());
    for case in fault::SOME.into_iter().filter(wanted) {
        scenario(&case.to_string(), || trial(&cluster, &ledger, case));
    }
}

/// What is done by hand to a cluster on the layers below the stack.
pub fn by_hand(lab: &Lab) {
    let cluster = scenario("the layers below the stack", || Cluster::build(lab, false));
    let ledger = scenario("two writers", || Ledger::open(lab, &HOSTS));
    damage::all(&cluster, &ledger);
}

/// A replacement that is broken off at many moments.
pub fn broken_off(lab: &Lab) {
    let cluster = scenario("the layers below the stack", || Cluster::build(lab, false));
    let ledger = scenario("two writers", || Ledger::open(lab, &HOSTS));
    scenario("replaced, and broken off again and again", || {
        broken_off::replacement(&cluster, &ledger);
    });
}

/// All trials on the whole site. Those that an earlier attempt has passed are not tried again.
pub fn every() {
    let report = Report::open();
    let left: Vec<Case> = fault::every()
        .into_iter()
        .filter(|case| !report.has(case) && is_wanted(&case.to_string()))
        .collect();
    if !left.is_empty() {
        let lab = scenario("three hosts and a client", || Lab::up("faults", 4));
        let cluster = scenario("the whole site", || Cluster::build(&lab, true));
        let ledger = scenario("two writers", || Ledger::open(&lab, &HOSTS));
        for case in left {
            let passed = scenario(&case.to_string(), || trial(&cluster, &ledger, case));
            report.add(&passed);
        }
    }
    report.page();
}

fn trial(cluster: &Cluster<'_>, ledger: &Ledger<'_>, case: Case) -> Trial {
    cluster.arrange(case.roles);
    let roles = cluster.roles();
    let victim = cluster.victim(case.victim);
    let name = cluster.name(victim).to_owned();
    let before = ledger.acknowledged();
    let (began, at) = (Instant::now(), SystemTime::now());
    let mended = match case.fault {
        Fault::Power => power(cluster, ledger, victim),
        Fault::Replaced => replaced(cluster, ledger, victim),
        Fault::Cut => cut(cluster, ledger, victim),
        Fault::Brick => brick(cluster, ledger, victim),
        Fault::Data => data(cluster, ledger, victim),
        Fault::Total => total(cluster, ledger),
        Fault::Two => two(cluster, ledger, victim),
    };
    if matches!(case.fault, Fault::Power | Fault::Replaced) {
        cluster.holds_no_session_of(victim, at);
    }
    ledger.goes_on();
    ledger.nothing_lost();
    let after = ledger.acknowledged();
    let trial = Trial {
        case: case.to_string(),
        host: name,
        roles: roles.map(|host| cluster.name(host).to_owned()),
        steps: mended.steps,
        allowed: mended.allowed,
        mended_s: mended.took.as_secs(),
        in_all_s: began.elapsed().as_secs(),
        rows: after.rows - before.rows,
        lines: after.lines - before.lines,
    };
    note(&format!("                     {trial}"));
    trial
}

/// A run while hosts are silent: it says so, founds and destroys nothing, and leaves the rest as it is.
fn run_without(cluster: &Cluster<'_>, silent: &[usize]) {
    let ended = cluster.run(&[]).expect(4);
    let names: Vec<&str> = silent.iter().map(|host| cluster.name(*host)).collect();
    let ended = ended.says(&names);
    for (id, host, class) in ended.done() {
        let allowed = ["repair", "restart"].contains(&&*class) && !names.contains(&&*host);
        assert!(
            allowed,
            "{id} for {host} ({class}) was done while {names:?} did not answer"
        );
    }
}

fn power(cluster: &Cluster<'_>, ledger: &Ledger<'_>, victim: usize) -> Mended {
    let name = cluster.name(victim);
    cluster.lab.run("kill", &[name]);
    ledger.goes_on();
    run_without(cluster, &[victim]);
    cluster.start(&[victim]);
    cluster.mend(&[])
}

fn replaced(cluster: &Cluster<'_>, ledger: &Ledger<'_>, victim: usize) -> Mended {
    let name = cluster.name(victim);
    let rehearsed = cluster.rehearsed(name);
    cluster.lab.run("replace", &[name]);
    ledger.goes_on();
    // Its key is another one: without a word of the admin nobody logs in there.
    run_without(cluster, &[victim]);
    let mended = cluster.mend(&["--accept-new-key", name]);
    let order = [
        "swarm/forget/",
        "swarm/join/",
        "gluster_pool/restore-identity/",
        "gluster_pool/rejoin/",
        "gluster_volume/reset-brick/",
        "pgpool/recover/",
        "swarm/activate/",
        "swarm/unmark/",
    ];
    as_rehearsed(&mended, &rehearsed);
    let mut rest = mended.steps.iter();
    for verb in order {
        let id = format!("{verb}{name}");
        assert!(
            rest.any(|done| *done == id),
            "{id} is not done, or not there in the order: {:#?}",
            mended.steps
        );
    }
    mended
}

/// The plan after a replacement is that of its rehearsal, but that a blank machine may bring packages along, and that what
/// the volume needs is told later while another command holds the pool's lock, which the plan says.
fn as_rehearsed(mended: &Mended, rehearsed: &BTreeSet<Step>) {
    let part = |steps: &BTreeSet<Step>| {
        let (mut packages, mut rest) = (BTreeSet::new(), BTreeSet::new());
        for step in steps {
            match step.0.strip_prefix("package/install/") {
                Some(names) => packages.extend(names.split('+').map(str::to_owned)),
                None => _ = rest.insert(step.clone()),
            }
        }
        (packages, rest)
    };
    let ((packages, rest), (most, rehearsed)) = (part(&mended.planned), part(rehearsed));
    let more: Vec<_> = rest.difference(&rehearsed).collect();
    assert!(more.is_empty(), "not in the rehearsal: {more:#?}");
    let follows = |(id, ..): &Step| {
        mended.locked && id.starts_with("gluster_volume/") && mended.steps.contains(id)
    };
    let less: Vec<_> = rehearsed
        .difference(&rest)
        .filter(|step| !follows(step))
        .collect();
    assert!(less.is_empty(), "only in the rehearsal: {less:#?}");
    assert!(
        packages.is_subset(&most),
        "{packages:?}, and {most:?} by the rehearsal"
    );
}

fn cut(cluster: &Cluster<'_>, ledger: &Ledger<'_>, victim: usize) -> Mended {
    let name = cluster.name(victim);
    let began = Instant::now();
    cluster.lab.run("cut", &[name]);
    ledger.goes_on();
    std::thread::sleep(CUT.saturating_sub(began.elapsed()));
    cluster.lab.run("mend", &[name]);
    let mended = cluster.mend(&[]);
    // A primary that was cut off goes on until the run stops it: there is no fencing device (docs/failover.md).
    ledger.forget_two_primaries();
    mended
}

fn brick(cluster: &Cluster<'_>, ledger: &Ledger<'_>, victim: usize) -> Mended {
    let name = cluster.name(victim);
    cluster.lab.run("kill", &[name]);
    ledger.goes_on();
    cluster.lab.run("replace-disk", &[name]);
    cluster.start(&[victim]);
    let mended = cluster.mend(&[]);
    let reset = format!("gluster_volume/reset-brick/{name}");
    assert!(mended.steps.contains(&reset), "{:#?}", mended.steps);
    mended
}

fn data(cluster: &Cluster<'_>, ledger: &Ledger<'_>, victim: usize) -> Mended {
    let name = cluster.name(victim);
    cluster.lab.sh(
        victim,
        "systemctl stop postgresql-16; rm -rf /var/lib/pgsql/16/data",
    );
    ledger.goes_on();
    let mended = cluster.mend(&[]);
    let recover = format!("pgpool/recover/{name}");
    assert!(mended.steps.contains(&recover), "{:#?}", mended.steps);
    mended
}

fn total(cluster: &Cluster<'_>, ledger: &Ledger<'_>) -> Mended {
    let names = HOSTS.map(|host| cluster.name(host));
    cluster.lab.run("kill", &names);
    cluster.start(&HOSTS);
    // By themselves.
    let took = ledger.goes_on();
    note(&format!(
        "                     rows and lines are taken again after {} s",
        took.as_secs()
    ));
    cluster.mend(&[])
}

/// Nothing can go on with one of three: that is said with its arithmetic, and nothing is touched.
fn two(cluster: &Cluster<'_>, ledger: &Ledger<'_>, stays: usize) -> Mended {
    let lost: Vec<usize> = HOSTS.into_iter().filter(|host| *host != stays).collect();
    let names: Vec<&str> = lost.iter().map(|host| cluster.name(*host)).collect();
    cluster.lab.run("kill", &names);
    let ended = cluster.run(&[]).expect(3).says(&[
        "2 of 3 managers must answer",
        "1 of the 3 bricks of gvol0 can work, and 2 are needed",
        "only 1 of 3 hosts could be locked, a majority is needed",
    ]);
    assert!(ended.done().is_empty(), "{}", ended.out);
    cluster.start(&lost);
    ledger.goes_on();
    cluster.mend(&[])
}
