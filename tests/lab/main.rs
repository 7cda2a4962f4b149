//! The program against real daemons on lab hosts. Needs root; `make test-lab` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail"
)]

mod access;
mod adopted;
mod apply;
mod bad_input;
mod blank;
mod by_hand;
mod certificates;
mod conformance;
mod disks;
mod drift;
mod faults;
mod fingerprint;
mod gluster;
mod interrupted;
mod inventory;
mod kills;
mod kompira;
mod lab;
mod link;
mod locks;
mod machines;
mod others;
mod packages;
mod pgpool;
mod plan;
mod postgres;
mod provision;
mod remembered;
mod scenario;
mod shapes;
mod site;
mod started;
mod sudo;
mod terminal;
mod watch;

#[path = "../stack/cases.rs"]
mod customisations;

use faults::once;
use lab::Lab;
use scenario::scenario;

/// Blank hosts to a swarm, a second run, and changes made by hand.
#[test]
#[ignore = "needs root and the lab"]
fn first_cluster() {
    let lab = scenario("three hosts up", || Lab::up("first", 3));
    scenario("a dry run leaves no trace", || blank::dry_run(&lab));
    let planned = scenario("the plan is complete", || blank::plan(&lab));
    scenario("apply does what was planned", || {
        apply::first_run(&lab, &planned);
    });
    scenario("the second run finds nothing", || apply::second_run(&lab));
    scenario("changes by hand are repaired", || drift::all(&lab));
}

/// Blank hosts to all layers in one run, the stack of Kompira on top; then what happens to it, and to the shared
/// directory below it.
#[test]
#[ignore = "needs root and the lab"]
fn whole_cluster() {
    let lab = scenario("three hosts up", || Lab::up("whole", 3));
    scenario("bricks on the root file system are refused", || {
        gluster::on_root(&lab);
    });
    let planned = scenario("the plan of all layers leaves no trace", || {
        gluster::blank(&lab)
    });
    scenario("apply does what was planned", || {
        gluster::first_run(&lab, &planned);
    });
    scenario("the stack runs, and is used", || kompira::converged(&lab));
    scenario("its keys stay where they are", || kompira::secrets(&lab));
    scenario("every customisation is a document for Docker", || {
        kompira::customisations(&lab);
    });
    scenario("a certificate made anew is loaded everywhere", || {
        certificates::renamed(&lab);
    });
    scenario("changes by hand and of the declaration", || {
        kompira::changes(&lab);
    });
    scenario("a node of RabbitMQ that has lost its data", || {
        kompira::forgotten(&lab);
    });
    scenario("its removal", || kompira::removed(&lab));
    scenario("damage of the shared directory", || gluster::damaged(&lab));
    scenario("all hosts boot at once", || gluster::booted(&lab));
}

/// The simulation that most tests of the swarm rest on, against the daemons that it simulates.
#[test]
#[ignore = "needs root and the lab"]
fn conformance() {
    let lab = scenario("blank hosts", || Lab::up("conform", 3));
    scenario("the same history in the lab and in the simulation", || {
        conformance::whole_history(&lab);
    });
}

/// What can be wrong between this machine and the hosts.
#[test]
#[ignore = "needs root and the lab"]
fn access_faults() {
    let lab = scenario("a converged lab", || Lab::converged("access", 3));
    scenario("connection refused, and silence after it", || {
        access::refused_and_hanging(&lab);
    });
    scenario("power loss", || access::no_route(&lab));
    scenario("unknown and changed host keys", || access::host_keys(&lab));
    scenario("logins and passwords", || access::privileges(&lab));
    scenario("sudo with and without a password, and refused", || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            sudo::asks_for_nothing(&lab).await;
            sudo::asks_for_a_password(&lab).await;
            sudo::refuses_and_says_why(&lab).await;
        });
    });
    scenario("connection lost in a step", || {
        interrupted::connection_lost(&lab);
    });
    scenario("Ctrl-C in a step", || interrupted::control_c(&lab));
    scenario("bars on a terminal", || terminal::bars(&lab));
    scenario("questions on a terminal", || {
        terminal::key_questions(&lab);
        terminal::password_question(&lab);
    });
    scenario("a replaced host", || access::replaced(&lab));
}

/// What can be wrong on the hosts.
#[test]
#[ignore = "needs root and the lab"]
fn host_faults() {
    let lab = scenario("a converged lab", || Lab::converged("hosts", 3));
    scenario("wrong system, clones, wrong clock", || {
        machines::refused(&lab);
    });
    scenario("no mirror", || packages::no_mirror(&lab));
    scenario("another dnf", || packages::locked(&lab));
    scenario("a full disk", || disks::full(&lab));
    scenario("a hung mount", || disks::hung(&lab));
}

/// A cable that is pulled, and runs that get in each other's way.
#[test]
#[ignore = "needs root and the lab"]
fn broken_runs() {
    let lab = scenario("blank hosts", || Lab::up("broken", 3));
    scenario("a cable is pulled while a cluster is built", || {
        link::cut_while_building(&lab);
    });
    scenario("a cable is pulled during a repair", || {
        link::cut_while_repairing(&lab);
    });
    scenario("two runs at once", || locks::two_runs(&lab));
    scenario("the holder is killed", || locks::killed_holder(&lab));
    scenario("the holder's machine loses power", || {
        locks::silent_holder(&lab);
    });
}

/// Swarms of other shapes.
#[test]
#[ignore = "needs root and the lab"]
fn other_shapes() {
    let lab = scenario("blank hosts", || Lab::up("shapes", 3));
    scenario(
        "one manager, two workers, another port; then three managers",
        || {
            shapes::one_and_two(&lab);
        },
    );
    drop(lab);
    let lab = scenario("four blank hosts", || Lab::up("shape4", 4));
    scenario("three managers and a worker, which leaves", || {
        shapes::three_and_one(&lab);
    });
}

/// SIGKILL at 20 moments or more of three builds.
#[test]
#[ignore = "needs root and the lab"]
fn killed_runs() {
    let killed: usize = (0..3)
        .map(|number| {
            let what = format!("build {number}, killed again and again");
            scenario(&what, || kills::build(number))
        })
        .sum();
    assert!(killed >= kills::WANTED, "only {killed} kills");
}

/// PostgreSQL on hosts of its own.
#[test]
#[ignore = "needs root and the lab"]
fn database() {
    let lab = scenario("three hosts up", || Lab::up("database", 3));
    scenario("a primary with its roles and database", || {
        postgres::founded(&lab);
    });
    scenario("changes to the database by hand", || {
        postgres::damaged(&lab);
    });
    scenario("a former primary stays down", || {
        postgres::failed_over(&lab);
    });
}

/// Input that cannot work is refused before anything is changed.
#[test]
#[ignore = "needs root and the lab"]
fn bad_input() {
    let lab = scenario("four hosts up, one of them a stranger", || {
        Lab::up("bad-input", 4)
    });
    scenario("wrong inventories", || bad_input::of_inventory(&lab));
    scenario("hosts that the inventory does not fit", || {
        bad_input::of_hosts(&lab);
    });
    scenario("numbers that no majority gains by", || others::even(&lab));
    let export = lab.run("nfs-server", &[]);
    let url = scenario("a database by hand", || others::borrow_database(&lab));
    let site = others::borrowed(&lab, export.trim(), &url);
    scenario("its database cannot be reached", || {
        others::unreachable_database(&lab, &site);
    });
}

/// A site whose directory and database are somebody else's.
#[test]
#[ignore = "needs root and the lab: `make test-shapes`"]
fn shape_borrowed() {
    let lab = scenario("four hosts up, one of them a stranger", || {
        Lab::up("borrowed", 4)
    });
    let export = lab.run("nfs-server", &[]);
    let url = scenario("a database by hand", || others::borrow_database(&lab));
    scenario("a file server and a database from outside", || {
        others::borrowed(&lab, export.trim(), &url).converge();
        others::borrowed_used(&lab);
    });
}

/// Other names and numbers wherever they can be chosen, and hostile passwords.
#[test]
#[ignore = "needs root and the lab: `make test-shapes`"]
fn shape_renamed() {
    let lab = scenario("three hosts up in a /23", others::renamed);
    scenario("other names, hostile passwords", || {
        others::renamed_site(&lab).converge();
    });
    scenario("used by these names", || others::renamed_used(&lab));
}

/// Five managers and mounts, three bricks, three hosts of the database.
#[test]
#[ignore = "needs root and the lab: `make test-shapes`"]
fn shape_five() {
    let lab = scenario("five hosts up", || Lab::up("five", 5));
    scenario("five hosts", || others::five(&lab).converge());
    scenario("its parts are where they should be", || {
        others::five_used(&lab);
    });
}

/// The database on hosts of its own.
#[test]
#[ignore = "needs root and the lab: `make test-shapes`"]
fn shape_apart() {
    let lab = scenario("six hosts up", || Lab::up("apart", 6));
    scenario("three and three hosts", || others::apart(&lab).converge());
    scenario("its parts are where they should be", || {
        others::apart_used(&lab);
    });
}

/// A host fails in six ways, and the same command is run again; two writers go on. The first by its name: while it waits,
/// the others run one after the other beside it.
#[test]
#[ignore = "needs root and the lab"]
fn a_host_fails() {
    let lab = scenario("three hosts and a client", || Lab::up("faults", 4));
    faults::some(&lab);
}

/// All faults on all roles, on the whole site.
#[test]
#[ignore = "needs root and the lab: `make test-faults`"]
fn all_trials() {
    faults::every();
}

/// Damage by hand, each repaired alone, refused or told; two writers go on.
#[test]
#[ignore = "needs root and the lab: `make test-faults`"]
fn all_trials_by_hand() {
    once("by hand", || {
        let lab = scenario("three hosts and a client", || Lab::up("by-hand", 4));
        faults::by_hand(&lab);
    });
}

/// A replacement is broken off again and again; two writers go on.
#[test]
#[ignore = "needs root and the lab: `make test-faults`"]
fn all_trials_broken_off() {
    once("broken off", || {
        let lab = scenario("three hosts and a client", || Lab::up("broken-off", 4));
        faults::broken_off(&lab);
    });
}

/// Blank hosts to a database behind a virtual address, without any other layer, and a reboot of each.
#[test]
#[ignore = "needs root and the lab: `make test-faults`"]
fn all_trials_of_the_address() {
    once("the address", || {
        let lab = scenario("three hosts up", || Lab::up("address", 3));
        scenario("a primary, two standbys, an address", || {
            pgpool::build(&lab);
        });
        scenario("used through the address", || pgpool::used(&lab));
        scenario("taken for down after its boot", || {
            pgpool::down_after_the_boot(&lab);
        });
        scenario("all power lost, the primary remembered as down", || {
            remembered::after_a_loss_of_all_power(&lab);
        });
        scenario("a run while Pgpool-II looks for it in vain", || {
            remembered::waited_for_by_a_run(&lab);
        });
        scenario("the primary's own host attaches it", || {
            remembered::attached_by_its_own_host(&lab);
        });
        scenario("each host off and on", || pgpool::rebooted(&lab));
    });
}

/// A certificate of the stack that is about to end.
#[test]
#[ignore = "needs root and the lab: `make test-faults`"]
fn all_trials_of_the_certificate() {
    once("the certificate", || {
        let lab = scenario("three hosts up", || Lab::up("certificate", 3));
        scenario("the whole site", || kompira::run(&lab, &[]).expect(0));
        scenario("a certificate that is about to end", || {
            certificates::expiring(&lab);
        });
    });
}

/// A cluster that was built by hand, following the source document, is taken over.
#[test]
#[ignore = "needs root and the lab: `make test-shapes`"]
fn shape_by_hand() {
    let lab = scenario("three hosts up", || Lab::up("hand", 3));
    scenario("built by hand", || by_hand::build(&lab));
    scenario("taken over while a client writes", || {
        adopted::taken_over(&lab);
    });
    scenario("all hosts boot", || adopted::booted(&lab));
}
