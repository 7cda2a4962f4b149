//! `mount`: a file system is mounted, now and after a boot.

mod fstab;
mod refuse;

use super::argument::{defaulted, needed};
use super::attributes::Wanted;
use super::edited_file::{EditedFile, Text};
use super::line::lines;
use super::managed_file::object;
use super::{Args, Context, Health, Light, MemberHealth, Module, Unfit};
use crate::inventory::HostName;
use crate::plan::{Act, Claim, Class, Decision, Expect, MountAct, Step, StepId, Wait};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::mounted::{Mounted, Source};
use crate::probe::{Answers, Need, Query, Seen};
use fstab::{escape, set, words};

/// How long a client may take to connect again once its bricks answer, in seconds: it tries every 3 s, and may first have
/// to give up a connection that went silent, which takes `network.ping-timeout` (42 s).
const CONNECTS_S: u64 = 120;

/// A file system and the place that it is mounted at.
#[derive(Clone, Debug)]
pub struct Mount {
    host: HostName,
    table: EditedFile,
    path: String,
    source: String,
    kind: String,
    guarded: bool,
    /// The six fields of the line in /etc/fstab.
    fields: [String; 6],
}

/// What is seen of it.
#[derive(Clone, Debug)]
pub struct State {
    table: Text,
    mounted: Seen<Mounted>,
}

impl Module for Mount {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "mount",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "path",
                ArgKind::Path,
                "Where; the directory is made when it is missing.",
            ),
            needed(
                "src",
                ArgKind::Text,
                "What: a device, `UUID=…`, `host:/export`.",
            ),
            needed(
                "fstype",
                ArgKind::Text,
                "The type: `xfs`, `nfs`, `glusterfs` …",
            ),
            defaulted("opts", ArgKind::Text, "defaults", "The options."),
            defaulted(
                "passno",
                ArgKind::Int,
                "0",
                "When it is checked at boot; 0 is never.",
            ),
            defaulted(
                "guarded",
                ArgKind::Bool,
                "false",
                "Whether the empty directory is made immutable, so that nothing is written there while nothing is mounted.",
            ),
        ],
    };

    type State = State;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let path = args.required("path")?;
        let path = match path.trim_end_matches('/') {
            "" => return Err(args.wrong_at("path", "the root is mounted already")),
            path => path.to_owned(),
        };
        let fields = [
            args.required("src")?,
            path.clone(),
            args.required("fstype")?,
            args.required("opts")?,
            "0".to_owned(),
            args.required("passno")?,
        ]
        .map(|field| escape(&field));
        if fields.iter().any(String::is_empty) {
            return Err(args.wrong("`mount` takes no empty `src`, `fstype` or `opts`"));
        }
        let source = args.required("src")?;
        let kind = args.required("fstype")?;
        if kind == "nfs" && !source.contains(":/") {
            let problem =
                format!("`{source}` is no directory of a file server, such as server:/export");
            return Err(args.wrong_at("src", problem));
        }
        Ok(Self {
            host: context.host.clone(),
            table: EditedFile {
                module: "mount",
                host: context.host.clone(),
                path: "/etc/fstab".to_owned(),
                create: true,
                wanted: Wanted::default(),
            },
            path,
            source,
            kind,
            guarded: args.flag("guarded"),
            fields,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let state = State {
            table: self.table.look(seen),
            mounted: seen.mounted(&self.host, &*self.path),
        };
        seen.settle(state)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let Seen::Is(mounted) = &state.mounted else {
            return Decision::default();
        };
        let here = mounted.mounts.last();
        if let Some(other) = here.filter(|here| !self.is_ours(here)) {
            return self.other(other);
        }
        if let Some(Ok(table)) = self.table.text(&state.table)
            && let Some(line) = self.foreign_line(table)
        {
            return self.other_line(&line);
        }
        let mut steps = self.prepare(mounted);
        if mounted.place == "other" {
            return self.in_the_way();
        }
        let why = format!("it has another line for {}, or none", self.path);
        let mut decision = self
            .table
            .plan(&state.table, &why, |now| set(now, &self.fields));
        for step in &mut decision.steps {
            step.id = StepId::new(&["mount", "keep", object(&self.path)]);
        }
        steps.append(&mut decision.steps);
        if decision.refusals.is_empty() {
            steps.extend(self.mount(mounted));
            decision.waits.extend(self.connects(mounted));
        }
        decision.steps = steps;
        decision
    }

    fn health(&self, state: &Self::State) -> Option<Health> {
        let (light, says) = match &state.mounted {
            Seen::Unknown(why) => (Light::Unknown, why.clone()),
            Seen::Is(mounted) => match mounted.mounts.last() {
                None => (Light::Red, "not mounted".to_owned()),
                Some(_) if !mounted.dead.is_empty() => {
                    let how = if mounted.client { "silent" } else { "dead" };
                    (Light::Red, format!("mounted, and {how}: {}", mounted.dead))
                }
                Some(here) if self.is_ours(here) => (Light::Green, here.source.clone()),
                Some(here) => (Light::Red, format!("{} is mounted there", here.source)),
            },
        };
        Some(Health {
            layer: format!("mount {}", self.path),
            members: vec![MemberHealth {
                host: self.host.clone(),
                light,
                says,
            }],
            margin: None,
        })
    }
}

impl Mount {
    /// Whether that is what should be mounted: the table of mounts says `fuse.glusterfs` of what fstab calls
    /// `glusterfs`, and `nfs4` of `nfs`; a device has several names, so that only its type is compared.
    fn is_ours(&self, here: &Source) -> bool {
        let same_kind = self.kind == "auto"
            || here.kind == self.kind
            || here.kind.strip_prefix("fuse.") == Some(self.kind.as_str())
            || (self.kind == "nfs" && here.kind == "nfs4");
        same_kind && (!self.is_shared() || self.same_source(&here.source))
    }

    /// Whether it is a file system of the network.
    fn is_shared(&self) -> bool {
        matches!(&*self.kind, "glusterfs" | "nfs" | "nfs4")
    }

    /// A volume is the same whichever member of the pool told how it is made.
    fn same_source(&self, other: &str) -> bool {
        let volume = |source: &str| {
            let (_, volume) = source.rsplit_once(':').unwrap_or(("", source));
            volume.trim_start_matches('/').to_owned()
        };
        if self.kind == "glusterfs" {
            volume(&self.source) == volume(other)
        } else {
            self.source.trim_end_matches('/') == other.trim_end_matches('/')
        }
    }

    /// The line in fstab that mounts something else there.
    fn foreign_line(&self, table: &[u8]) -> Option<String> {
        lines(table).find_map(|line| {
            let words = words(line);
            let [source, place, kind, ..] = &words[..] else {
                return None;
            };
            let foreign = place.trim_end_matches('/') == self.fields[1]
                && (*kind != self.fields[2] || (self.is_shared() && !self.same_source(source)));
            foreign.then(|| words.join(" "))
        })
    }

    /// The directory, made and guarded only while nothing is mounted there.
    fn prepare(&self, mounted: &Mounted) -> Vec<Step> {
        let mut steps = Vec::new();
        if !mounted.mounts.is_empty() {
            return steps;
        }
        if mounted.place == "absent" {
            let act = Act::MakeDirectory {
                path: self.path.clone(),
                mode: None,
                owner: None,
                group: None,
            };
            let id = StepId::new(&["mount", "directory", object(&self.path)]);
            steps.push(Step::new(
                id,
                &self.host,
                Class::Create,
                "it does not exist",
                act,
            ));
        }
        let open = mounted.place == "absent" || mounted.immutable == Some(false);
        if self.guarded && open {
            let act = Act::Mount(MountAct::Guard {
                path: self.path.clone(),
            });
            let id = StepId::new(&["mount", "guard", object(&self.path)]);
            let why = "while nothing is mounted there, what is written would go to the disk below";
            steps.push(Step::new(id, &self.host, Class::Create, why, act));
        }
        steps
    }

    fn mount(&self, mounted: &Mounted) -> Option<Step> {
        let path = self.path.clone();
        let (verb, act, class, why) = if mounted.mounts.is_empty() {
            let why = "nothing is mounted there".to_owned();
            ("mount", MountAct::Mount { path }, Class::Repair, why)
        } else if !mounted.dead.is_empty() && !mounted.client {
            let why = format!("what is mounted there is dead: {}", mounted.dead);
            ("again", MountAct::Again { path }, Class::Repair, why)
        } else {
            return None;
        };
        let id = StepId::new(&["mount", verb, object(&self.path)]);
        let step = Step::new(id, &self.host, class, why, Act::Mount(act));
        Some(step.done(self.answers()))
    }

    /// A client that runs is not taken away, since containers that use the mount would keep the dead one: it connects again
    /// as soon as it can.
    fn connects(&self, mounted: &Mounted) -> Option<Wait> {
        mounted.client.then(|| Wait {
            what: format!(
                "{path} does not answer ({}), and its client runs: it goes on by itself when enough bricks answer; when that stays, look at `gluster volume status` and at the firewalls, then `umount -l {path}` and run again",
                mounted.dead,
                path = self.path
            ),
            until: self.answers(),
            deadline_s: CONNECTS_S,
        })
    }

    fn answers(&self) -> Claim {
        let query = Query::Mounted(self.path.clone());
        Claim::new(&self.host, query, Expect::Mounted)
    }
}
