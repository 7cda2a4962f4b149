//! `repository`: a package repository is configured. Only its own section of the file is touched, so
//! that a file written by the vendor's procedure is adopted.

use super::argument::{TEXTS, defaulted, needed, optional};
use super::attributes::Wanted;
use super::edited_file::{EditedFile, Text};
use super::line::{bare, lines};
use super::{Args, Context, Module, Unfit};
use crate::plan::{Class, Decision, StepId};
use crate::playbook::{ArgKind, ModuleSpec};
use crate::probe::{Answers, Need};

/// A section of a file in `/etc/yum.repos.d`.
#[derive(Clone, Debug)]
pub struct Repository {
    file: EditedFile,
    id: String,
    /// In the order that they are written in.
    settings: Vec<(&'static str, String)>,
}

impl Module for Repository {
    const SPEC: ModuleSpec = ModuleSpec {
        name: "repository",
        cluster: false,
        registers: false,
        free_form: None,
        args: &[
            needed(
                "id",
                ArgKind::Text,
                "The id of the repository: the name of its section.",
            ),
            optional(
                "file",
                ArgKind::Text,
                "Name of the file in /etc/yum.repos.d, without `.repo`; the id when not given.",
            ),
            optional("name", ArgKind::Text, "Its title; the id when not given."),
            optional("baseurl", ArgKind::Text, "Where the packages are."),
            optional(
                "metalink",
                ArgKind::Text,
                "Where the list of mirrors is, instead of `baseurl`.",
            ),
            optional(
                "mirrorlist",
                ArgKind::Text,
                "Where the older kind of list of mirrors is, instead of `baseurl`.",
            ),
            defaulted("enabled", ArgKind::Bool, "true", "Whether it is used."),
            defaulted(
                "gpgcheck",
                ArgKind::Bool,
                "true",
                "Whether packages must be signed.",
            ),
            optional("gpgkey", TEXTS, "Where the keys are that sign them."),
            optional(
                "module_hotfixes",
                ArgKind::Bool,
                "Whether its packages win over modular ones.",
            ),
            optional("exclude", TEXTS, "Packages that are not taken from it."),
            optional(
                "priority",
                ArgKind::Int,
                "A smaller number wins; dnf's default is 99.",
            ),
            optional(
                "sslcacert",
                ArgKind::Path,
                "The certificate authority of its server.",
            ),
            optional("proxy", ArgKind::Text, "The proxy that leads to it."),
        ],
    };

    type State = Text;

    fn from_args(args: &Args<'_>, context: &Context<'_>) -> Result<Self, Unfit> {
        let id = args.required("id")?;
        let name = args.text("file").unwrap_or_else(|| id.clone());
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
        for (arg, text) in [("id", &id), ("file", &name)] {
            if text.is_empty() || !text.chars().all(plain) {
                return Err(args.wrong_at(
                    arg,
                    format!("`{text}` is no name of a repository: letters, digits and `._-:` only"),
                ));
            }
        }
        let mut settings = vec![("name", args.text("name").unwrap_or_else(|| id.clone()))];
        for source in ["baseurl", "metalink", "mirrorlist"] {
            settings.extend(args.text(source).map(|url| (source, url)));
        }
        if settings.len() != 2 {
            return Err(
                args.wrong("`repository` needs one of `baseurl`, `metalink` and `mirrorlist`")
            );
        }
        let number = |name: &str| if args.flag(name) { "1" } else { "0" }.to_owned();
        settings.push(("enabled", number("enabled")));
        settings.push(("gpgcheck", number("gpgcheck")));
        let several = |name: &str| {
            let list = args.list(name);
            (!list.is_empty()).then(|| list.join(" "))
        };
        settings.extend(several("gpgkey").map(|keys| ("gpgkey", keys)));
        if args.node("module_hotfixes").is_some() {
            settings.push(("module_hotfixes", number("module_hotfixes")));
        }
        settings.extend(several("exclude").map(|names| ("exclude", names)));
        for setting in ["priority", "sslcacert", "proxy"] {
            settings.extend(args.text(setting).map(|text| (setting, text)));
        }
        if let Some((key, _)) = settings.iter().find(|(_, value)| value.contains('\n')) {
            return Err(args.wrong_at(key, format!("`{key}` is one line")));
        }
        Ok(Self {
            file: EditedFile {
                module: "repository",
                host: context.host.clone(),
                path: format!("/etc/yum.repos.d/{name}.repo"),
                create: true,
                wanted: Wanted::default(),
            },
            id,
            settings,
        })
    }

    fn look(&self, seen: &Answers<'_>) -> Result<Self::State, Need> {
        let text = self.file.look(seen);
        seen.settle(text)
    }

    fn plan(&self, state: &Self::State) -> Decision {
        let why = format!("its section [{}] is missing or differs", self.id);
        let mut decision = self
            .file
            .plan(state, &why, |now| set(now, &self.id, &self.settings));
        // Two sections of one file are two repositories: the second one is as new as the first.
        let section = format!("[{}]", self.id);
        let is_new = matches!(self.file.text(state), Some(Ok(now))
            if !lines(now).any(|line| bare(line) == section.as_bytes()));
        for step in &mut decision.steps {
            step.id = StepId::new(&["repository", &self.id]);
            if is_new {
                step.class = Class::Create;
            }
        }
        decision
    }
}

/// The text in which the section says all of `settings`; what else it says stays.
fn set(now: &[u8], id: &str, settings: &[(&str, String)]) -> Vec<u8> {
    let header = format!("[{id}]");
    let mut left: Vec<&(&str, String)> = settings.iter().collect();
    let mut new: Vec<u8> = Vec::new();
    // End of the last line of the section that says anything.
    let mut end = None;
    let mut inside = false;
    let mut replaced = false;
    for line in lines(now) {
        let text = String::from_utf8_lossy(bare(line)).into_owned();
        if text.starts_with('[') {
            inside = text.trim() == header;
            replaced = false;
        }
        // A value goes on in the lines below that are indented.
        let continues = text.starts_with([' ', '\t']) && !text.trim().is_empty();
        if inside && continues && replaced {
            continue;
        }
        replaced = false;
        let key = text.split_once('=').map(|(key, _)| key.trim());
        let place = left.iter().position(|(name, _)| Some(*name) == key);
        match place.filter(|_| inside && !continues && !text.starts_with(['#', ';'])) {
            Some(place) => {
                let (name, value) = left.remove(place);
                let said = text.split_once('=').map_or("", |(_, said)| said.trim());
                if said == value {
                    new.extend_from_slice(line);
                } else {
                    new.extend_from_slice(format!("{name}={value}\n").as_bytes());
                    replaced = true;
                }
            }
            // Said twice, the last one counts (libdnf overwrites): one that says something else goes.
            None if inside && !continues && contradicts(settings, &text) => {
                replaced = true;
                continue;
            }
            None => new.extend_from_slice(line),
        }
        if inside && !text.trim().is_empty() {
            end = Some(new.len());
        }
    }
    let mut rest: String = left
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let at = end.unwrap_or(new.len());
    if end.is_none() {
        let gap = if new.is_empty() { "" } else { "\n" };
        rest = format!("{gap}{header}\n{rest}");
    }
    if !rest.is_empty() && at > 0 && new[at - 1] != b'\n' {
        rest.insert(0, '\n');
    }
    let below = new.split_off(at);
    new.extend_from_slice(rest.as_bytes());
    new.extend(below);
    new
}

fn contradicts(settings: &[(&str, String)], line: &str) -> bool {
    let Some((key, said)) = line.split_once('=') else {
        return false;
    };
    settings
        .iter()
        .any(|(name, value)| *name == key.trim() && value != said.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(now: &str) -> String {
        let settings = [
            ("name", "Docker CE".to_owned()),
            ("baseurl", "https://d/$releasever".to_owned()),
            ("enabled", "1".to_owned()),
        ];
        String::from_utf8(set(now.as_bytes(), "ce", &settings)).unwrap()
    }

    #[test]
    fn a_new_file_holds_the_section() {
        let text = put("");
        assert_eq!(
            text,
            "[ce]\nname=Docker CE\nbaseurl=https://d/$releasever\nenabled=1\n"
        );
        assert_eq!(put(&text), text);
    }

    #[test]
    fn a_section_that_says_the_same_is_left_as_it_is() {
        let vendor = "[ce]\nname = Docker CE\nbaseurl=https://d/$releasever\nenabled=1\ngpgcheck=1\n\n[ce-test]\nenabled=0\n";
        assert_eq!(put(vendor), vendor);
    }

    #[test]
    fn only_what_differs_is_replaced() {
        let vendor = "# top\n[ce]\nname=Docker CE\nbaseurl=https://a\n  https://b\nkeep=1\n\n[ce-test]\nenabled=0\n";
        assert_eq!(
            put(vendor),
            "# top\n[ce]\nname=Docker CE\nbaseurl=https://d/$releasever\nkeep=1\nenabled=1\n\n[ce-test]\nenabled=0\n"
        );
        assert_eq!(
            put("[other]\nx=1"),
            "[other]\nx=1\n\n[ce]\nname=Docker CE\nbaseurl=https://d/$releasever\nenabled=1\n"
        );
    }

    #[test]
    fn of_a_setting_said_twice_the_one_that_differs_goes() {
        let said = put("");
        assert_eq!(put(&format!("{said}enabled=0\n")), said);
        let other = format!("{said}\n[other]\nenabled=0\n");
        assert_eq!(put(&other), other);
    }

    #[test]
    fn setting_twice_changes_nothing_more() {
        for text in [
            "[other]\nx=1",
            "[ce]\nenabled=0",
            "[ce]\nbaseurl=a\n b\n\n[z]\n",
        ] {
            let once = put(text);
            assert_eq!(put(&once), once, "{text:?}");
        }
    }
}
