"""A headless Chromium that tests drive over a pipe: one start serves many pages, in any colours, width and medium."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = (
    "headless no-sandbox no-first-run disable-gpu disable-quic disable-background-networking disable-component-update "
    "disable-sync disable-dev-shm-usage hide-scrollbars remote-debugging-pipe"
)
# Chromium reads commands from descriptor 3 and writes answers to 4; a new interpreter puts the pipes there.
PLACE_PIPES = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class Chromium:
    """One tab of a browser of its own; close it when done.

    Args:
        folder: Holds its profile and the pages it is shown.
    """

    def __init__(self, folder: Path):
        self._folder, self._last, self._session = folder, 0, {}
        self.events: list[dict[str, Any]] = []
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, to_write)]
        command = [CHROMIUM, *(f"--{switch}" for switch in SWITCHES.split()), f"--user-data-dir={folder / 'profile'}"]
        self._process = subprocess.Popen(
            [sys.executable, "-ISc", PLACE_PIPES, *map(str, ends), *command], pass_fds=ends, stderr=subprocess.DEVNULL
        )
        for end in (to_read, to_write, *ends):
            os.close(end)
        self._rest = b""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Any:
        """Returns the browser's answer to a command of the DevTools protocol; events meanwhile are kept."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": params} | self._session
        os.write(self._write, json.dumps(command).encode() + b"\0")
        while (said := self._next()).get("id") != self._last:
            self.events.append(said)
        assert "error" not in said, said
        return said["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._read, 1 << 20)
            assert read, "the browser has gone"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def show(self, page: str, width: int = 1280, dark: bool = False, medium: str = "") -> None:
        """Loads a page anew and waits for it; `events` is then of it alone."""
        (self._folder / "page.html").write_text(page, encoding="utf-8")
        self.look(width, dark, medium)
        self.events.clear()
        self.ask("Page.navigate", url=(self._folder / "page.html").as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def look(self, width: int = 1280, dark: bool = False, medium: str = "", height: int = 900) -> None:
        """Sets what the page is seen through; a loaded one is laid out anew."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=medium, features=[scheme])

    def evaluate(self, script: str) -> Any:
        """Returns what a script says in the page."""
        done = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def screenshot(self) -> bytes:
        """Returns the whole page as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def pdf(self) -> bytes:
        """Returns the page as printed on A4."""
        said = self.ask("Page.printToPDF", preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(said["data"])

    def close(self) -> None:
        """Ends the browser."""
        self._session = {}
        self.ask("Browser.close")
        self._process.wait(30)
        os.close(self._read)
        os.close(self._write)
