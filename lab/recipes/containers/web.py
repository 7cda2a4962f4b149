"""The web application, behind nginx by the uwsgi protocol.

GET /.login       200 when everything is reached, else 503; the errors by name as JSON
GET /.lab/status  what was reached, from which node
POST /.lab/rows   adds a row with the body as its note; its number and the count of rows
GET /.lab/rows    the notes of all rows, oldest first
"""

import json
import os
import threading
import time

import checks
import database
import log
import pulse
import settings

SERVICE = "uwsgi"
logger = log.start(SERVICE)
bus = pulse.Pulse(SERVICE)
bus.start()
established = {"error": "the tables are not made yet"}


def establish():
    """Until the database answers: it may come up later than we."""
    while True:
        try:
            database.establish()
            established["error"] = None
            database.add_row("started")
            os.makedirs(settings.VAR + "/html", exist_ok=True)
            with open(settings.VAR + "/html/lab.txt", "w", encoding="utf-8") as file:
                file.write("static\n")
            logger.info("the database and the secret key are ready")
            return
        except Exception as error:  # the page says so; the way on is to try again
            established["error"] = f"{type(error).__name__}: {error}".strip()
            logger.warning("database: %s", established["error"])
            time.sleep(2)


threading.Thread(target=establish, daemon=True).start()


def look():
    answers, errors = checks.all_of_them(SERVICE, bus)
    if established["error"]:
        errors["database"] = established["error"]
        answers.pop("database", None)
    return answers, errors


def login(_environ):
    _, errors = look()
    return ("503 Service Unavailable" if errors else "200 OK"), {"node": settings.NODE, "failed": errors}


def status(_environ):
    answers, errors = look()
    return "200 OK", {
        "node": settings.NODE,
        "container": settings.CONTAINER,
        "image": "lab",
        "files": checks.files(),
        **answers,
        "failed": errors,
    }


def add_row(environ):
    size = int(environ.get("CONTENT_LENGTH") or 0)
    number = database.add_row(environ["wsgi.input"].read(size).decode())
    return "201 Created", {"id": number, "rows": database.look()["rows"]}


def rows(_environ):
    with database.transaction() as cursor:
        cursor.execute("SELECT id, node, note FROM kompira_row ORDER BY id")
        found = [{"id": number, "node": node, "note": note} for number, node, note in cursor.fetchall()]
    return "200 OK", {"rows": found}


PAGES = {
    ("GET", "/.login"): login,
    ("GET", "/.lab/status"): status,
    ("GET", "/.lab/rows"): rows,
    ("POST", "/.lab/rows"): add_row,
}


def application(environ, start_response):
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    page = PAGES.get(("GET" if method == "HEAD" else method, path))
    try:
        answer, body = page(environ) if page else ("404 Not Found", {"error": f"no page {path}"})
    except Exception as error:  # the one who asks is a test: it wants to read why
        logger.exception("%s %s", method, path)
        answer, body = "500 Internal Server Error", {"error": f"{type(error).__name__}: {error}"}
    text = (json.dumps(body) + "\n").encode()
    start_response(answer, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [] if method == "HEAD" else [text]
