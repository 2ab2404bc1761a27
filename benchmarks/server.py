"""`fullbake serve` under load, with batching and without, a push under load, and its answers against `predict`'s."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.results import Result
from benchmarks.server_load import sample_texts

CLIENTS = 16
SECONDS = float(os.environ.get("SERVER_SECONDS", "60"))  # of load on each server, in all
ROUNDS = 4  # in which the two take turns
EQUAL_ROWS = 500
NAME = "quickstart"
FULLBAKE = Path(sys.executable).with_name("fullbake")
ROOT = Path(__file__).parents[1]


class Load(NamedTuple):
    """What clients met.

    Attributes:
        took: Seconds of each request.
        wrong: What went wrong.
    """

    took: list[float]
    wrong: list[str]


def main() -> None:
    """Measures the model of the quick start, which it makes where there is none."""
    model = ROOT / "runs" / NAME
    if not (model / "serving").is_dir():
        subprocess.run([FULLBAKE, "run", "configs/quickstart.yaml"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / NAME
        shutil.copytree(model / "serving", root / "serving")
        batched, one_by_one = started(root), started(root, "--batch-rows", "1")
        try:
            compare(batched, one_by_one)
            push_under_load(batched, root)
            check_answers(batched, root)
        finally:
            for process, _ in (batched, one_by_one):
                process.terminate()
                process.wait()


def started(root: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Starts a server; returns it and the address of its model."""
    command = [FULLBAKE, "serve", root, "--port", "0", "--quiet", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    first_line = process.stdout.readline() if process.stdout else ""
    return process, f"{first_line.split(': ')[1].strip()}/v1/models/{NAME}"


def loading(url: str, seconds: float) -> subprocess.Popen[str]:
    """Starts clients in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.server_load", url, str(CLIENTS), str(seconds), "1"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def met(clients: subprocess.Popen[str]) -> Load:
    """Waits for clients."""
    output, _ = clients.communicate()
    return Load(**json.loads(output.splitlines()[-1]))


def asked(url: str, body: bytes | None = None) -> Any:
    """Returns a server's answer."""
    with urllib.request.urlopen(url, body) as response:  # noqa: S310 - our own server
        return json.load(response)


def compare(batched: tuple[subprocess.Popen[str], str], one_by_one: tuple[subprocess.Popen[str], str]) -> None:
    """Prints what clients meet at each server; the two take turns, so that a busy spell meets both."""
    seconds = SECONDS / ROUNDS
    loads: dict[str, list[Load]] = {batched[1]: [], one_by_one[1]: []}
    for _ in range(ROUNDS):
        for url, found in loads.items():
            found.append(met(loading(url, seconds)))
    rates = {}
    for what, (_, url) in (("batched", batched), ("one request at a time", one_by_one)):
        took = np.array([one for load in loads[url] for one in load.took]) * 1000
        wrong = [one for load in loads[url] for one in load.wrong]
        rates[what] = float(np.median([len(load.took) / seconds for load in loads[url]]))
        detail = f"{CLIENTS} clients, {len(took):,} requests, p50 {np.median(took):.0f} ms"
        Result(f"server, {what}, p99", float(np.percentile(took, 99)), "ms", None, detail).print()
        Result(f"server, {what}, errors", len(wrong), "", 0, "; ".join(wrong[:3]), True).print()
    one, other = rates.values()
    Result("server, batched v. one at a time", one / other, "x", 3, f"{one:.1f} and {other:.1f} rows/s").print()


def push_under_load(server: tuple[subprocess.Popen[str], str], root: Path) -> None:
    """Prints what clients meet while a new version takes over."""
    clients = loading(server[1], SECONDS / 2)
    newest = max((root / "serving").glob("[0-9]*"), key=lambda path: int(path.name))
    shutil.copytree(newest, root / "copy")
    (root / "copy").rename(root / "serving" / str(int(newest.name) + 1))
    load = met(clients)
    (version, *_) = asked(server[1])["model_version_status"]
    took = np.array(load.took) * 1000
    detail = f"{len(took):,} requests, p99 {np.percentile(took, 99):.0f} ms; version {version['state']}"
    if version["version"] != str(int(newest.name) + 1):
        raise SystemExit("the new version was not even seen")
    Result("server, errors while a version is pushed", len(load.wrong), "", 0, detail, True).print()


def check_answers(server: tuple[subprocess.Popen[str], str], root: Path) -> None:
    """Prints how far what is served is from what `predict` says."""
    from fullbake.pipeline.prediction.predictor import Predictor, find_model

    found = sample_texts()[:EQUAL_ROWS]
    expected = Predictor(find_model(str(root))).predict({"text": [text.encode() for text in found]})
    body = json.dumps({"instances": found}).encode()
    said = asked(f"{server[1]}:predict", body)["predictions"]
    other = sum(one["label"] != wanted.label for one, wanted in zip(said, expected, strict=True))
    apart = np.abs(np.array([one["probabilities"] for one in said]) - [one.probabilities for one in expected]).max()
    detail = f"{EQUAL_ROWS} comments; probabilities at most {apart:.1e} apart"
    Result("server, labels other than predict's", other, "", 0, detail, True).print()


if __name__ == "__main__":
    main()
