"""The service's place on the message bus.

Each service says every two seconds, through the broker it is connected to, that it is there, and
hears all the others. What was published at one broker and is heard at another proves that the two
are one cluster.
"""

import json
import logging
import os
import socket
import threading
import time

import amqp

import settings

EXCHANGE = "kompira.pulse"
INTERVAL_S = 2
# Longer than a broker needs to be missed by the others.
FORGET_S = 15

logger = logging.getLogger("kompira.pulse")


class Pulse(threading.Thread):
    def __init__(self, service):
        super().__init__(name="pulse", daemon=True)
        self.service = service
        self.broker = None
        self.cluster = None
        self.error = "not connected yet"
        self.heard = {}

    def run(self):
        while True:
            try:
                self.converse()
            except Exception as error:  # whatever it is, the way on is to connect again
                self.broker = None
                self.error = f"{type(error).__name__}: {error}"
                logger.warning("message bus: %s", self.error)
                time.sleep(INTERVAL_S)

    def converse(self):
        arguments = settings.amqp(self.service)
        with amqp.Connection(**arguments) as connection:
            channel = connection.channel()
            channel.exchange_declare(EXCHANGE, "fanout", durable=True, auto_delete=False)
            queue = channel.queue_declare(exclusive=True).queue
            channel.queue_bind(queue, EXCHANGE)
            channel.basic_consume(queue, no_ack=True, callback=self.hear)
            self.broker = arguments["host"].rsplit(":", 1)[0]
            # kompira.conf names the service, whose address may be any broker's.
            named = self.broker if "AMQP_URL" in os.environ else None
            self.cluster = connection.server_properties.get("cluster_name")
            logger.info("message bus: connected to %s of %s", self.broker, self.cluster)
            due = time.monotonic()
            while True:
                if time.monotonic() >= due:
                    due = time.monotonic() + INTERVAL_S
                    body = {"service": self.service, "node": settings.NODE, "broker": named}
                    channel.basic_publish(amqp.Message(json.dumps(body)), EXCHANGE)
                    connection.heartbeat_tick()
                try:
                    connection.drain_events(timeout=max(0.1, due - time.monotonic()))
                except (TimeoutError, socket.timeout):
                    pass

    def hear(self, message):
        body = json.loads(message.body)
        self.heard[body["service"], body["node"]] = (time.monotonic(), body["broker"])

    def look(self):
        """Who is heard, and through which brokers; an error if not even this service itself."""
        since = time.monotonic() - FORGET_S
        recent = {who: broker for who, (when, broker) in list(self.heard.items()) if when >= since}
        if self.broker is None or (self.service, settings.NODE) not in recent:
            raise RuntimeError(self.error if self.broker is None else "connected, but nothing is heard")
        return {
            "broker": self.broker,
            "cluster_name": self.cluster,
            "nodes": sorted(set(recent.values()) - {None}),
            "services": sorted(f"{service}@{node}" for service, node in recent),
        }
