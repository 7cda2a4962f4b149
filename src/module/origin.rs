//! `comes_with`: a path that a package brings. Before the package is there, what else will be at the path is not known.

use super::argument::optional;
use super::{Args, Unfit};
use crate::inventory::HostName;
use crate::plan::{Class, Decision};
use crate::playbook::{ArgKind, ArgSpec};
use crate::probe::package::Installed;
use crate::probe::{Answers, PathState, Seen};

/// The argument `comes_with`.
pub const COMES_WITH: ArgSpec = optional(
    "comes_with",
    ArgKind::Text,
    "The package that brings it, when an earlier task installs that: what is there already is repaired, not made.",
);

/// The package that brings a path, if one does.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    package: Option<String>,
}

/// What is seen of the package; asked for only while nothing is at the path.
pub type Sight = Option<Seen<Option<Installed>>>;

impl Origin {
    /// From the argument [`COMES_WITH`].
    ///
    /// # Errors
    /// When a path that is to be absent is said to come with a package.
    pub fn from_args(args: &Args<'_>) -> Result<Self, Unfit> {
        let package = args.text("comes_with");
        let absent =
            args.spec.arg("state").is_some() && args.text("state").as_deref() == Some("absent");
        if package.is_some() && absent {
            return Err(args.wrong_at(
                "comes_with",
                "what is to be absent does not come with a package",
            ));
        }
        Ok(Self { package })
    }

    /// Looks; the caller settles.
    pub fn look(&self, host: &HostName, path: &Seen<PathState>, seen: &Answers<'_>) -> Sight {
        let package = self.package.as_deref()?;
        matches!(path, Seen::Is(PathState::Absent)).then(|| seen.package(host, package))
    }

    /// Whether the package will bring the path: it is not installed yet.
    pub fn is_coming(sight: &Sight) -> bool {
        matches!(sight, Some(Seen::Is(None)))
    }

    /// What is planned for a path that nothing is at, corrected by where it comes from.
    pub fn correct(&self, sight: &Sight, mut decision: Decision) -> Decision {
        let Some(package) = &self.package else {
            return decision;
        };
        if matches!(sight, Some(Seen::Unknown(_))) {
            return Decision::default();
        }
        if Self::is_coming(sight) {
            for step in &mut decision.steps {
                step.class = Class::Repair;
                step.why = format!(
                    "it comes with the package {package}, and is not what it should be then"
                );
                step.assumes.push(format!(
                    "what {package} brings there is not known before it is installed"
                ));
            }
        }
        decision
    }
}
