//! The shared directory: founded on blank hosts, damaged by hand, repaired or refused, and back after a boot of all
//! hosts at once.

use super::fingerprint;
use super::inventory::Inventory;
use super::lab::{Lab, name_of};
use super::plan::{Step, step, steps};
use super::provision::Ended;
use super::scenario::{note, scenario};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What is done on each host for the shared directory alone.
const ON_EACH: [(&str, &str); 15] = [
    ("package/install/centos-release-gluster11", "create"),
    (
        "package/install/glusterfs-server+glusterfs-fuse+policycoreutils-python-utils",
        "create",
    ),
    ("firewall/open/glusterfs", "repair"),
    ("service/enable/glusterd.service", "repair"),
    ("service/start/glusterd.service", "repair"),
    ("mount/directory/mnt/gluster", "create"),
    ("mount/guard/mnt/gluster", "create"),
    ("mount/keep/mnt/gluster", "repair"),
    ("mount/mount/mnt/gluster", "repair"),
    (
        "file/write/etc/systemd/system/shared-directory.service",
        "create",
    ),
    ("directory/etc/systemd/system/docker.service.d", "create"),
    (
        "file/write/etc/systemd/system/docker.service.d/40-shared-directory.conf",
        "create",
    ),
    ("service/enable/shared-directory.service", "repair"),
    ("service/start/shared-directory.service", "repair"),
    // The release package brings the repository, so that no step writes it.
    ("hosts_entries", "repair"),
];

fn run(lab: &Lab, words: &[&str]) -> Ended {
    let inventory = Inventory::of(lab).shared().write(lab, "shared.yml");
    lab.provision_with(&inventory, &[&["--output", "json"], words].concat())
}

/// The same with all layers.
fn whole(lab: &Lab, words: &[&str]) -> Ended {
    let inventory = super::kompira::inventory(lab);
    lab.provision_with(&inventory, &[&["--output", "json"], words].concat())
}

fn status(lab: &Lab) -> serde_json::Value {
    let inventory = super::kompira::inventory(lab);
    let mut command = super::provision::command(lab);
    command.args(["status", inventory.to_str().unwrap(), "--output", "json"]);
    let ended = super::provision::run(&mut command, b"");
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
}

/// The plan of blank hosts is whole, and asking for it leaves nothing behind.
pub fn blank(lab: &Lab) -> BTreeSet<Step> {
    const DISKS: &str = "/data/brick /var/lib/docker";
    lab.sh_all("chronyc waitsync 120 0 0 1 >/dev/null");
    fingerprint::whole(lab, DISKS);
    let before = fingerprint::whole(lab, DISKS);
    let dry = whole(lab, &["--dry-run"]).expect(0);
    assert_eq!(dry.plan()["unknown"], serde_json::json!([]), "{}", dry.out);
    assert_eq!(dry.plan()["refusals"], serde_json::json!([]));
    let planned = steps(&dry.plan());
    assert_eq!(steps(&whole(lab, &["--dry-run"]).expect(0).plan()), planned);
    for (before, after) in before.iter().zip(&fingerprint::whole(lab, DISKS)) {
        assert_eq!(before.changes(after, &[]), [""; 0]);
    }
    for host in lab.hosts() {
        for (id, class) in ON_EACH {
            assert!(
                planned.contains(&step(id, host, class)),
                "{id} for {host}: {planned:#?}"
            );
        }
    }
    for wanted in [
        step("gluster_pool/probe/ke2-server2", 2, "found"),
        step("gluster_pool/probe/ke2-server3", 3, "create"),
        step("gluster_volume/create/gvol0", 1, "found"),
        step("gluster_volume/start/gvol0", 1, "create"),
        step("secret_key/make/mnt/gluster/var/.secret_key", 1, "found"),
        step("certificates/found/server", 1, "found"),
        step("stack_images/load/redis:7.2-alpine", 3, "create"),
        step("stack/first/ke2", 1, "create"),
        step("stack/deploy/ke2", 1, "create"),
    ] {
        assert!(planned.contains(&wanted), "{wanted:?}");
    }
    planned
}

/// A brick on the root file system that nobody consented to is refused before anything is changed.
pub fn on_root(lab: &Lab) {
    let inventory = Inventory::of(lab)
        .shared()
        .var("gluster_brick", "/var/glustervol0")
        .write(lab, "on-root.yml");
    let before = lab.sh_all("rpm -qa | sort; cat /etc/hosts");
    let ended = lab
        .provision_with(&inventory, &["--output", "json"])
        .expect(3);
    let refusals = ended.plan()["refusals"].to_string();
    assert_eq!(refusals.matches("\"G23\"").count(), 3, "{refusals}");
    assert!(ended.done().is_empty());
    assert_eq!(lab.sh_all("rpm -qa | sort; cat /etc/hosts"), before);
}

/// What the document's commands show, and a file that is written on one host and read on the others.
pub fn first_run(lab: &Lab, planned: &BTreeSet<Step>) {
    let done = whole(lab, &["--paranoid"]).expect(0);
    assert_eq!(&steps(&done.plan()), planned);
    assert_eq!(&done.done(), planned, "done is what was planned");
    let mut events = done.events().into_iter();
    let in_vain = events.find(|event| event.to_string().contains("did not begin"));
    assert_eq!(in_vain, None, "a step began before what it waits for");
    note(&format!(
        "{} steps in {:.0} s",
        planned.len(),
        done.took.as_secs_f64()
    ));
    let again = whole(lab, &["--paranoid"]).expect(0);
    assert_eq!(again.summary()["outcome"], "converged");
    assert!(again.done().is_empty(), "{}", again.out);
    let pool = lab.sh(1, "gluster --mode=script pool list");
    assert_eq!(pool.matches("Connected").count(), 3, "{pool}");
    shared(lab);
    let told = status(lab);
    assert_eq!(told["healthy"], true, "{told:#}");
    let layers = told["layers"].as_array().unwrap();
    let volume = layers
        .iter()
        .find(|layer| layer["layer"] == "glusterfs gvol0")
        .unwrap();
    assert_eq!(volume["margin"]["can_lose"], 1);
    let mounts = layers
        .iter()
        .find(|layer| layer["layer"] == "mount /mnt/gluster")
        .unwrap();
    assert_eq!(
        mounts["members"].as_array().unwrap().len(),
        lab.hosts().count()
    );
}

fn shared(lab: &Lab) {
    for host in lab.hosts() {
        let word = name_of(host);
        lab.sh(host, &format!("echo {word} >/mnt/gluster/{word}"));
        for reader in lab.hosts() {
            // A mount keeps what it knows of a folder for a second.
            let read = format!(
                "for _ in $(seq 100); do cat /mnt/gluster/{word} 2>/dev/null && break; sleep 0.1; done"
            );
            assert_eq!(lab.sh(reader, &read).trim(), word);
        }
    }
    for host in lab.hosts() {
        lab.sh(1, &format!("rm /mnt/gluster/{}", name_of(host)));
    }
}

/// The processes of this name whose arguments have the word.
const KILL: &str = r#"for p in $(pidof NAME); do ! grep -qz -e WORD "/proc/$p/cmdline" || kill -9 "$p"; done; sleep 1"#;

fn kill(name: &str, word: &str) -> String {
    KILL.replace("NAME", name).replace("WORD", word)
}

/// A dry run shows exactly this, the next run does it, and the one after finds nothing.
fn repaired(lab: &Lab, what: &str, host: usize, script: &str, ids: &[(&str, &str)]) {
    scenario(&format!("  {what}"), || {
        lab.sh(host, script);
        let wanted: BTreeSet<Step> = ids
            .iter()
            .map(|(id, class)| step(id, host, class))
            .collect();
        let dry = run(lab, &["--dry-run"]).expect(0);
        assert_eq!(steps(&dry.plan()), wanted, "{}", dry.out);
        let done = run(lab, &["--paranoid"]).expect(0);
        assert_eq!(done.done(), wanted, "{}", done.out);
        assert_eq!(run(lab, &[]).expect(0).summary()["outcome"], "converged");
        shared(lab);
    });
}

/// A run refuses with this code and changes nothing; once the person has decided, the next one finds nothing.
fn refused(lab: &Lab, what: &str, code: &str, host: usize, damage: &str, decision: &str) {
    scenario(&format!("  {what}"), || {
        lab.sh(host, damage);
        let ended = run(lab, &[]).expect(3);
        let refusals = ended.plan()["refusals"].to_string();
        assert!(refusals.contains(&format!("\"{code}\"")), "{refusals}");
        assert!(ended.done().is_empty(), "{}", ended.out);
        lab.sh(host, decision);
        assert_eq!(run(lab, &[]).expect(0).summary()["outcome"], "converged");
        shared(lab);
    });
}

/// With one brick of three the volume answers nobody. What is wrong is the bricks; the clients come back by themselves, and
/// are not taken from under those that use them.
fn two_bricks(lab: &Lab) {
    scenario("  the processes of two bricks killed", || {
        let clients = || {
            let pid = |host| lab.sh(host, "pgrep -f 'glusterfs .*fuse.* /mnt/gluster$'");
            lab.hosts().map(pid).collect::<Vec<String>>()
        };
        let before = clients();
        for host in [2, 3] {
            lab.sh(host, &kill("glusterfsd", "gvol0"));
        }
        let wanted: BTreeSet<Step> = [2, 3]
            .map(|host| {
                let id = format!("gluster_volume/start-missing/ke2-server{host}");
                step(&id, host, "repair")
            })
            .into();
        let dry = run(lab, &["--dry-run"]).expect(0);
        let plan = dry.plan();
        assert_eq!(steps(&plan), wanted, "{}", dry.out);
        let waits = plan["waits"].to_string();
        assert_eq!(waits.matches("its client runs").count(), 3, "{waits}");
        let done = run(lab, &["--paranoid"]).expect(0);
        // The first starts both, unless it is slow.
        let started = done.done();
        assert!(
            !started.is_empty() && started.is_subset(&wanted),
            "{}",
            done.out
        );
        assert_eq!(run(lab, &[]).expect(0).summary()["outcome"], "converged");
        assert_eq!(clients(), before);
        shared(lab);
    });
}

/// What somebody did by hand, or what died.
pub fn damaged(lab: &Lab) {
    repaired(
        lab,
        "a brick's process killed",
        3,
        &kill("glusterfsd", "gvol0"),
        &[("gluster_volume/start-missing/ke2-server3", "repair")],
    );
    two_bricks(lab);
    repaired(
        lab,
        "the process of a mount killed",
        1,
        &kill("glusterfs", "fuse"),
        &[("mount/again/mnt/gluster", "repair")],
    );
    repaired(
        lab,
        "a mount taken away: nothing can be written below it",
        2,
        "umount /mnt/gluster; ! touch /mnt/gluster/lost",
        &[("mount/mount/mnt/gluster", "repair")],
    );
    repaired(
        lab,
        "the line in fstab edited",
        1,
        "sed -i s/,nofail// /etc/fstab",
        &[("mount/keep/mnt/gluster", "repair")],
    );
    repaired(
        lab,
        "the service closed in a firewall",
        3,
        "firewall-cmd -q --remove-service=glusterfs; firewall-cmd -q --permanent --remove-service=glusterfs",
        &[("firewall/open/glusterfs", "repair")],
    );
    refused(
        lab,
        "the volume stopped: G11",
        "G11",
        1,
        "gluster --mode=script volume stop gvol0",
        "gluster --mode=script volume start gvol0; sleep 5; ls /mnt/gluster",
    );
    refused(
        lab,
        "something else mounted there: G13",
        "G13",
        2,
        "mount -t tmpfs none /mnt/gluster",
        "umount /mnt/gluster",
    );
    refused(
        lab,
        "another line in fstab: G14",
        "G14",
        3,
        "cp /etc/fstab /root/fstab; sed -i 's#^localhost:/gvol0#filer:/export#' /etc/fstab",
        "cp /root/fstab /etc/fstab",
    );
    repaired(
        lab,
        "the folder of a brick moved away: it is filled again from the others",
        3,
        &format!(
            "{}; mv /data/brick/gvol0 /data/brick/moved",
            kill("glusterfsd", "gvol0")
        ),
        &[("gluster_volume/reset-brick/ke2-server3", "repair")],
    );
    lab.sh(3, "rm -rf /data/brick/moved");
}

/// All hosts boot at once: the first attempt to mount may come before two bricks are up.
pub fn booted(lab: &Lab) {
    lab.run("reboot", &["--all"]);
    let began = Instant::now();
    let up = "mountpoint -q /mnt/gluster && timeout 10 ls /mnt/gluster >/dev/null && systemctl is-active docker";
    for host in lab.hosts() {
        while !lab.try_sh(host, up).status.success() {
            let took = began.elapsed();
            assert!(
                took < Duration::from_secs(240),
                "host {host} after {took:?}"
            );
            std::thread::sleep(Duration::from_secs(2));
        }
    }
    note(&format!(
        "all mounted and docker up after {:.0} s",
        began.elapsed().as_secs_f64()
    ));
    for host in lab.hosts() {
        let order = lab.sh(
            host,
            "for u in mnt-gluster.mount docker.service; do systemctl show -p ActiveEnterTimestampMonotonic --value $u; done",
        );
        let times: Vec<u64> = order.lines().map(|time| time.parse().unwrap()).collect();
        assert!(
            times[0] < times[1],
            "docker is up before the mount: {order}"
        );
        assert_eq!(lab.sh(host, "systemctl --failed --no-legend"), "");
    }
    shared(lab);
    let again = run(lab, &[]).expect(0);
    assert!(again.done().is_empty(), "{}", again.out);
}
