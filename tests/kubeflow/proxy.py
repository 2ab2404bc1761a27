"""A forward proxy of this machine: hands plain requests on, and opens tunnels for HTTPS."""

import http.client
import select
import socket
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Proxy(ThreadingHTTPServer):
    """The proxy.

    Attributes:
        credentials: The value of the header `Proxy-Authorization` that it wants; None wants none.
        handed_on: Method and address of each request and tunnel.
    """

    daemon_threads = True

    def __init__(self, credentials: str | None = None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.credentials = credentials
        self.handed_on: list[tuple[str, str]] = []

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @contextmanager
    def serve(self) -> Iterator["Proxy"]:
        with self:
            thread = Thread(target=self.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield self
            finally:
                self.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        if not self._admitted():
            return
        name, _, port = self.path.partition(":")
        with socket.create_connection((name, int(port))) as upstream:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: upstream, upstream: self.connection}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    content = end.recv(65536)
                    if not content:
                        self.close_connection = True
                        return
                    ends[end].sendall(content)

    def do_GET(self) -> None:
        self._hand_on()

    def do_POST(self) -> None:
        self._hand_on()

    def log_message(self, *arguments: Any) -> None:
        pass

    def _admitted(self) -> bool:
        self.server.handed_on.append((self.command, self.path))
        if self.server.credentials in (None, self.headers.get("Proxy-Authorization")):
            return True
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._admitted():
            return
        address = urllib.parse.urlsplit(self.path)
        upstream = http.client.HTTPConnection(address.netloc)
        kept = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        upstream.request(self.command, address._replace(scheme="", netloc="").geturl(), body, kept)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()
