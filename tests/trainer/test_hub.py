"""Fetching a base with huggingface_hub's own client from a server on this machine that answers as the hub does."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.sentencepiece_models import save_alone

COMMIT = hashlib.sha1(b"a commit", usedforsecurity=False).hexdigest()
# Resolves names one after the other, and prints of each what came of it and how long it took.
SCRIPT = """
import json, sys, time
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.contract.errors import InputError
found = []
for name in json.loads(sys.argv[1]):
    started = time.monotonic()
    try:
        answer = str(resolve_base(*name))
    except InputError as error:
        answer = f"refused: {error}"
    found.append([answer, time.monotonic() - started])
print(json.dumps(found))
"""


class Hub(ThreadingHTTPServer):
    """The part of the hub's protocol that downloads need.

    Attributes:
        models: By name, a model's folder.
        fetched: The files whose content was asked for.
    """

    daemon_threads = True

    def __init__(self, models: dict[str, Path]):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.models = models
        self.fetched: list[str] = []


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        for name, folder in self.server.models.items():
            if path.startswith(f"/api/models/{name}/revision/") or path == f"/api/models/{name}":
                if path.endswith("/none"):
                    self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
                    return
                files = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
                self._send(200, json.dumps({"id": name, "sha": COMMIT, "siblings": files}).encode())
                return
            start = f"/{name}/resolve/{COMMIT}/"
            if path.startswith(start):
                content = (folder / path.removeprefix(start)).read_bytes()
                if self.command == "GET":
                    self.server.fetched.append(f"{name}/{path.removeprefix(start)}")
                etag = hashlib.sha256(content).hexdigest()
                self._send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})
                return
        self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _send(self, code: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub(base: Path, base_of: Callable[[str], Path], tmp_path: Path) -> Iterator[Hub]:
    good = Path(shutil.copytree(base, tmp_path / "good"))
    (good / "added_tokens.json").write_text("{}")
    for name in ("pytorch_model.bin", "tf_model.h5", "model.fp16.safetensors", "onnx.bin"):
        (good / name).write_bytes(b"not to be fetched")
    other = Path(shutil.copytree(base, tmp_path / "convbert"))
    (other / "config.json").write_text(json.dumps({"model_type": "convbert"}))
    alone = save_alone(base_of("albert"), "albert")
    server = Hub({"distilbert-base-uncased": good, "an-org/convbert": other, "an-org/spiece": alone})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def resolve(names: list[list[str]], hub: Hub, home: Path) -> list[tuple[str, float]]:
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}",
        "HF_HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(names)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [(answer, seconds) for answer, seconds in json.loads(done.stdout.splitlines()[-1])]


def test_a_base_is_fetched_whole_and_nothing_else_and_a_wrong_name_refused(hub: Hub, base: Path, tmp_path: Path):
    names = [
        ["distilbert-base-uncased"],
        ["distilbert-base-uncasd"],
        ["an-org/nothing-like-it"],
        ["distilbert-base-uncased", "none"],
        ["an-org/convbert"],
        ["an-org/spiece"],
    ]
    found, typo, nothing, revision, other, alone = resolve(names, hub, tmp_path / "home")
    files = {file.name for file in Path(found[0]).iterdir()}
    assert files == {file.name for file in base.iterdir()} | {"added_tokens.json"}
    assert (Path(found[0]) / "model.safetensors").read_bytes() == (base / "model.safetensors").read_bytes()
    missing = "is not a local folder, and the Hugging Face hub has no such model; check the name, or set HF_TOKEN if"
    assert typo[0] == (
        f"refused: base: 'distilbert-base-uncasd' {missing} the model is private; did you mean "
        "'distilbert-base-uncased'?"
    )
    assert nothing[0] == f"refused: base: 'an-org/nothing-like-it' {missing} the model is private"
    assert revision[0].startswith(
        "refused: revision: the Hugging Face hub has no revision 'none' of 'distilbert-base-uncased'"
    )
    assert "'an-org/convbert' is of type 'convbert', which is not among those" in other[0]
    assert max(seconds for _, seconds in (typo, nothing, revision)) < 2
    # What cannot be used is not paid for: of it only the small files were fetched.
    assert "an-org/convbert/config.json" in hub.fetched
    assert "an-org/convbert/model.safetensors" not in hub.fetched
    # A SentencePiece model alone is fetched, and its fast tokenizer made, in another place.
    assert "an-org/spiece/spiece.model" in hub.fetched
    assert {"spiece.model", "tokenizer.json"} <= {file.name for file in Path(alone[0]).iterdir()}
    assert Path(alone[0]).is_relative_to(tmp_path / "home/cache/fullbake")
    assert list((tmp_path / "home/hub").glob("*spiece/**/tokenizer.json")) == []
    # Without the hub, what was fetched is found again.
    hub.models.clear()
    names = [["distilbert-base-uncased"], ["an-org/spiece"]]
    assert [again for again, _ in resolve(names, hub, tmp_path / "home")] == [found[0], alone[0]]
