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
                    let days = (server.not_after - pair.now_s) / 86_400;
                    let light = match days {
                        ..0 => Light::Red,
                        0..30 => Light::Yellow,
                        _ => Light::Green,
                    };
                    let says = format!("valid until {} ({days} days)", date(server.not_after));
                    (light, says)
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
