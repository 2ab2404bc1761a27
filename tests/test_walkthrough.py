"""Every command of docs/walkthrough.md, one after the other, in a new folder."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "walkthrough.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
SERVER = "fullbake serve runs/comments --port 8501"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk")
    shutil.copytree(ROOT / "data", folder / "data")
    return folder


def shell(command: str, folder: Path, port: int | None = None) -> subprocess.CompletedProcess[str]:
    if port is not None:
        command = command.replace("8501", str(port))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks the server with curl")
def test_each_command_of_the_page_works_as_it_stands(folder):
    outputs = {}
    for command in COMMANDS[: COMMANDS.index(SERVER)]:
        done = shell(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        outputs[command] = done.stdout
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["pushed"]
    assert (folder / "runs" / "comments" / "reports").is_dir()
    rows = (folder / "labelled.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len((folder / "comments.csv").read_text(encoding="utf-8").splitlines())

    port = free_port()
    server = subprocess.Popen(
        [Path(sys.executable).with_name("fullbake"), *SERVER.replace("8501", str(port)).split()[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        (ask,) = [command for command in COMMANDS if command.startswith("curl ")]
        answer = shell(ask, folder, port)
        started = time.monotonic()
        while answer.returncode != 0 and time.monotonic() - started < 300 and server.poll() is None:
            time.sleep(1)
            answer = shell(ask, folder, port)
        (prediction,) = json.loads(answer.stdout)["predictions"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    (shown,) = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])["predictions"]
    assert prediction.keys() == shown.keys()
    assert prediction["label"] == shown["label"]
    assert len(prediction["probabilities"]) == len(shown["probabilities"])
