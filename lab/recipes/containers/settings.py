"""What the container was told: its environment, its configuration files, its node."""

import configparser
import os
import socket
from urllib.parse import parse_qsl, unquote, urlsplit

VAR = "/var/opt/kompira"
SSL = "/opt/kompira/ssl"
SECRET_KEY = VAR + "/.secret_key"
CONFIGURATION = "/opt/kompira/kompira.conf"
AUDIT = "/opt/kompira/kompira_audit.yaml"

CONTAINER = socket.gethostname()
# The stack names containers after their node: ap-{{.Node.Hostname}}.
NODE = CONTAINER.split("-", 1)[1] if CONTAINER[2:3] == "-" else CONTAINER


def database():
    """Arguments of psycopg2.connect for DATABASE_URL; user, password and path are percent-encoded."""
    url = urlsplit(os.environ["DATABASE_URL"])
    if url.scheme not in ("pgsql", "postgres", "postgresql"):
        raise ValueError(f"DATABASE_URL has the scheme {url.scheme!r}, not pgsql")
    return {
        "host": url.hostname,
        "port": url.port or 5432,
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "dbname": unquote(url.path[1:]),
        # A server that fell silent must not hold the answer up.
        "connect_timeout": 5,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 5,
        **dict(parse_qsl(url.query)),
    }


def amqp(service):
    """Arguments of amqp.Connection: of AMQP_URL, or, as the job manager, of kompira.conf."""
    configured = os.environ.get("AMQP_URL")
    if service == "jobmngrd" and not configured:
        parser = configparser.ConfigParser(interpolation=None)
        with open(CONFIGURATION, encoding="utf-8") as file:
            parser.read_file(file)
        section = parser["amqp-connection"]
        host, port = section.get("server", "rabbitmq"), section.getint("port", 5672)
        user, password, path = section.get("user", "guest"), section.get("password", "guest"), "/"
    else:
        url = urlsplit(configured or os.environ["AMQP_URL"])
        host, port = url.hostname, url.port or 5672
        user, password = unquote(url.username or "guest"), unquote(url.password or "guest")
        path = unquote(url.path[1:]) or "/"
    return {
        "host": f"{host}:{port}",
        "userid": user,
        "password": password,
        "virtual_host": path,
        "connect_timeout": 5,
        "read_timeout": 10,
        "write_timeout": 10,
        "heartbeat": 10,
    }


def logging_options(service, prefix=""):
    """LOGGING_… (or AUDIT_LOGGING_…) of the environment; the service's own prefix overrides."""
    own = {"kompirad": "KENGINE_", "uwsgi": "KOMPIRA_", "jobmngrd": "JOBMNGRD_"}[service]

    def value(name, default):
        name = prefix + "LOGGING_" + name
        return os.environ.get(own + name) or os.environ.get(name) or default

    return {
        "name": value("NAME", service),
        "stream": value("STREAM", "true").lower() == "true",
        "level": value("LEVEL", "INFO"),
        "directory": value("DIR", "/var/log/kompira"),
        "backup": int(value("BACKUP", "7")),
        "when": value("WHEN", "MIDNIGHT"),
        "interval": int(value("INTERVAL", "1")),
    }
