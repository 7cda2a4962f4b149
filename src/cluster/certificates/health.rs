//! How long the certificate is valid, and whether the servers present it.

use super::decide::date;
use super::{Certificates, State};
use crate::module::{Health, Light, MemberHealth};
use crate::probe::Seen;

impl Certificates {
    pub(super) fn told(&self, state: &State) -> Option<Health> {
        let (host, pair) = state.pair.as_ref()?;
        let (light, says) = match pair {
            Seen::Unknown(why) => (Light::Unknown, format!("did not answer: {why}")),
            Seen::Is(pair) => match &pair.server {
                None => (Light::Red, "there is none".to_owned()),
                Some(server) => {
                    let left_s = server.not_after - pair.now_s;
                    let (days, until) = (left_s / 86_400, date(server.not_after));
                    let valid = format!("valid until {until} ({days} days)");
                    match days {
                        _ if left_s < 0 => (Light::Red, format!("ended on {until}")),
                        0..30 => (Light::Advised, valid),
                        _ => (Light::Green, valid),
                    }
                }
            },
        };
        Some(Health {
            layer: "certificates".to_owned(),
            members: vec![MemberHealth {
                host: host.clone(),
                light,
                says,
            }],
            margin: None,
        })
    }
}
