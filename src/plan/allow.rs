//! `--allow VERB=OBJECT[@EVIDENCE]`: what convergence never does by itself, allowed for one object.
//!
//! The object is named so that an old command line does nothing to another one, and the evidence so that
//! it does nothing once the state has moved on. There is no environment variable for it.

use std::fmt;
use std::str::FromStr;

/// The verbs that exist, and what each allows.
pub const VERBS: &[(&str, &str)] = &[
    (
        "remove-stack",
        "remove the services, networks and configs of the stack OBJECT; its volumes stay",
    ),
    (
        "remove-service",
        "remove the service OBJECT of the stack, which nothing declares",
    ),
    (
        "discard-primary",
        "give up what the former primary OBJECT committed on the timeline EVIDENCE (tli3) and the present one lacks; its data directory is kept aside",
    ),
    (
        "revert-service",
        "take back what was changed by hand on the service OBJECT",
    ),
    (
        "resume-service",
        "deploy over the service OBJECT although its last update stopped",
    ),
];

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// What may be done.
    pub verb: String,
    /// To what.
    pub object: String,
    /// In which state of it only.
    pub evidence: Option<String>,
}

impl Allow {
    /// Whether one of these allows `verb` for `object`, in the state that `evidence` names.
    pub fn any(allowed: &[Self], verb: &str, object: &str, evidence: &str) -> bool {
        allowed.iter().any(|allow| {
            allow.verb == verb
                && allow.object == object
                && allow
                    .evidence
                    .as_ref()
                    .is_none_or(|named| named == evidence)
        })
    }
}

impl FromStr for Allow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not VERB=OBJECT or VERB=OBJECT@EVIDENCE");
        let (verb, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (object, evidence) = match rest.split_once('@') {
            Some((object, evidence)) => (object, Some(evidence.to_owned())),
            None => (rest, None),
        };
        if object.is_empty() || evidence.as_deref() == Some("") {
            return Err(wrong());
        }
        if !VERBS.iter().any(|(known, _)| *known == verb) {
            let known: Vec<&str> = VERBS.iter().map(|(known, _)| *known).collect();
            return Err(format!(
                "nothing is called `{verb}`; there are {}",
                known.join(", ")
            ));
        }
        Ok(Self {
            verb: verb.to_owned(),
            object: object.to_owned(),
            evidence,
        })
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.verb, self.object)?;
        match &self.evidence {
            Some(evidence) => write!(f, "@{evidence}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_for_one_object_in_one_state() {
        let allowed: Vec<Allow> = ["remove-stack=ke2", "revert-service=ke2_nginx@5"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        assert!(Allow::any(&allowed, "remove-stack", "ke2", "x"));
        assert!(!Allow::any(&allowed, "remove-stack", "ke3", "x"));
        assert!(Allow::any(&allowed, "revert-service", "ke2_nginx", "5"));
        assert!(!Allow::any(&allowed, "revert-service", "ke2_nginx", "6"));
        assert_eq!(allowed[1].to_string(), "revert-service=ke2_nginx@5");
        for wrong in [
            "remove-stack",
            "remove-stack=",
            "remove-stak=ke2",
            "remove-stack=ke2@",
        ] {
            assert!(wrong.parse::<Allow>().is_err(), "{wrong}");
        }
    }
}
