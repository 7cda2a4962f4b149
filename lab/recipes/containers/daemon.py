"""The engine (kompirad) and the job manager (jobmngrd): a heartbeat every three seconds."""

import os
import signal
import sys
import time

import checks
import database
import log
import pulse
import settings

SERVICE = sys.argv[1]
INTERVAL_S = 3


def beat(bus):
    """All that the service must reach; the errors by name."""
    errors = {}

    def attempt(name, act):
        try:
            act()
        except Exception as error:  # the next beat tries again
            errors[name] = f"{type(error).__name__}: {error}".strip()

    attempt("amqp", bus.look)
    attempt("var", lambda: checks.shared(settings.VAR, SERVICE))
    attempt("certificates", checks.certificates)
    # The job manager has no database of its own accord.
    if SERVICE == "kompirad" or "DATABASE_URL" in os.environ:
        attempt("database", lambda: database.beat(SERVICE))
    if SERVICE == "kompirad" or "CACHE_URL" in os.environ:
        attempt("cache", checks.cache)
    return errors


def main():
    # As the first process of a container it would not die of a signal without a handler.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logger = log.start(SERVICE)
    bus = pulse.Pulse(SERVICE)
    bus.start()
    while True:
        time.sleep(INTERVAL_S)
        errors = beat(bus)
        if errors:
            logger.warning("heartbeat failed: %s", "; ".join(f"{name}: {why}" for name, why in errors.items()))
        else:
            logger.info("heartbeat")


main()
