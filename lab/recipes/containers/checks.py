"""What the application needs and can reach, one question each."""

import glob
import os
import ssl
import time

import redis

import database
import settings


def cache():
    client = redis.Redis.from_url(
        os.environ["CACHE_URL"], socket_timeout=3, socket_connect_timeout=3, decode_responses=True
    )
    with client:
        value = f"{time.time():.3f}"
        client.set("kompira:node:" + settings.NODE, value, ex=60)
        if client.get("kompira:node:" + settings.NODE) != value:
            raise RuntimeError("the cache does not give back what was put into it")
        nodes = sorted(key.rsplit(":", 1)[1] for key in client.scan_iter("kompira:node:*"))
        return {"version": client.info("server")["redis_version"], "nodes": nodes}


def shared(directory, service):
    """Writes a file of this container's, and reads those of all containers on all nodes."""
    mine = os.path.join(directory, f".seen-{service}-{settings.NODE}")
    with open(mine + ".new", "w", encoding="utf-8") as file:
        file.write(f"{time.time():.3f}\n")
    os.replace(mine + ".new", mine)
    ages = {}
    for path in sorted(glob.glob(os.path.join(directory, ".seen-*"))):
        if path.endswith(".new"):
            continue
        try:
            with open(path, encoding="utf-8") as file:
                ages[os.path.basename(path)[6:]] = round(time.time() - float(file.read()), 1)
        except (FileNotFoundError, ValueError):
            continue
    return {"seen_age_s": ages}


def certificates():
    """Has the server's key and certificate talk to a client that trusts the CA, in memory."""
    place = settings.SSL
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(place + "/server.crt", place + "/server.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(place + "/local-ca.crt")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(6):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
    seen = ends[0].getpeercert()
    return {
        "names": [value for _, value in seen.get("subjectAltName", ())],
        "not_after": seen["notAfter"],
    }


def files():
    """The configuration files that the stack mounts: their sizes in bytes."""
    places = (settings.CONFIGURATION, settings.AUDIT)
    return {os.path.basename(place): os.path.getsize(place) for place in places if os.path.exists(place)}


def all_of_them(service, pulse):
    """Answers by name, and errors by name."""
    questions = {
        "database": database.look,
        "amqp": pulse.look,
        "cache": cache,
        "var": lambda: shared(settings.VAR, service),
        "log": lambda: shared(settings.logging_options(service)["directory"], service),
        "certificates": certificates,
    }
    answers, errors = {}, {}
    for name, question in questions.items():
        try:
            answers[name] = question()
        except Exception as error:  # the page says what failed, whatever it is
            errors[name] = f"{type(error).__name__}: {error}".strip()
    return answers, errors
