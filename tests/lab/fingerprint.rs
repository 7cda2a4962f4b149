//! All that a host is, as lines of text: two of them are equal when nothing has left a trace.

use super::lab::Lab;
use std::collections::BTreeSet;

/// Left out of the files, and why: kernel and memory file systems; logs and login records, which every
/// login writes; `chrony` keeps its measurements; SQLite's shared-memory index changes with each reader
/// (what rpm knows is compared on its own).
const OUT: &str = "/proc /sys /run /tmp /dev /var/log /var/lib/lastlog /var/lib/wtmpdb /var/lib/chrony \
                   /var/lib/systemd/random-seed /var/lib/systemd/timers /var/lib/systemd/timesync \
                   /var/lib/rpm/rpmdb.sqlite-shm";

/// One line a fact. Asked first what may itself write files (Python keeps compiled modules), then the files.
const SCRIPT: &str = r#"
export LC_ALL=C
rpm -qa | sed 's/^/package /'
systemctl list-unit-files --no-legend --no-pager --plain | sed 's/^/unit file /'
# Units of a login's session come and go with it.
systemctl list-units --all --no-legend --plain --no-pager | awk '$2 != "not-found" {print "unit", $1, $2, $3, $4}' |
  grep -vE 'unit (session-|user-|user@|user-runtime-dir@|run-user-|run-docker|var-lib-docker|sys-devices-|dev-)'
systemctl list-dependencies --plain multi-user.target | sed 's/^/wanted /'
for side in '' --permanent; do
  firewall-cmd $side --list-all-zones | sed "s/^/firewall $side /"
  firewall-cmd $side --direct --get-all-rules | sed "s/^/firewall $side direct /"
done
nft -s list ruleset 2>/dev/null | sed -E 's/counter packets [0-9]+ bytes [0-9]+/counter/; s/^/nft /'
ip -o addr show scope global | sed -E 's/^[0-9]+: //; s/^/address /' | grep -vE 'address veth'
ip route show table all | grep -v veth | sed 's/^/route /'
ip rule | sed 's/^/rule /'
sysctl -a 2>/dev/null | grep -E '^(net.ipv4.ip_forward|vm.swappiness) ' | sed 's/^/sysctl /'
prune=
for path in $OUT; do prune="$prune -path $path -o"; done
list() { find "$@" -xdev \( $prune -false \) -prune -o "${what[@]}"; }
what=(-printf 'file %p %y %m %U:%G %s %T@ %l\n')
list / $MORE
if [ $WHOLE = true ]; then
  what=(-type f -print0)
  list / $MORE | xargs -0 -r sha256sum 2>/dev/null | sed 's/^/content /'
else
  # Any write or change of mode moves the time of the inode's last change.
  what=(-type f -printf 'content %C@ %p\n')
  list / $MORE
fi
"#;

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(BTreeSet<String>);

impl Fingerprint {
    /// What has gone (`-`) and what has come (`+`), but for lines that contain one of `allowed`.
    pub fn changes(&self, after: &Self, allowed: &[&str]) -> Vec<String> {
        let gone = self.0.difference(&after.0).map(|line| format!("- {line}"));
        let come = after.0.difference(&self.0).map(|line| format!("+ {line}"));
        gone.chain(come)
            .filter(|line| !allowed.iter().any(|word| line.contains(word)))
            .collect()
    }
}

/// The fingerprints of all hosts, with the digests of all files. `more` names file systems beside the root one.
pub fn whole(lab: &Lab, more: &str) -> Vec<Fingerprint> {
    take(lab, more, true)
}

/// The same in less time: the time of each inode's last change in place of the digest.
pub fn quick(lab: &Lab) -> Vec<Fingerprint> {
    take(lab, "", false)
}

fn take(lab: &Lab, more: &str, whole: bool) -> Vec<Fingerprint> {
    // SQLite opens its journal for writing even to read.
    let journal = if whole {
        ""
    } else {
        "/var/lib/rpm/rpmdb.sqlite-wal"
    };
    let script = format!("OUT='{OUT} {journal}'\nMORE='{more}'\nWHOLE={whole}\n{SCRIPT}");
    let taken: Vec<Fingerprint> = lab
        .sh_all(&script)
        .iter()
        .map(|text| Fingerprint(text.lines().map(fact).collect()))
        .collect();
    for one in &taken {
        for kind in [
            "package ",
            "unit ",
            "unit file ",
            "firewall public",
            "firewall --permanent public",
            "nft ",
            "route ",
            "file /etc/hosts ",
            "content ",
        ] {
            assert!(
                one.0.iter().any(|line| line.starts_with(kind)),
                "nothing was seen of `{kind}`"
            );
        }
    }
    taken
}

/// A line in which nothing is said by the order of the words: firewalld's lists are sets.
fn fact(line: &str) -> String {
    let words = line.split_whitespace();
    match line.split_once(": ") {
        Some((before, list)) if line.starts_with("firewall ") => {
            let mut list: Vec<&str> = list.split_whitespace().collect();
            list.sort_unstable();
            let before: Vec<&str> = before.split_whitespace().collect();
            format!("{}: {}", before.join(" "), list.join(" "))
        }
        _ if line.starts_with("firewall ") => words.collect::<Vec<_>>().join(" "),
        _ => line.to_owned(),
    }
}
