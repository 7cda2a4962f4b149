//! The `GlusterFS` daemon of a host: its identity, its pool, and what both left on the disk.
//!
//! Its disk is read even when no daemon runs: a trace there beats a missing program.
//! Source: glusterd-store.c (`glusterd.info`, `peers/*`, `vols/*`), cli-xml-output.c of GlusterFS 11.

use super::{Seen, xml};
use serde::{Deserialize, Serialize};

/// What is known about `GlusterFS` on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gluster {
    /// Whether there is a `glusterd` program.
    pub installed: bool,
    /// Whether its daemon runs.
    pub running: bool,
    /// Its identity; made when it is first needed, and lost with the disk.
    pub uuid: String,
    /// What the pool may use of newer versions: `110000` is 11.0.
    pub op_version: String,
    /// The peers that its disk knows, ordered by identity.
    pub disk_peers: Vec<Peer>,
    /// The volumes that its disk knows.
    pub disk_volumes: Vec<String>,
    /// The peers as the daemon sees them, ordered by identity; `None` when it does not tell.
    pub peers: Option<Vec<Peer>>,
    /// Why the daemon does not tell.
    pub silent: String,
}

/// Another member of the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Peer {
    /// Its identity.
    pub uuid: String,
    /// The names that it is known by.
    pub hostnames: Vec<String>,
    /// Whether there is a connection.
    pub connected: bool,
    /// The state of the membership: 3 is `Peer in Cluster`, 6 is `Peer Rejected`. Source: glusterd-sm.h.
    pub state: u8,
    /// The state in the daemon's words.
    pub state_text: String,
}

impl Peer {
    /// Whether it is a member that answers.
    pub fn is_well(&self) -> bool {
        self.connected && self.state == 3
    }

    /// Whether it is known by this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.hostnames.iter().any(|known| known == name)
    }
}

impl Gluster {
    /// Whether nothing tells of a pool or a volume. An identity alone is none: a daemon that was started has one.
    pub fn is_blank(&self) -> bool {
        self.disk_peers.is_empty()
            && self.disk_volumes.is_empty()
            && self.peers.as_ref().is_none_or(Vec::is_empty)
    }

    /// The peers, as the daemon sees them, else as its disk knows them.
    pub fn all_peers(&self) -> &[Peer] {
        self.peers.as_deref().unwrap_or(&self.disk_peers)
    }

    /// Without what changes by itself: connections, and what peers tell each other some time after a change.
    pub fn steady(&self) -> Self {
        Self {
            disk_peers: Vec::new(),
            peers: None,
            silent: String::new(),
            uuid: String::new(),
            op_version: String::new(),
            ..self.clone()
        }
    }
}

// The daemon answers from memory; one that hangs in a lock is cut off, and nothing is known of its pool.
pub(super) const GLUSTER: &str = r#"
d=/var/lib/glusterd
command -v glusterd >/dev/null && echo installed yes
echo active "$(systemctl is-active glusterd.service)"
[ ! -r $d/glusterd.info ] || sed -n -e 's/^UUID=/uuid /p' -e 's/^operating-version=/version /p' $d/glusterd.info
for f in $d/peers/*; do [ ! -f "$f" ] || echo peer $(cat "$f"); done
for f in $d/vols/*; do [ ! -d "$f" ] || echo "volume ${f##*/}"; done
echo end
[ "$(systemctl is-active glusterd.service)" = active ] || exit 0
timeout 15 gluster --mode=script --xml peer status
[ $? -ne 124 ] || echo 'gluster peer status did not answer within 15 s' >&2
exit 0"#;

pub(super) fn parse(stdout: &str, stderr: &str) -> Seen<Gluster> {
    let Some((head, answer)) = stdout.split_once("\nend\n").or_else(|| {
        let head = stdout.strip_suffix("\nend")?;
        Some((head, ""))
    }) else {
        return Seen::Unknown(format!("the look at glusterd broke off: {}", stderr.trim()));
    };
    let mut seen = Gluster::default();
    for line in head.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "installed" => seen.installed = true,
            "active" => seen.running = rest == "active",
            "uuid" => rest.clone_into(&mut seen.uuid),
            "version" => rest.clone_into(&mut seen.op_version),
            "peer" => seen.disk_peers.push(disk_peer(rest)),
            "volume" => seen.disk_volumes.push(rest.to_owned()),
            _ => {}
        }
    }
    seen.disk_peers.sort();
    seen.disk_volumes.sort();
    if seen.running {
        match peers(answer) {
            Ok(peers) => seen.peers = Some(peers),
            Err(why) => seen.silent = format!("{} {why}", stderr.trim()).trim().to_owned(),
        }
    }
    Seen::Is(seen)
}

/// `uuid=… state=3 hostname1=ke2-server2 hostname2=…`
fn disk_peer(words: &str) -> Peer {
    let mut peer = Peer::default();
    for (key, value) in words
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
    {
        match key {
            "uuid" => value.clone_into(&mut peer.uuid),
            "state" => peer.state = value.parse().unwrap_or_default(),
            key if key.starts_with("hostname") => peer.hostnames.push(value.to_owned()),
            _ => {}
        }
    }
    peer
}

fn peers(answer: &str) -> Result<Vec<Peer>, String> {
    let document = xml::parse(answer)?;
    if let Some(error) = xml::failure(&document) {
        return Err(error);
    }
    let mut peers: Vec<Peer> = xml::all(document.root_element(), "peer")
        .map(|node| Peer {
            uuid: xml::text(node, "uuid").to_owned(),
            hostnames: node
                .children()
                .filter(|child| child.has_tag_name("hostnames"))
                .flat_map(|names| xml::all(names, "hostname"))
                .filter_map(|name| Some(name.text()?.trim().to_owned()))
                .collect(),
            connected: xml::text(node, "connected") == "1",
            state: xml::text(node, "state").parse().unwrap_or_default(),
            state_text: xml::text(node, "stateStr").to_owned(),
        })
        .collect();
    peers.sort();
    Ok(peers)
}
