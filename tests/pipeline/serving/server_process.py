"""`fullbake serve` as a process of its own, and a client that speaks HTTP to it."""

import http.client
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FULLBAKE = Path(sys.executable).with_name("fullbake")


class ServerProcess:
    """A server on a free port.

    Args:
        folder: What is served.
        options: Of the command.
    """

    def __init__(self, folder: Path, *options: str):
        command = [FULLBAKE, "serve", folder, "--port", "0", *options]
        with (folder / "stderr").open("w") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert self.process.stdout
        self.folder = folder
        self.first_line = self.process.stdout.readline().strip()
        self.curl = self.process.stdout.readline().strip()
        assert self.curl, self.stderr()
        self.name, self.url = self.first_line.split(": ")
        self.host, self.port = urlsplit(self.url).hostname, urlsplit(self.url).port

    def stderr(self) -> str:
        """What it wrote so far."""
        return (self.folder / "stderr").read_text(encoding="utf-8")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Returns the status and the JSON of an answer; a body that is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, sent, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, json.loads(answer)

    def post(self, method: str, body: Any, version: str = "") -> tuple[int, Any]:
        """Returns what the model says."""
        return self.ask("POST", f"/v1/models/{self.name}{version}:{method}", body)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it, and returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout
        self.process.stdout.close()
        return code
