//! The decision table of certificates that are made (DOMAIN 2.5).

use super::{Certificates, SOON_S, State};
use crate::inventory::HostName;
use crate::plan::{
    Act, Advice, Claim, Class, Decision, Expect, Reach, Refusal, Request, StackAct, StackExpect,
    Step, StepId,
};
use crate::probe::Query;
use crate::probe::certificate::{Facts, Pair, Place};
use std::time::{Duration, UNIX_EPOCH};

/// `2036-11-18`
pub(super) fn date(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let text = humantime::format_rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
    text.chars().take(10).collect()
}

impl Certificates {
    /// `host` tells of the pair, `writer` would make it.
    pub(super) fn decide(
        &self,
        state: &State,
        writer: &HostName,
        host: &HostName,
        pair: &Pair,
    ) -> Decision {
        let broken = [&pair.ca, &pair.server]
            .into_iter()
            .flatten()
            .find(|facts| !facts.broken.is_empty());
        if let Some(facts) = broken {
            let evidence = format!("{host}: {}: {}", self.request.folder, facts.broken);
            return refuse(
                "K7",
                "what is on the share is no certificate".to_owned(),
                vec![evidence],
                "look at the files there, move them away by hand and run again",
            );
        }
        if let (Some(theirs), Some(ours)) = (&pair.ca, &self.kept)
            && theirs.sha256 != ours.facts.sha256
        {
            return self.other_authority(host, theirs, &ours.facts);
        }
        let fits = match (&pair.server, &pair.key) {
            (Some(server), Some(key)) => *key == server.public_key,
            _ => true,
        };
        if !fits {
            let because = format!(
                "{0}.crt and {0}.key do not match, and no TLS server starts with them",
                self.request.server.file
            );
            let evidence = format!("{host}: {}", self.request.folder);
            return refuse(
                "K7",
                because,
                vec![evidence],
                "bring the matching file back, or move both away by hand and run again: a new pair is made",
            );
        }
        let mut decision = match (self.why(pair), &pair.ca, &self.kept) {
            (None, ..) => Decision::default(),
            // Nothing anywhere: the authority is made, when every host answers.
            (Some(why), None, None) => match self.silent(state) {
                Some(refusal) => refusal,
                None if pair.server.is_some() => self.no_key(host, pair, &why),
                None => self.make(writer, true, &why),
            },
            (Some(why), _, Some(kept)) if kept.has_key => self.make(writer, false, &why),
            (Some(why), ..) => self.no_key(host, pair, &why),
        };
        let ends = pair.ca.as_ref().map(|ca| ca.not_after);
        if ends.is_some_and(|ends| ends - pair.now_s < 3 * SOON_S) {
            decision.advice.push(Advice {
                code: "K9".to_owned(),
                host: None,
                text: format!(
                    "the authority {} ends on {}: give clients a new one beside it before, then change it",
                    self.request.ca.file,
                    date(ends.unwrap_or_default())
                ),
            });
        }
        decision
    }

    /// Why the server's certificate must be made; `None` when it is as it should be.
    fn why(&self, pair: &Pair) -> Option<String> {
        let (Some(server), Some(_), Some(_)) = (&pair.server, &pair.key, &pair.ca) else {
            return Some("there is none".to_owned());
        };
        if server.not_after - pair.now_s < SOON_S {
            return Some(format!("it ends on {}", date(server.not_after)));
        }
        if !server.signed {
            return Some("the authority beside it has not signed it".to_owned());
        }
        if !server.has_key_ids {
            return Some("it lacks the key identifiers that strict clients want".to_owned());
        }
        let missing: Vec<&str> = self
            .request
            .names
            .difference(&server.names)
            .map(String::as_str)
            .collect();
        (!missing.is_empty()).then(|| format!("it lacks {}", missing.join(", ")))
    }

    fn make(&self, host: &HostName, new_ca: bool, why: &str) -> Decision {
        let request = Request {
            new_ca,
            ..self.request.clone()
        };
        let class = if new_ca { Class::Found } else { Class::Repair };
        let verb = if new_ca { "found" } else { "issue" };
        let id = StepId::new(&["certificates", verb, &self.request.server.file]);
        let place = Place {
            folder: self.request.folder.clone(),
            ca: self.request.ca.file.clone(),
            server: self.request.server.file.clone(),
        };
        let done = Claim::new(
            host,
            Query::Certificates(place),
            Expect::Stack(StackExpect::Certified(self.request.names.clone())),
        );
        let act = Act::Stack(StackAct::Certify(request));
        Decision {
            steps: vec![Step::new(id, host, class, why, act).done(done)],
            ..Decision::default()
        }
    }

    /// K3: as with everything that is made once for a cluster.
    fn silent(&self, state: &State) -> Option<Decision> {
        let evidence: Vec<String> = state
            .mounts
            .silent()
            .map(|(host, why)| format!("{host}: {why}"))
            .collect();
        (!evidence.is_empty()).then(|| {
            let because =
                "an authority is made once for the cluster, and only when every host answers"
                    .to_owned();
            refuse("K3", because, evidence, "bring the host back and run again")
        })
    }

    /// K6: clients trust one authority; another one is never put over it.
    fn other_authority(&self, host: &HostName, theirs: &Facts, ours: &Facts) -> Decision {
        let because = format!(
            "the share has another authority than {}, and clients that trust the one would refuse the other",
            self.request.ca_folder
        );
        let short = |facts: &Facts| format!("{} ({:.12})", facts.subject, facts.sha256);
        let evidence = vec![
            format!("{host}: {}: {}", self.request.folder, short(theirs)),
            format!("here: {}: {}", self.request.ca_folder, short(ours)),
        ];
        let hint = "find out which of the two the clients trust; set `ca_dir` to where the key of the share's authority is kept, or move the share's files away by hand";
        refuse("K6", because, evidence, hint)
    }

    /// K8: it should be made anew, but the authority's key is not here.
    fn no_key(&self, host: &HostName, pair: &Pair, why: &str) -> Decision {
        let usable = pair
            .server
            .as_ref()
            .is_some_and(|server| server.not_after > pair.now_s && pair.key.is_some());
        let what = format!(
            "the certificate {} should be made anew ({why}), and the key of its authority is not in {}",
            self.request.server.file, self.request.ca_folder
        );
        let hint = format!(
            "run from the machine that has {}.key, set `ca_dir`, or give own files with `cert_file`, `cert_key_file` and `ca_file`",
            self.request.ca.file
        );
        if usable {
            return Decision {
                advice: vec![Advice {
                    code: "K8".to_owned(),
                    host: None,
                    text: format!("{what}: {hint}"),
                }],
                ..Decision::default()
            };
        }
        let evidence = vec![format!("{host}: {}", self.request.folder)];
        refuse("K8", what, evidence, &hint)
    }
}

fn refuse(code: &str, because: String, evidence: Vec<String>, hint: &str) -> Decision {
    Decision {
        refusals: vec![Refusal {
            code: code.to_owned(),
            because,
            evidence,
            hint: hint.to_owned(),
            reach: Reach::Layer,
        }],
        ..Decision::default()
    }
}
