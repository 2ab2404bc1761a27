"""A webhook: a server of this machine that keeps what is posted to it."""

import http.server
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

SECRET_PATH = "/services/T00000000/B00000000/pl4ntedSecret"  # noqa: S105 (planted)


@dataclass
class Webhook:
    """Where it is, and what came.

    Attributes:
        port: Of 127.0.0.1.
        answers: The codes that it answers in turn, the last one from then on.
        posts: What was posted, from JSON.
    """

    port: int
    answers: list[int]
    posts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{SECRET_PATH}"


@contextmanager
def webhook(answers: Sequence[int] = (200,)) -> Iterator[Webhook]:
    """Starts it; ends it with the block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == SECRET_PATH
            assert self.headers["Content-Type"] == "application/json"
            hook.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0])
            self.send_header("Location", "/elsewhere")  # whether it is followed is for those that answer 3xx
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Webhook(server.server_address[1], list(answers))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield hook
        finally:
            server.shutdown()
