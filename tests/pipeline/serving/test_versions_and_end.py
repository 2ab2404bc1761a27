"""Versions that come and go while requests do, and how the server ends."""

import http.client
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.pipeline.serving.conftest import VERSION
from tests.pipeline.serving.server_process import ServerProcess

CLIENTS = 16
ASK = {"instances": ["you are a bad idiot"]}


@pytest.fixture
def started(root: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(root)
    yield server
    if server.process.poll() is None:
        server.stop()


def states(server: ServerProcess) -> dict[str, str]:
    """By version, its state."""
    _, said = server.ask("GET", f"/v1/models/{server.name}")
    return {one["version"]: one["state"] for one in said["model_version_status"]}


def until(server: ServerProcess, **wanted: str) -> None:
    """Waits for states of versions."""
    deadline = time.monotonic() + 240
    while not wanted.items() <= {f"v{number}": state for number, state in states(server).items()}.items():
        assert time.monotonic() < deadline, (states(server), server.stderr())
        time.sleep(0.2)


def test_versions_change_under_load_without_an_error(started: ServerProcess, root: Path):
    answered: Counter[int] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            status, _ = started.post("predict", ASK)
            answered[status] += 1

    with ThreadPoolExecutor(CLIENTS) as clients:
        asking = [clients.submit(ask) for _ in range(CLIENTS)]
        try:
            old = root / f"serving/{VERSION}"
            shutil.copytree(old, root / "serving/copy")
            (root / "serving/copy").rename(root / "serving/1800000000")
            until(started, v1800000000="AVAILABLE", **{f"v{VERSION}": "END"})
            # A damaged one is told, and what serves goes on.
            (root / "serving/1900000000").mkdir()
            until(started, v1900000000="END")
            assert started.post("predict", ASK, "/versions/1800000000")[0] == 200
            assert started.post("predict", ASK, f"/versions/{VERSION}")[0] == 404
            # What was removed gives way to the one before.
            shutil.rmtree(root / "serving/1900000000")
            shutil.rmtree(root / "serving/1800000000")
            until(started, v1800000000="END", **{f"v{VERSION}": "AVAILABLE"})
        finally:
            over.set()
        for one in asking:
            one.result()
    assert set(answered) == {200}
    assert answered[200] > CLIENTS
    assert "version 1900000000 cannot be used: it has no saved_model.pb" in started.stderr()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_is_under_way_be_answered(root: Path, number: signal.Signals):
    server = ServerProcess(root)
    with ThreadPoolExecutor(4) as clients:
        # Together they are fewer rows than may wait.
        asked = [clients.submit(server.post, "predict", {"instances": ["you " * 30] * 500}) for _ in range(4)]
        time.sleep(0.5)
        assert server.stop(number) == 0
        assert {one.result()[0] for one in asked} == {200}
    assert server.stderr().splitlines()[-1] == "stopped; all that was asked is answered"


def test_what_would_wait_too_long_is_refused_at_once_as_tensorflow_serving_does(root: Path):
    server = ServerProcess(root, "--max-waiting-rows", "1000")
    with ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(server.post, "predict", {"instances": ["you " * 30] * 900}) for _ in range(4)]
        answers = [one.result() for one in asked]
    assert server.stop() == 0
    assert {status for status, _ in answers} == {200, 503}
    full = "The batch scheduling queue to which this task was submitted is full"
    assert all(body == {"error": full} for status, body in answers if status == 503)


def test_one_version_is_served_as_it_is_and_quiet_says_no_more_than_the_address(root: Path):
    server = ServerProcess(root / f"serving/{VERSION}", "--quiet", "--name", "mine", "--timeout", "1")
    assert server.first_line == f"mine: {server.url}"
    assert server.curl.endswith(f"{server.url}/v1/models/mine:predict")
    shutil.copytree(root / f"serving/{VERSION}", root / "serving/1800000000")
    assert server.post("predict", ASK)[0] == 200
    time.sleep(1.5)
    assert states(server) == {str(VERSION): "AVAILABLE"}
    # A body that does not come is not waited for.
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    connection.putrequest("POST", "/v1/models/mine:predict")
    connection.putheader("Content-Length", "20")
    connection.endheaders(b"{")
    assert connection.getresponse().status == 408
    connection.close()
    assert server.stop() == 0
    assert server.stderr() == ""
