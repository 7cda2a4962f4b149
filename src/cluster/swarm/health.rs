//! How well the swarm is, in Docker's own words.

use super::quorum::majority;
use super::state::Here;
use super::table_silent::may_elect;
use super::view::is_called;
use super::{Member, State, Swarm};
use crate::module::{Health, Light, Margin, MemberHealth};
use crate::probe::docker::Node;

/// The health of each member, and the quorum margin.
pub(super) fn of(swarm: &Swarm, state: &State) -> Health {
    let nodes: &[Node] = swarm
        .members
        .iter()
        .find_map(|member| swarm.observed(state, member).nodes())
        .unwrap_or_default();
    let members = swarm
        .members
        .iter()
        .map(|member| {
            let (light, says) = member_health(swarm, state, nodes, member);
            MemberHealth {
                host: member.host.clone(),
                light,
                says,
            }
        })
        .collect();
    let voters: Vec<&Node> = nodes.iter().filter(|node| node.votes()).collect();
    let reachable = voters
        .iter()
        .filter(|node| node.reachability == "reachable")
        .count();
    Health {
        layer: "swarm".to_owned(),
        members,
        margin: Some(if voters.is_empty() {
            let wanted = swarm.managers().count();
            Margin {
                can_lose: 0,
                because: format!(
                    "{wanted} managers wanted, none tells the roster, quorum {}",
                    majority(wanted)
                ),
            }
        } else {
            Margin::majority("managers", voters.len(), reachable)
        }),
    }
}

fn member_health(swarm: &Swarm, state: &State, nodes: &[Node], member: &Member) -> (Light, String) {
    let here = &swarm.observed(state, member).here;
    let own = match here {
        Here::Active { place, .. } => nodes.iter().find(|node| node.id == place.node_id),
        _ => None,
    };
    match (here, own) {
        (Here::Active { .. }, Some(node)) => (light(node), words(node)),
        (Here::Active { .. }, None) if nodes.is_empty() => {
            // Who is well will be told when there is a leader.
            let light = if may_elect(swarm, state) {
                Light::Unknown
            } else {
                Light::Red
            };
            (light, "no manager tells the roster".to_owned())
        }
        (Here::Active { .. }, None) => (Light::Red, "not on the managers' roster".to_owned()),
        (Here::Silent(why), _) => {
            let called = |node: &&Node| is_called(&node.hostname, member.host.as_str());
            let seen: Vec<String> = nodes.iter().filter(called).map(words).collect();
            let says = if seen.is_empty() {
                format!("did not answer: {why}")
            } else {
                format!(
                    "did not answer: {why}; the managers see it as {}",
                    seen.join(" and ")
                )
            };
            (Light::Unknown, says)
        }
        (Here::Pending(_), _) => (Light::Yellow, here.says()),
        _ => (Light::Red, here.says()),
    }
}

fn light(node: &Node) -> Light {
    if node.state != "ready" || (node.votes() && node.reachability != "reachable") {
        Light::Red
    } else if node.availability != "active" {
        // By this program until all layers are well on it, or by a person: it must not hold up what makes others well.
        Light::Held
    } else {
        // Another role than the wanted one is a change to come, and no illness: managers that become
        // workers one after the other must not hold each other up.
        Light::Green
    }
}

/// `Ready Reachable Leader`, `Ready Drain`, `Down Unreachable` …
fn words(node: &Node) -> String {
    let mut words = vec![node.state.as_str()];
    if node.availability != "active" {
        words.push(&node.availability);
    }
    words.push(&node.reachability);
    if node.leader {
        words.push("leader");
    }
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    words
        .into_iter()
        .filter_map(capital)
        .collect::<Vec<_>>()
        .join(" ")
}
