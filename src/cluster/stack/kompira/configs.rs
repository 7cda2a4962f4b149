//! The configuration files of the services: from `templates/kompira/`, and RabbitMQ's list of nodes.

use super::settings::Settings;

/// A configuration that Docker hands to containers.
pub(super) struct Config {
    /// Key in the document; also what its object's name is made of.
    pub key: &'static str,
    /// Name of the file beside the document.
    pub file: &'static str,
    /// Where it is in the container, and which service it is for.
    pub uses: &'static [(&'static str, &'static str)],
}

/// The keys are those of the source, so that its objects' names are ours too.
pub(super) const CONFIGS: [Config; 7] = [
    Config {
        key: "bootstrap-rabbitmq",
        file: "bootstrap-rabbitmq.sh",
        uses: &[("rabbitmq", "/run/bootstrap-rabbitmq.sh")],
    },
    Config {
        key: "rabbitmq-config-auth",
        file: "rabbitmq-auth.conf",
        uses: &[("rabbitmq", "/etc/rabbitmq/conf.d/20-auth.conf")],
    },
    Config {
        key: "rabbitmq-config-ssl",
        file: "rabbitmq-ssl.conf",
        uses: &[("rabbitmq", "/etc/rabbitmq/conf.d/30-ssl.conf")],
    },
    Config {
        key: "rabbitmq-config-cluster",
        file: "rabbitmq-cluster.conf",
        uses: &[("rabbitmq", "/etc/rabbitmq/conf.d/50-cluster.conf")],
    },
    Config {
        key: "kompira-config",
        file: "kompira.conf",
        uses: &[("jobmngrd", "/opt/kompira/kompira.conf")],
    },
    Config {
        key: "kompira-audit",
        file: "kompira_audit.yaml",
        uses: &[
            ("kengine", "/opt/kompira/kompira_audit.yaml"),
            ("kompira", "/opt/kompira/kompira_audit.yaml"),
        ],
    },
    Config {
        key: "nginx-config",
        file: "nginx.conf",
        uses: &[("nginx", "/etc/nginx/templates/default.conf.template")],
    },
];

/// The file that is made here, and not from a template.
pub(super) const CLUSTER: &str = "rabbitmq-cluster.conf";

/// A template with the names of the certificates' files filled in.
pub(super) fn fill(text: &str, settings: &Settings) -> String {
    text.replace("@CA@", &settings.ca_name)
        .replace("@CERT@", &settings.cert_name)
}

/// One line a host of the inventory, sorted: the roster of the Swarm has ghosts and drained nodes, too, and
/// a list in another order would be another configuration.
pub(super) fn cluster(settings: &Settings) -> String {
    let mut text = String::from("cluster_partition_handling = pause_minority\n");
    for (index, node) in settings.nodes.iter().enumerate() {
        text.push_str(&format!(
            "cluster_formation.classic_config.nodes.{} = rabbit@mq-{node}\n",
            index + 1
        ));
    }
    text
}
