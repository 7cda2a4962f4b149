//! SIGKILL of the program at many moments; after each, the same command goes on.

use super::access::untouched;
use super::apply::three_managers;
use super::lab::Lab;
use super::scenario::note;
use std::time::Duration;

/// The steps of a build, in order; each may be met on its beginning or on its end.
const STAGES: [&str; 8] = [
    "hosts_entries",
    "repository/",
    "package/",
    "service/enable/",
    "service/start/",
    "firewall/",
    "swarm/init",
    "swarm/join/",
];

use Moment::{Begun, Done};

/// Which event of a stage.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Moment {
    Begun,
    Done,
}

/// When a run is killed: so many milliseconds after its first event that is at this stage or beyond.
/// The packages take some ten seconds: those moments are before, in and after rpm's transaction.
const BUILDS: [&[(usize, Moment, u64)]; 3] = [
    &[
        (0, Begun, 0),
        (1, Begun, 20),
        (2, Begun, 0),
        (2, Begun, 1500),
        (3, Begun, 0),
        (4, Begun, 200),
        (5, Begun, 100),
        (5, Begun, 900),
        (6, Begun, 0),
        (7, Begun, 0),
        (7, Begun, 400),
    ],
    &[
        (0, Done, 0),
        (2, Begun, 4000),
        (2, Begun, 2500),
        (2, Done, 0),
        (4, Begun, 800),
        (4, Done, 0),
        (5, Begun, 300),
        (6, Begun, 150),
        (7, Begun, 150),
    ],
    &[
        (2, Begun, 7000),
        (3, Done, 0),
        (4, Begun, 0),
        (5, Done, 0),
        (6, Begun, 500),
        (7, Begun, 50),
        (7, Done, 0),
    ],
];

/// How many moments are wanted at least, of those above: a run may find less to do than the next moment needs.
pub const WANTED: usize = 20;

/// Builds a cluster with a program that dies again and again; how often it did.
pub fn build(number: usize) -> usize {
    let lab = Lab::up(&format!("kills{number}"), 3);
    let mut killed = 0;
    for (stage, moment, later) in BUILDS[number] {
        let mut run = lab.start(&["--lock-timeout", "120"]);
        let due = |event: &serde_json::Value| {
            let moment_of = match event["event"].as_str().unwrap() {
                "step_started" => Begun,
                "step_done" => Done,
                _ => return false,
            };
            let id = event["id"].as_str().unwrap();
            let at = STAGES.iter().position(|prefix| id.starts_with(prefix));
            let at = at.unwrap_or_else(|| panic!("{id} is in no stage"));
            at > *stage || (at == *stage && moment_of >= *moment)
        };
        let Some(event) = run.event(due) else {
            run.end().expect(0);
            break;
        };
        std::thread::sleep(Duration::from_millis(*later));
        run.signal("-KILL");
        assert_eq!(run.end().code, None);
        killed += 1;
        note(&format!(
            "{:21}killed {later} ms after {} of {} for {}",
            "", event["event"], event["id"], event["host"]
        ));
    }
    let last = lab
        .provision(&["--lock-timeout", "120", "--output", "json"])
        .expect(0);
    let outcome = last.summary()["outcome"].clone();
    assert!(
        outcome == "changed" || outcome == "converged",
        "{}",
        last.out
    );
    untouched(&lab);
    three_managers(&lab);
    whole(&lab);
    killed
}

/// The hosts are as if nothing had happened: no remains, nothing twice, the same on each.
fn whole(lab: &Lab) {
    let seen = lab.sh_all(
        "rpm -qa --qf '%{NAME}\\n' | sort | grep -v gpg-pubkey | uniq -d; dnf -q check; \
         find / -xdev -name '.*provision*' -not -path '/proc/*' -not -path '/run/*' -not -path '/var/log/*'; \
         grep -c 'BEGIN PROVISION' /etc/hosts; cat /etc/hosts /etc/yum.repos.d/docker-ce.repo; \
         firewall-cmd --zone=public --list-ports | tr ' ' '\\n' | sort; \
         firewall-cmd --permanent --zone=public --list-ports | tr ' ' '\\n' | sort; \
         rpm -qa | sort | grep -E 'docker|containerd'; systemctl is-enabled docker; systemctl --failed --no-legend",
    );
    for text in &seen {
        assert!(text.starts_with("1\n127.0.0.1"), "{text}");
        assert_eq!(text, &seen[0]);
        assert_eq!(text.matches("\n2377/tcp\n").count(), 2, "{text}");
    }
}
