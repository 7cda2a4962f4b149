"""The application's tables and its secret key.

As in the real application, the key in .secret_key encrypts what the database holds. On the first
start with an empty file and an empty database the web application makes one. Nothing guards that
against a second replica doing the same at the same moment: whoever deploys must.
"""

import contextlib
import hashlib
import os
import secrets
import time

import psycopg2

import settings

# How long the first start takes, in seconds: the real application has a while to migrate its database.
FIRST_S = 15

TABLES = """
CREATE TABLE IF NOT EXISTS kompira_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), fingerprint text NOT NULL);
CREATE TABLE IF NOT EXISTS kompira_heartbeat (
    service text, node text, at timestamptz NOT NULL, beats bigint NOT NULL, PRIMARY KEY (service, node));
CREATE TABLE IF NOT EXISTS kompira_row (
    id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), node text NOT NULL, note text NOT NULL);
"""


@contextlib.contextmanager
def transaction():
    connection = psycopg2.connect(**settings.database())
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def fingerprint(key):
    return hashlib.sha256(b"kompira" + key).hexdigest()


def read_key():
    with open(settings.SECRET_KEY, "rb") as file:
        return file.read()


def is_populated(cursor):
    cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    return cursor.fetchone()[0] > 0


def establish():
    """Makes the tables, and the key if there is none; an error if it is not the database's."""
    with transaction() as cursor:
        populated = is_populated(cursor)
    if not populated:
        time.sleep(FIRST_S)
    key = read_key()
    with transaction() as cursor:
        populated = is_populated(cursor)
        cursor.execute(TABLES)
        cursor.execute("SELECT fingerprint FROM kompira_key")
        known = cursor.fetchone()
        if not key:
            if populated:
                raise RuntimeError(f"{settings.SECRET_KEY} is empty, but the database has tables")
            key = secrets.token_urlsafe(38).encode()
            # The file first: a key that only the database knows would be lost.
            with open(settings.SECRET_KEY, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        if known is None:
            cursor.execute("INSERT INTO kompira_key (fingerprint) VALUES (%s)", [fingerprint(key)])
        elif known[0] != fingerprint(key):
            raise RuntimeError(f"{settings.SECRET_KEY} is not the key of the database")


def beat(service):
    """Writes the heartbeat of a service, which waits until the application has made the tables."""
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO kompira_heartbeat AS mine VALUES (%s, %s, now(), 1)"
            " ON CONFLICT (service, node) DO UPDATE SET at = now(), beats = mine.beats + 1",
            [service, settings.NODE],
        )


def add_row(note):
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO kompira_row (node, note) VALUES (%s, %s) RETURNING id", [settings.NODE, note]
        )
        return cursor.fetchone()[0]


def look():
    """What the database says, all on one server: after a write Pgpool-II stays on the primary."""
    key = read_key()
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO kompira_heartbeat AS mine VALUES ('uwsgi', %s, now(), 1)"
            " ON CONFLICT (service, node) DO UPDATE SET at = now(), beats = mine.beats + 1",
            [settings.NODE],
        )
        cursor.execute("SELECT fingerprint FROM kompira_key")
        known = cursor.fetchone()
        if known is None or known[0] != fingerprint(key):
            raise RuntimeError(f"{settings.SECRET_KEY} is not the key of the database")
        cursor.execute("SELECT count(*) FROM kompira_row")
        rows = cursor.fetchone()[0]
        cursor.execute(
            "SELECT service, node, beats, extract(epoch FROM now() - at)::float FROM kompira_heartbeat ORDER BY 1, 2"
        )
        beats = [
            {"service": service, "node": node, "beats": count, "age_s": round(age, 1)}
            for service, node, count, age in cursor.fetchall()
        ]
        cursor.execute("SELECT host(inet_server_addr()), current_setting('server_version'), pg_is_in_recovery()")
        address, version, standby = cursor.fetchone()
    return {
        "rows": rows,
        "heartbeats": beats,
        "server": address,
        "version": version,
        "writable": not standby,
    }
