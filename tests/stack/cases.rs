//! Every customisation of the stack that the source document and KOMPIRA's environment variables have.

/// Name, variables of all hosts, overlay.
pub const CASES: &[(&str, &str, &str)] = &[
    (
        "host_ports",
        "nginx_port_mode: host, rabbitmq_port_mode: host",
        "",
    ),
    ("dnsrr", "stack_endpoint_mode: dnsrr", ""),
    (
        "dnsrr_host_ports",
        "stack_endpoint_mode: dnsrr, nginx_port_mode: host, rabbitmq_port_mode: host",
        "",
    ),
    (
        "database_url",
        "database_url: 'pgsql://u:p@db.example:5432/k'",
        "",
    ),
    (
        "database_host",
        "database_host: 10.20.0.100, pg_kompira_user: ko, pg_kompira_db: kodb",
        "",
    ),
    (
        "directories",
        "shared_dir: /srv/nfs, kompira_log_dir: /var/log/kompira-own",
        "",
    ),
    ("replicas", "swarm_replicas: 5", ""),
    (
        "rabbitmq_path",
        "rabbitmq_data_dir: /var/lib/kompira-rmq",
        "",
    ),
    ("rabbitmq_volume", "rabbitmq_data_dir: other", ""),
    (
        "image",
        "kompira_image_name: registry.example:5000/ke, kompira_image_tag: 2.0.6",
        "",
    ),
    (
        "image_digest",
        "kompira_image_tag: 'sha256:0000000000000000000000000000000000000000000000000000000000000000'",
        "",
    ),
    (
        "language",
        "language_code: en, tz: UTC, max_executor_num: 16, requests_ca_bundle: /ca.pem",
        "",
    ),
    (
        "urls",
        "cache_url: 'redis://cache:6379', amqp_url: 'amqp://a:b@mq:5672', kompira_host: proxy, kompira_port: 8001",
        "",
    ),
    (
        "logging",
        "logging_level: DEBUG, logging_backup: 30, audit_logging_level: 3, logging_dir: /var/log/kompira/x",
        "",
    ),
    (
        "logging_of_one",
        "kengine_logging_level: ERROR, kompira_audit_logging_backup: 10, jobmngrd_logging_stream: false, kompira_logging_when: H, kompira_logging_interval: 6",
        "",
    ),
    ("names", "stack_name: ke3, stack_project: other", ""),
    ("certificates", "ca_name: my-ca, cert_name: web", ""),
    (
        "overlay",
        "tz: UTC",
        "services:\n  redis:\n    volumes: [{type: volume, source: cache, target: /data}]\n  kompira:\n    environment: {EXTRA: '0123', LANGUAGE_CODE: !reset null}\n  kengine: {ulimits: !reset {}}\nvolumes: {cache: {}}\n",
    ),
];
