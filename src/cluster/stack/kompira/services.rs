//! The six services. Values are JSON, so that each keeps its type to the end.

use super::configs::CONFIGS;
use super::settings::Settings;
use serde_json::{Map, Value, json};

/// All services, in the order of the documentation.
pub(super) fn all(settings: &Settings) -> Map<String, Value> {
    let services = [
        ("redis", redis(settings)),
        ("rabbitmq", rabbitmq(settings)),
        ("jobmngrd", jobmngrd(settings)),
        ("kengine", kengine(settings)),
        ("kompira", kompira(settings)),
        ("nginx", nginx(settings)),
    ];
    services
        .into_iter()
        .map(|(name, mut service)| {
            add_configs(name, &mut service);
            (name.to_owned(), service)
        })
        .collect()
}

/// What every service has.
fn service(settings: &Settings, image: &str, short: &str, published: &[Value]) -> Value {
    let replicas = if short == "re" { 1 } else { settings.replicas };
    let mut placement = Map::new();
    if short != "re" {
        placement.insert("max_replicas_per_node".into(), json!(1));
    }
    if !settings.excluded.is_empty() {
        let constraints: Vec<String> = settings
            .excluded
            .iter()
            .map(|node| format!("node.hostname!={node}"))
            .collect();
        placement.insert("constraints".into(), json!(constraints));
    }
    let mut deploy = json!({ "mode": "replicated", "replicas": replicas });
    if !placement.is_empty() {
        deploy["placement"] = Value::Object(placement);
    }
    // Docker refuses it together with the routing mesh.
    let meshed = published.iter().any(|port| port["mode"] == "ingress");
    if settings.endpoint_mode == "dnsrr" && !meshed {
        deploy["endpoint_mode"] = json!("dnsrr");
    }
    let mut service = json!({
        "image": image,
        "hostname": format!("{short}-{{{{.Node.Hostname}}}}"),
        "environment": { "TZ": settings.time_zone },
        "networks": ["default"],
        "logging": { "driver": "local" },
        "deploy": deploy,
    });
    if !published.is_empty() {
        service["ports"] = json!(published);
    }
    service
}

fn port(number: u16, mode: &str) -> Value {
    json!({ "target": number, "published": number, "protocol": "tcp", "mode": mode })
}

fn bind(source: &str, target: &str, read_only: bool) -> Value {
    let mut bind = json!({ "type": "bind", "source": source, "target": target });
    if read_only {
        bind["read_only"] = json!(true);
    }
    bind
}

fn set(service: &mut Value, variables: &[(&str, String)]) {
    for (name, value) in variables {
        service["environment"][*name] = json!(value);
    }
}

fn redis(settings: &Settings) -> Value {
    service(settings, &settings.redis_image, "re", &[])
}

fn rabbitmq(settings: &Settings) -> Value {
    let ports = [port(5671, &settings.rabbitmq_mode)];
    let mut rabbitmq = service(settings, &settings.rabbitmq_image, "mq", &ports);
    rabbitmq["command"] = json!(["/bin/sh", "/run/bootstrap-rabbitmq.sh"]);
    set(
        &mut rabbitmq,
        &[
            ("RABBITMQ_ERLANG_COOKIE", settings.cookie.clone()),
            ("RABBITMQ_USE_LONGNAME", settings.long_names.to_string()),
        ],
    );
    let data = "/var/lib/rabbitmq";
    let kept = if settings.rabbitmq_data.starts_with('/') {
        bind(&settings.rabbitmq_data, data, false)
    } else {
        json!({ "type": "volume", "source": settings.rabbitmq_data, "target": data })
    };
    rabbitmq["volumes"] = json!([kept, bind(&settings.ssl_dir, "/run/.kompira_ssl", true)]);
    rabbitmq
}

/// The three services of the application's image.
fn application(settings: &Settings, name: &'static str, short: &str, command: &str) -> Value {
    let mut service = service(settings, &settings.application_image, short, &[]);
    service["command"] = json!([command]);
    service["extra_hosts"] = json!(["host.docker.internal:host-gateway"]);
    service["init"] = json!(true);
    service["volumes"] = json!([
        bind(&settings.var_dir, "/var/opt/kompira", false),
        bind(&settings.log_dir, "/var/log/kompira", false),
        bind(&settings.ssl_dir, "/opt/kompira/ssl", true),
    ]);
    set(
        &mut service,
        &[
            ("DATABASE_URL", settings.database_url.clone()),
            ("AMQP_URL", settings.amqp_url.clone()),
            ("CACHE_URL", settings.cache_url.clone()),
            ("LANGUAGE_CODE", settings.language.clone()),
            ("REQUESTS_CA_BUNDLE", settings.ca_bundle.clone()),
            ("LOGGING_NAME", name.to_owned()),
        ],
    );
    for (key, value) in settings.logging.get(name).into_iter().flatten() {
        service["environment"][key] = json!(value);
    }
    service
}

fn ulimits(service: &mut Value) {
    service["ulimits"] = json!({ "nproc": 65535, "nofile": { "soft": 65535, "hard": 65535 } });
}

fn keepalive(service: &mut Value) {
    service["sysctls"] = json!({ "net.ipv4.tcp_keepalive_time": "1800" });
}

fn jobmngrd(settings: &Settings) -> Value {
    let mut service = application(settings, "jobmngrd", "jm", "jobmngrd");
    ulimits(&mut service);
    service
}

fn kengine(settings: &Settings) -> Value {
    let mut service = application(settings, "kengine", "ke", "kompirad");
    let executors = [("MAX_EXECUTOR_NUM", settings.max_executors.clone())];
    set(&mut service, &executors);
    ulimits(&mut service);
    keepalive(&mut service);
    service
}

fn kompira(settings: &Settings) -> Value {
    let mut service = application(settings, "kompira", "ap", "uwsgi");
    service["stop_signal"] = json!("SIGINT");
    let buffer = [("UWSGI_BUFFER_SIZE", "65536".to_owned())];
    set(&mut service, &buffer);
    keepalive(&mut service);
    service
}

fn nginx(settings: &Settings) -> Value {
    let mode = &settings.nginx_mode;
    let ports = [port(80, mode), port(443, mode)];
    let mut nginx = service(settings, &settings.nginx_image, "nx", &ports);
    set(
        &mut nginx,
        &[
            ("KOMPIRA_HOST", settings.kompira_host.clone()),
            ("KOMPIRA_PORT", settings.kompira_port.clone()),
            ("NGINX_ENVSUBST_FILTER", "^KOMPIRA".to_owned()),
        ],
    );
    nginx["volumes"] = json!([
        bind(&settings.var_dir, "/var/opt/kompira", false),
        bind(&settings.ssl_dir, "/etc/nginx/ssl", true),
    ]);
    nginx
}

fn add_configs(name: &str, service: &mut Value) {
    let mut uses = Vec::new();
    for config in &CONFIGS {
        for (_, target) in config.uses.iter().filter(|(user, _)| *user == name) {
            uses.push(json!({ "source": config.key, "target": target }));
        }
    }
    if !uses.is_empty() {
        service["configs"] = json!(uses);
    }
}
