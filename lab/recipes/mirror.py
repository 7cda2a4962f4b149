"""The web server of the lab's fake internet: DIRECTORY/<host name>/<path>, http and https.

usage: mirror.py ADDRESS DIRECTORY CERTIFICATE KEY ; one line a request on standard error.
"""

import http.server
import os
import re
import ssl
import sys
import threading
import time

ADDRESS, DIRECTORY, CERTIFICATE, KEY = sys.argv[1:]


class Site(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    extensions_map = {"": "application/octet-stream", ".xml": "text/xml", ".html": "text/html"}

    def __init__(self, *args):
        super().__init__(*args, directory=DIRECTORY)

    def site(self):
        return self.headers.get("Host", "").split(":")[0].lower()

    def translate_path(self, path):
        site = self.site()
        if not re.fullmatch(r"[a-z0-9.-]+", site) or site.startswith("."):
            return os.path.join(DIRECTORY, "no-such-site")
        return super().translate_path("/" + site + "/" + path.lstrip("/"))

    def list_directory(self, path):
        self.send_error(404, "no listing")

    def log_message(self, form, *args):
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        site = self.site() if hasattr(self, "headers") else "-"
        sys.stderr.write(f"{when} {self.client_address[0]} {site} {form % args}\n")
        sys.stderr.flush()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    tls = None

    def finish_request(self, request, client_address):
        # The handshake belongs to the connection's own thread: a silent client must not
        # keep the others waiting.
        if self.tls:
            request.settimeout(20)
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        sys.stderr.write(f"{client_address[0]} {sys.exc_info()[1]!r}\n")
        sys.stderr.flush()


plain = Server((ADDRESS, 80), Site)
secure = Server((ADDRESS, 443), Site)
secure.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
secure.tls.load_cert_chain(CERTIFICATE, KEY)
threading.Thread(target=plain.serve_forever, daemon=True).start()
secure.serve_forever()
