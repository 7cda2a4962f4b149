//! A deployment, and the careful one before it while the application has still to write its key.

use super::file::{StackFile, Wanted};
use super::table::Table;
use super::watch::START_S;
use crate::plan::{
    Act, Claim, Class, Content, Decision, Expect, StackAct, StackExpect, Step, StepId, Wait,
};
use crate::probe::Query;
use std::collections::BTreeMap;

impl Table<'_> {
    pub(super) fn deploy(&self, stale: &BTreeMap<String, String>, decision: &mut Decision) {
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, why) in stale {
            reasons.entry(why).or_default().push(self.told(name));
        }
        let reasons: Vec<String> = reasons
            .into_iter()
            .map(|(why, names)| format!("{why}: {}", names.join(", ")))
            .collect();
        let why = reasons.join("; ");
        let class = self.class(stale);
        let mut filled = None;
        if self.is_first() {
            let careful = self.stack.file.careful();
            let key = self.key_claim();
            let declared = careful.wanted();
            if self.stale(&declared).is_empty() {
                self.watch(&declared, decision);
                // The deployment waits for the key, whatever tasks are still to come; what those say is what a person
                // wants to read while it does not come.
                decision.waits.push(Wait {
                    what: format!(
                        "the application writes its secret key into {}{}",
                        self.stack.key,
                        self.troubles()
                    ),
                    until: key.clone(),
                    deadline_s: START_S,
                });
            } else {
                let why = "the secret key is empty: one task of each service first, so that only one writes it";
                let step = self.deployment("first", class.clone(), why, &careful);
                decision.steps.push(step);
            }
            filled = Some(key);
        }
        let step = self.deployment("deploy", class, &why, &self.stack.file);
        decision.steps.push(match filled {
            Some(claim) => step.need(claim),
            None => step,
        });
    }

    fn class(&self, stale: &BTreeMap<String, String>) -> Class {
        // Where tasks do not run, a deployment interrupts nothing: it may be what mends them, and the
        // health gate must not hold it back for the sickness that it ends.
        let well = self
            .expected(&self.stack.file.wanted())
            .is_some_and(|expected| {
                expected
                    .iter()
                    .all(|(name, count)| self.running.running(name) >= *count)
            });
        if self.is_new(stale) {
            Class::Create
        } else if well {
            Class::Restart
        } else {
            Class::Repair
        }
    }

    /// Whether nothing of it was ever whole: it is not there, or only the careful deployment is, to which
    /// tasks are only added.
    fn is_new(&self, stale: &BTreeMap<String, String>) -> bool {
        let specs = |file: &StackFile| -> BTreeMap<String, String> {
            let wanted = file.wanted().into_iter();
            wanted.map(|want| (want.name, want.spec)).collect()
        };
        let (careful, whole) = (specs(&self.stack.file.careful()), specs(&self.stack.file));
        self.services().is_empty()
            || stale.keys().all(|name| {
                self.services().get(name).is_some_and(|service| {
                    careful.get(name) == Some(&service.spec)
                        && whole.get(name) != Some(&service.spec)
                })
            })
    }

    /// Whether the application has still to write its key.
    fn is_first(&self) -> bool {
        let unfilled = self.assumed || self.state.key_is_filled() == Some(false);
        let careful = self.stack.file.careful();
        let never_whole = self.stack.file.wanted().iter().any(|want: &Wanted| {
            self.services()
                .get(&want.name)
                .is_none_or(|service| service.spec != want.spec)
        });
        unfilled && never_whole && careful.wanted() != self.stack.file.wanted()
    }

    fn key_claim(&self) -> Claim {
        let host = self.state.key.as_ref().map(|(host, _)| host);
        Claim::new(
            host.unwrap_or(self.speaker),
            Query::Path(self.stack.key.clone()),
            Expect::Stack(StackExpect::FileFilled),
        )
    }

    fn deployment(&self, verb: &str, class: Class, why: &str, file: &StackFile) -> Step {
        let specs = file
            .wanted()
            .into_iter()
            .map(|want| (want.name, want.spec))
            .collect();
        let act = Act::Stack(StackAct::Deploy {
            stack: file.name().to_owned(),
            folder: self.stack.folder.clone(),
            document: Content {
                bytes: file.text().into_bytes(),
                secret: true,
            },
            shown: file.shown(),
            files: file.files.clone(),
        });
        let step = Step::new(
            StepId::new(&["stack", verb, file.name()]),
            self.speaker,
            class,
            why,
            act,
        )
        .via(self.via())
        .done(Claim::new(
            self.speaker,
            self.query(),
            Expect::Stack(StackExpect::Deployed(specs)),
        ));
        if self.assumed {
            step.assume("the Swarm exists by then, and has no stack")
        } else {
            step
        }
    }
}
