//! What is mounted at a place, and whether it answers. The table of mounts is read first: it never hangs.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};

/// For how many seconds a file system is waited for. When a brick's host dies, the clients of its volume stand
/// still until they give it up, `network.ping-timeout` after they asked it something: 42 s unless it is set.
/// This question may be the first that a client asks since, and then has to outlast all of that time.
/// Source: GlusterFS's documentation of the option, "Tuning volume options".
pub(super) const PATIENCE_S: u64 = 60;

/// What is mounted at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounted {
    /// The file systems that are mounted there, the one that is seen last.
    pub mounts: Vec<Source>,
    /// Why the one that is seen does not answer; empty when it does.
    pub dead: String,
    /// While it does not answer: whether the client of GlusterFS that serves it runs. It connects again by itself.
    pub client: bool,
    /// With nothing mounted: `directory`, `absent`, or `other` for anything else.
    pub place: String,
    /// With nothing mounted: whether nothing can be made below the empty directory (`chattr +i`); `None`
    /// when its file system cannot tell.
    pub immutable: Option<bool>,
}

/// A mounted file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// A device, `localhost:/gvol0`, `server:/export`.
    pub source: String,
    /// `fuse.glusterfs`, `nfs4`, `xfs` …
    pub kind: String,
}

impl Mounted {
    /// Whether something is mounted there that answers.
    pub fn is_alive(&self) -> bool {
        !self.mounts.is_empty() && self.dead.is_empty()
    }

    /// Without what a file system of the network changes by itself.
    pub fn steady(&self) -> Self {
        Self {
            dead: String::new(),
            client: false,
            ..self.clone()
        }
    }
}

// proc(5): the fields of mountinfo before the lone `-` vary in number; a space is written `\040`.
// A client and a dead one give the same error when no brick answers, so that its process is looked for: mount.glusterfs
// starts one that has the place among its arguments.
pub(super) fn script(path: &str) -> String {
    format!(
        r#"p={}
m=$(p=$p awk 'BEGIN {{ want = ENVIRON["p"]; gsub(/\\/, "\\134", want); gsub(/ /, "\\040", want); gsub(/\t/, "\\011", want) }}
  $5 == want {{ for (i = 7; i <= NF; i++) if ($i == "-") {{ print "mount", $(i + 1), $(i + 2); break }} }}' /proc/self/mountinfo)
if [ -n "$m" ]; then
  printf '%s\n' "$m"
  said=$({{ timeout -s KILL {PATIENCE_S} stat -f -c %T -- "$p" && timeout -s KILL 15 find "$p" -maxdepth 1 -print -quit; }} 2>&1 >/dev/null); status=$?
  [ $status -ne 137 ] || echo hung
  if [ $status -ne 0 ]; then
    printf 'dead %s\n' "$said" | head -n 1
    for f in $(grep -lszFx -e "$p" /proc/[0-9]*/cmdline); do
      case $(readlink "${{f%cmdline}}exe") in */glusterfs*) echo client; break ;; esac
    done
  fi
elif [ -d "$p" ] && [ ! -L "$p" ]; then
  echo place directory
  f=$(lsattr -d -- "$p" 2>/dev/null) && case ${{f%% *}} in *i*) echo immutable yes ;; *) echo immutable no ;; esac
elif [ -e "$p" ] || [ -L "$p" ]; then echo place other
else echo place absent
fi
echo end"#,
        quote(path)
    )
}

pub(super) fn parse(path: &str, stdout: &str, stderr: &str) -> Seen<Mounted> {
    let Some(body) = stdout.trim_end().strip_suffix("end") else {
        return Seen::Unknown(format!("what is mounted at {path}: {}", stderr.trim()));
    };
    let mut mounted = Mounted::default();
    for line in body.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "mount" => {
                let (kind, source) = rest.split_once(' ').unwrap_or((rest, ""));
                mounted.mounts.push(Source {
                    source: source.to_owned(),
                    kind: kind.to_owned(),
                });
            }
            "hung" => {
                return Seen::Unknown(format!(
                    "the file system at {path} did not answer within {PATIENCE_S} s: it hangs"
                ));
            }
            "dead" => {
                mounted.dead = match rest {
                    "" => "it cannot be read".to_owned(),
                    said => said.to_owned(),
                };
            }
            "client" => mounted.client = true,
            "place" => rest.clone_into(&mut mounted.place),
            "immutable" => mounted.immutable = Some(rest == "yes"),
            _ => {}
        }
    }
    Seen::Is(mounted)
}
