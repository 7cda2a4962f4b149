//! What the inventory says about the stack: the variables of the source's setup_stack.sh, with their types.

use super::database;
use crate::inventory::HostName;
use crate::module::{Args, Context, Unfit};
use crate::yaml::{Diagnostic, Node};
use std::collections::BTreeMap;

/// The services of the application that log by the same variables, and the prefix that overrides them.
pub(super) const APPLICATIONS: [&str; 3] = ["jobmngrd", "kengine", "kompira"];

/// The variables of logging, as environment variables in upper case.
const LOGGING: [&str; 6] = ["stream", "level", "dir", "backup", "when", "interval"];
/// Those of the audit log.
const AUDIT: [&str; 5] = ["level", "dir", "backup", "when", "interval"];

/// All that the document is made of.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// What object names begin with; `swarm` is what the source's folder is called (DESIGN ruling 9).
    pub project: String,
    pub replicas: u64,
    pub endpoint_mode: String,
    pub redis_image: String,
    pub rabbitmq_image: String,
    pub nginx_image: String,
    pub application_image: String,
    pub log_dir: String,
    pub var_dir: String,
    pub ssl_dir: String,
    /// A volume's name or an absolute path.
    pub rabbitmq_data: String,
    pub long_names: bool,
    pub cookie: String,
    pub amqp_url: String,
    pub cache_url: String,
    pub database_url: String,
    pub language: String,
    pub time_zone: String,
    pub max_executors: String,
    pub ca_bundle: String,
    pub kompira_host: String,
    pub kompira_port: String,
    pub nginx_mode: String,
    pub rabbitmq_mode: String,
    pub ca_name: String,
    pub cert_name: String,
    /// By service: `LOGGING_LEVEL` and the like with their values.
    pub logging: BTreeMap<&'static str, Vec<(String, String)>>,
    /// The hosts that run the stack, sorted.
    pub nodes: Vec<String>,
    /// Nodes of the Swarm that do not.
    pub excluded: Vec<String>,
}

/// Reads variables as the first host of the stack sees them.
struct Reader<'a, 'b> {
    args: &'a Args<'b>,
    context: &'a Context<'b>,
}

impl Reader<'_, '_> {
    fn node(&self, name: &str) -> Result<Option<Node>, Unfit> {
        (self.context.variable)(self.context.host, name)
    }

    fn optional(&self, name: &str) -> Result<Option<String>, Unfit> {
        Ok(self.node(name)?.and_then(|node| node.scalar()))
    }

    fn text(&self, name: &str) -> Result<String, Unfit> {
        let Some(text) = self.optional(name)? else {
            return Err(self.args.wrong(format!("the stack needs `{name}`")));
        };
        Ok(text)
    }

    /// A value that Docker may not take for a template of its own.
    fn literal(&self, name: &str) -> Result<String, Unfit> {
        let Some(node) = self.node(name)? else {
            return self.text(name);
        };
        let text = node.scalar().unwrap_or_default();
        let problem = if text.contains("{{") {
            "has `{{`, which Docker would take for a template"
        } else if text.contains(['\n', '\r', '\0']) {
            "has a line break"
        } else {
            return Ok(text);
        };
        Err(Diagnostic::new(&node.span, format!("`{name}` {problem}")).into())
    }

    fn image(&self) -> Result<String, Unfit> {
        let name = self.text("kompira_image_name")?;
        let tag = self.text("kompira_image_tag")?;
        let separator = if tag.starts_with("sha256:") { '@' } else { ':' };
        Ok(format!("{name}{separator}{tag}"))
    }

    /// KENGINE_LOGGING_LEVEL wins over LOGGING_LEVEL.
    fn logging(&self, service: &str) -> Result<Vec<(String, String)>, Unfit> {
        let mut found = Vec::new();
        let plain = LOGGING.iter().map(|word| format!("logging_{word}"));
        let audit = AUDIT.iter().map(|word| format!("audit_logging_{word}"));
        let all: Vec<String> = if service == "jobmngrd" {
            plain.collect()
        } else {
            plain.chain(audit).collect()
        };
        for name in all {
            let value = match self.optional(&format!("{service}_{name}"))? {
                Some(own) => own,
                None => self.text(&name)?,
            };
            found.push((name.to_ascii_uppercase(), value));
        }
        Ok(found)
    }

    fn database_url(&self) -> Result<String, Unfit> {
        if let Some(node) = self.node("database_url")? {
            let given = self.literal("database_url")?;
            if !given.contains("://") {
                let problem =
                    "`database_url` is a URL such as pgsql://USER:PASSWORD@HOST:PORT/DATABASE";
                return Err(Diagnostic::new(&node.span, problem).into());
            }
            return Ok(given);
        }
        Ok(database::url(
            &self.text("pg_kompira_user")?,
            &self.text("pg_kompira_pass")?,
            &self.text("database_host")?,
            // Pgpool-II's port, which the source fixes too.
            9999,
            &self.text("pg_kompira_db")?,
        ))
    }
}

impl Settings {
    pub(crate) fn read(
        args: &Args<'_>,
        context: &Context<'_>,
        nodes: &[HostName],
        swarm: &[HostName],
    ) -> Result<Self, Unfit> {
        let reader = Reader { args, context };
        let replicas = match reader.optional("swarm_replicas")? {
            Some(text) => text
                .parse()
                .map_err(|_| args.wrong("`swarm_replicas` is a number"))?,
            None => nodes.len() as u64,
        };
        let mut logging = BTreeMap::new();
        for service in APPLICATIONS {
            logging.insert(service, reader.logging(service)?);
        }
        let mut sorted: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        sorted.sort();
        Ok(Self {
            project: reader.text("stack_project")?,
            replicas,
            endpoint_mode: reader.text("stack_endpoint_mode")?,
            redis_image: reader.text("redis_image")?,
            rabbitmq_image: reader.text("rabbitmq_image")?,
            nginx_image: reader.text("nginx_image")?,
            application_image: reader.image()?,
            log_dir: reader.text("kompira_log_dir")?,
            var_dir: reader.text("kompira_var_dir")?,
            ssl_dir: reader.text("kompira_ssl_dir")?,
            rabbitmq_data: reader.text("rabbitmq_data_dir")?,
            long_names: long_names(args, &reader, &sorted)?,
            cookie: reader.literal("rabbitmq_erlang_cookie")?,
            amqp_url: reader.text("amqp_url")?,
            cache_url: reader.text("cache_url")?,
            database_url: reader.database_url()?,
            language: reader.text("language_code")?,
            time_zone: reader.text("tz")?,
            max_executors: reader.text("max_executor_num")?,
            ca_bundle: reader.text("requests_ca_bundle")?,
            kompira_host: reader.text("kompira_host")?,
            kompira_port: reader.text("kompira_port")?,
            nginx_mode: reader.text("nginx_port_mode")?,
            rabbitmq_mode: reader.text("rabbitmq_port_mode")?,
            ca_name: reader.text("ca_name")?,
            cert_name: reader.text("cert_name")?,
            logging,
            excluded: swarm
                .iter()
                .filter(|host| !nodes.contains(host))
                .map(ToString::to_string)
                .collect(),
            nodes: sorted,
        })
    }
}

/// Erlang nodes with long and with short names do not form one cluster, so that a mix is refused. The
/// source looks at the name of the host alone that it happens to run on.
fn long_names(args: &Args<'_>, reader: &Reader<'_, '_>, nodes: &[String]) -> Result<bool, Unfit> {
    let (long, short): (Vec<&String>, Vec<&String>) =
        nodes.iter().partition(|name| name.contains('.'));
    if !long.is_empty() && !short.is_empty() {
        let list = |names: &[&String]| {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            names.join(", ")
        };
        return Err(args.wrong(format!(
            "RabbitMQ's nodes have names with a domain ({}) and without one ({}), and do not find each other then: name all hosts in the same way",
            list(&long),
            list(&short)
        )));
    }
    let Some(node) = reader.node("rabbitmq_use_longname")? else {
        return Ok(!long.is_empty());
    };
    let wanted = node.scalar().as_deref() == Some("true");
    if !wanted && !long.is_empty() {
        let problem = "`rabbitmq_use_longname` is off, but the hosts' names have a domain, which Erlang takes for long names only";
        return Err(Diagnostic::new(&node.span, problem).into());
    }
    if wanted && long.is_empty() {
        let problem = "`rabbitmq_use_longname` is on, but the hosts' names have no domain, without which Erlang takes no long name";
        return Err(Diagnostic::new(&node.span, problem).into());
    }
    Ok(wanted)
}
