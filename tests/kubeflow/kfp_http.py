"""Serves the state of a Kubeflow Pipelines server over HTTP."""

import email
import json
import socket
import ssl
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.kubeflow.kfp_server import KfpServer, Request
from tests.kubeflow.server_cron import RefusalError


class _Handler(BaseHTTPRequestHandler):
    server: "_HttpServer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, *arguments: Any) -> None:
        pass

    def _answer(self, method: str) -> None:
        address = urllib.parse.urlsplit(self.path)
        request = Request(
            method=method,
            path=address.path,
            query=dict(urllib.parse.parse_qsl(address.query)),
            body=self._body(),
            authorization=self.headers.get("Authorization"),
            cookie=self.headers.get("Cookie"),
        )
        state = self.server.state
        state.requests.append(request)
        try:
            status, answer = 200, state.answer(request)
        except RefusalError as refused:
            status, answer = refused.status, {"error": refused.message, "code": 3, "message": refused.message}
        if not status:
            self.close_connection = True
            return
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> Any:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
            (part,) = message.get_payload()
            return part.get_payload(decode=True).decode()
        return json.loads(content) if content else None


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: KfpServer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state
        self.connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def server_close(self) -> None:
        super().server_close()
        for connection in self.connections:  # those that a client keeps open would be served on
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serve(state: KfpServer, tls: ssl.SSLContext | None = None) -> Iterator[KfpServer]:
    """Serves on a free port of this machine, by HTTPS if there is a certificate; `state.host` is the address."""
    with _HttpServer(state) as server:
        state.host = f"http://127.0.0.1:{server.server_port}"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            state.host = f"https://localhost:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
