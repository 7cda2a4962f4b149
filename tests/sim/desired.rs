//! The real module, over the hosts of a simulated world.

use super::world::World;
use provision::cluster::swarm::Swarm;
use provision::inventory::HostName;
use provision::module::{Args, Context, Module, Unfit};
use provision::yaml::{Entry, Node, Span, Value};

/// The module over the hosts of a world: the first `managers` of them are managers.
pub fn module(world: &World, managers: usize, labels: bool) -> Swarm {
    let span = Span::builtin("simulation");
    let text = |text: &str| Node {
        span: span.clone(),
        value: Value::Text(text.to_owned()),
    };
    let list = |names: Vec<Node>| Node {
        span: span.clone(),
        value: Value::List(names),
    };
    let entry = |key: &str, node: Node| Entry {
        key: key.to_owned(),
        key_span: span.clone(),
        node,
    };
    let names: Vec<Node> = world
        .hosts
        .iter()
        .map(|host| text(host.name.as_str()))
        .collect();
    let node = Node {
        span: span.clone(),
        value: Value::Map(vec![
            entry("managers", list(names[..managers].to_vec())),
            entry("workers", list(names[managers..].to_vec())),
            entry("default_addr_pool", text("172.30.0.0/16")),
        ]),
    };
    let group: Vec<HostName> = world.hosts.iter().map(|host| host.name.clone()).collect();
    let variable = |host: &HostName, name: &str| -> Result<Option<Node>, Unfit> {
        let last = world.hosts.len() - 1;
        Ok(match name {
            "ansible_host" => Some(text(&world.hosts[world.host(host)].addr)),
            "node_labels" if labels && world.host(host) == last => Some(Node {
                span: span.clone(),
                value: Value::Map(vec![entry("role", text("db"))]),
            }),
            _ => None,
        })
    };
    let context = Context {
        host: &group[0],
        group: &group,
        user: "root",
        variable: &variable,
        file: &|_| Ok(Vec::new()),
        template: &|_| Ok(String::new()),
    };
    let args = Args {
        spec: const { &Swarm::SPEC },
        node: &node,
    };
    Swarm::from_args(&args, &context).unwrap()
}
