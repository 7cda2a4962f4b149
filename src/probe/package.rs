//! Installed packages, asked of rpm in one call for all names.

use super::shell::join;
use super::{Answer, Query, Seen};
use serde::{Deserialize, Serialize};

/// What rpm says of an installed package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// `[epoch:]version-release`, as dnf writes it.
    pub evr: String,
}

impl Installed {
    /// The version alone, without epoch and release.
    pub fn version(&self) -> &str {
        let after_epoch = self
            .evr
            .split_once(':')
            .map_or(&*self.evr, |(_, rest)| rest);
        after_epoch
            .split_once('-')
            .map_or(after_epoch, |(version, _)| version)
    }

    /// Whether `wanted` (a version, a version-release, or an epoch:version-release) names this build.
    pub fn satisfies(&self, wanted: &str) -> bool {
        let after_epoch = self
            .evr
            .split_once(':')
            .map_or(&*self.evr, |(_, rest)| rest);
        wanted == self.evr || wanted == after_epoch || wanted == self.version()
    }
}

pub(super) fn script(names: &[&str]) -> String {
    // `--whatprovides` would accept a capability; the modules name packages, so the plain query is exact.
    format!(
        "rpm -q --qf '%{{NAME}} %|EPOCH?{{%{{EPOCH}}:}}:{{}}|%{{VERSION}}-%{{RELEASE}}\\n' {} </dev/null; exit 0",
        join(names)
    )
}

pub(super) fn parse(names: &[&str], stdout: &str, stderr: &str) -> Vec<(Query, Seen<Answer>)> {
    let answer = |name: &str| {
        let mut installed = None;
        for line in stdout.lines() {
            if line == format!("package {name} is not installed") {
                return Seen::Is(Answer::Package(None));
            }
            // Several builds of one name can be installed (kernel); the last line is the newest.
            if let Some((found, evr)) = line.split_once(' ')
                && found == name
            {
                installed = Some(Installed {
                    evr: evr.to_owned(),
                });
            }
        }
        match installed {
            Some(installed) => Seen::Is(Answer::Package(Some(installed))),
            None => Seen::Unknown(format!("rpm said nothing of {name}: {}", stderr.trim())),
        }
    };
    names
        .iter()
        .map(|name| (Query::Package((*name).to_owned()), answer(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_matched_at_each_precision() {
        let docker = Installed {
            evr: "3:26.1.5-1.el9".into(),
        };
        for wanted in ["3:26.1.5-1.el9", "26.1.5-1.el9", "26.1.5"] {
            assert!(docker.satisfies(wanted), "{wanted}");
        }
        assert!(!docker.satisfies("26.1"));
        assert_eq!(docker.version(), "26.1.5");
    }

    #[test]
    fn rpm_output_is_read_name_by_name() {
        let stdout = "docker-ce 3:26.1.5-1.el9\npackage containerd.io is not installed\n";
        let answers = parse(&["docker-ce", "containerd.io", "chrony"], stdout, "boom");
        let evr = Installed {
            evr: "3:26.1.5-1.el9".into(),
        };
        assert_eq!(answers[0].1, Seen::Is(Answer::Package(Some(evr))));
        assert_eq!(answers[1].1, Seen::Is(Answer::Package(None)));
        assert_eq!(
            answers[2].1,
            Seen::Unknown("rpm said nothing of chrony: boom".into())
        );
    }
}
