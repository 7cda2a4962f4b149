"""The log of a service: a rotated file in the log directory, and standard output."""

import logging
import logging.handlers
import os
import sys

import settings


def start(service):
    options = settings.logging_options(service)
    logger = logging.getLogger("kompira")
    logger.setLevel(options["level"])
    form = logging.Formatter(f"%(asctime)s {settings.NODE} {service} %(levelname)s %(message)s")
    handlers = [logging.StreamHandler(sys.stdout)] if options["stream"] else []
    try:
        # One file a container: several hosts may share the directory.
        handlers.append(
            logging.handlers.TimedRotatingFileHandler(
                os.path.join(options["directory"], f"{options['name']}-{settings.NODE}.log"),
                when=options["when"],
                interval=options["interval"],
                backupCount=options["backup"],
                encoding="utf-8",
            )
        )
    except OSError as error:
        # The answer to GET /.login says so too; a container that only restarts would not.
        print(f"cannot log to {options['directory']}: {error}", file=sys.stderr)
    for handler in handlers:
        handler.setFormatter(form)
        logger.addHandler(handler)
    return logger
