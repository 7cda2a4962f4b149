//! The folder of a brick: whether it is there, on which file system, and whose it is. Read with no daemon running.

use super::Seen;
use super::shell::quote;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is at the place of a brick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Folder {
    /// `directory`, `absent`, or `other` for anything else.
    pub kind: String,
    /// Whether the folder above it is there.
    pub parent: bool,
    /// Where the file system is mounted that holds it, or would.
    pub mount_point: String,
    /// The type of that file system.
    pub file_system: String,
    /// Whether that is the root file system.
    pub on_root: bool,
    /// Whether it is the root of a file system itself.
    pub is_mount: bool,
    /// The place above it, or itself, that /etc/fstab has a file system for which is not mounted.
    pub unmounted: String,
    /// How many entries it has, without `lost+found`.
    pub entries: u64,
    /// Whether there is a `.glusterfs` in it.
    pub dot_glusterfs: bool,
    /// The volume that it is marked with (`trusted.glusterfs.volume-id`); empty when it is not.
    pub volume_id: String,
    /// Whether it is marked as a folder of some volume (`trusted.gfid`).
    pub gfid: bool,
    /// The folder above it that is marked as a brick; empty when there is none.
    pub inside: String,
    /// Whether the marks could be read: `getfattr` comes with the package attr.
    pub marks_read: bool,
    /// Entries for which this brick says that another one is behind, by the other one's name in the volume
    /// (`gvol0-client-2`): what its index lists, as `trusted.afr.*` of each tells. Source: afr of GlusterFS 11.
    pub blames: BTreeMap<String, u64>,
    /// Whether those could not be counted in time.
    pub blames_unknown: bool,
}

impl Folder {
    /// Why no brick can be made here; empty when nothing has ever been here.
    pub fn traces(&self) -> Vec<String> {
        let mut traces = Vec::new();
        if self.kind == "other" {
            traces.push("it is no directory".to_owned());
        }
        if !self.volume_id.is_empty() {
            traces.push(format!(
                "it is marked as a brick of volume {}",
                self.volume_id
            ));
        } else if self.gfid {
            traces.push("it is marked as a folder of a volume (trusted.gfid)".to_owned());
        }
        if self.dot_glusterfs {
            traces.push("it has a .glusterfs".to_owned());
        }
        if self.entries > u64::from(self.dot_glusterfs) {
            traces.push(format!("it has {} entries", self.entries));
        }
        if !self.inside.is_empty() {
            traces.push(format!("it is inside of the brick {}", self.inside));
        }
        traces
    }

    /// Whether it is, or was, a brick of this volume with its files.
    pub fn is_brick_of(&self, id: &str) -> bool {
        self.kind == "directory" && !id.is_empty() && self.volume_id == id
    }

    /// Whether it holds files of a volume.
    pub fn has_files(&self) -> bool {
        self.entries > u64::from(self.dot_glusterfs)
    }

    /// Without what the volume changes by itself.
    pub fn steady(&self) -> Self {
        Self {
            entries: self.entries.min(1),
            blames: BTreeMap::new(),
            blames_unknown: false,
            ..self.clone()
        }
    }
}

pub(super) fn script(path: &str) -> String {
    format!(
        r#"p={}
if [ -d "$p" ] && [ ! -L "$p" ]; then echo kind directory; elif [ -e "$p" ] || [ -L "$p" ]; then echo kind other; else echo kind absent; fi
[ ! -d "$(dirname "$p")" ] || echo parent yes
q=$p; while [ ! -e "$q" ] && [ "$q" != / ]; do q=$(dirname "$q"); done
echo fs $(df --output=fstype,target -- "$q" | tail -n 1)
[ "$(stat -c %d -- "$q")" != "$(stat -c %d /)" ] || echo root yes
! mountpoint -q -- "$p" || echo mount yes
awk '$1 !~ /^#/ && $2 ~ /^\/./ && $3 != "swap" {{ print $2 }}' /etc/fstab 2>/dev/null | while read -r m; do
  case $p/ in "$m"/*) mountpoint -q -- "$m" || echo "unmounted $m" ;; esac
done
if command -v getfattr >/dev/null; then
  echo marks read
  mark() {{ getfattr --absolute-names --only-values -n "$1" -- "$2" 2>/dev/null | od -An -v -tx1 | tr -d ' \n'; }}
  if [ -d "$p" ]; then
    echo volume "$(mark trusted.glusterfs.volume-id "$p")"
    [ -z "$(mark trusted.gfid "$p")" ] || echo gfid yes
  fi
  q=$p; while q=$(dirname "$q"); [ "$q" != / ]; do
    [ ! -d "$q" ] || [ -z "$(mark trusted.glusterfs.volume-id "$q")$(mark trusted.gfid "$q")" ] || echo "inside $q"
  done
fi
[ ! -e "$p/.glusterfs" ] || echo dot yes
i=$p/.glusterfs/indices/xattrop
if [ -d "$i" ] && command -v getfattr >/dev/null; then
  ls -- "$i" | sed -n -E 's|^([0-9a-f]{{2}})([0-9a-f]{{2}})([0-9a-f]{{4}}-[0-9a-f-]{{27}})$|\1/\2/\1\2\3|p' | (cd -- "$p/.glusterfs" && {{
    timeout 30 xargs -r getfattr -d -m '^trusted\.afr\..*-client-[0-9]+$' -e hex -- 2>/dev/null
    [ $? -ne 124 ] || echo timeout
  }}) | awk -F= '/^timeout/ {{ print "blames timeout" }} /^trusted\.afr\./ && $2 !~ /^0x0*$/ {{ n[substr($1, 13)]++ }} END {{ for (k in n) print "blames", k, n[k] }}'
fi
[ ! -d "$p" ] || echo entries "$(ls -A -- "$p" | grep -cvx 'lost+found')"
echo end"#,
        quote(path)
    )
}

pub(super) fn parse(stdout: &str, stderr: &str) -> Seen<Folder> {
    let Some(body) = stdout.trim_end().strip_suffix("end") else {
        return Seen::Unknown(format!(
            "the look at the brick broke off: {}",
            stderr.trim()
        ));
    };
    let mut folder = Folder::default();
    for line in body.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "kind" => rest.clone_into(&mut folder.kind),
            "parent" => folder.parent = true,
            "fs" => {
                let (kind, place) = rest.split_once(' ').unwrap_or((rest, ""));
                kind.clone_into(&mut folder.file_system);
                place.clone_into(&mut folder.mount_point);
            }
            "root" => folder.on_root = true,
            "mount" => folder.is_mount = true,
            "unmounted" => rest.clone_into(&mut folder.unmounted),
            "marks" => folder.marks_read = true,
            "volume" => folder.volume_id = uuid(rest),
            "gfid" => folder.gfid = true,
            "inside" => rest.clone_into(&mut folder.inside),
            "dot" => folder.dot_glusterfs = true,
            "blames" => match rest.split_once(' ') {
                Some((name, count)) => {
                    let count = count.parse().unwrap_or_default();
                    folder.blames.insert(name.to_owned(), count);
                }
                None => folder.blames_unknown = true,
            },
            "entries" => folder.entries = rest.parse().unwrap_or_default(),
            _ => {}
        }
    }
    Seen::Is(folder)
}

/// Thirty-two hexadecimal digits as an identity is written: 8-4-4-4-12.
fn uuid(hex: &str) -> String {
    if hex.len() != 32 || !hex.is_ascii() {
        return hex.to_owned();
    }
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_brick_calls_behind_is_counted_by_name() {
        let told = "kind directory\nparent yes\nfs xfs /data/brick\nmarks read\nvolume 177799692dc1481ab1319f23f79cdff1\ngfid yes\nblames gvol0-client-2 7\ndot yes\nentries 3\nend";
        let Seen::Is(folder) = parse(told, "") else {
            panic!("not read");
        };
        assert_eq!(folder.blames, [("gvol0-client-2".to_owned(), 7)].into());
        assert!(folder.has_files() && !folder.blames_unknown);
        let late = told.replace("gvol0-client-2 7", "timeout");
        let Seen::Is(folder) = parse(&late, "") else {
            panic!("not read");
        };
        assert!(folder.blames_unknown);
    }
}
