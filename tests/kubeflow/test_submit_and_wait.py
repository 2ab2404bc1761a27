"""`fullbake submit --wait` as people and CI see it: what it prints, and its exit code."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from fullbake.command_line.main import main
from fullbake.kubeflow import waiting
from fullbake.kubeflow.verdict import refused, stopped
from tests.kubeflow.argo_workflow import Step, Workflow
from tests.kubeflow.kfp_http import serve
from tests.kubeflow.kfp_server import KfpServer
from tests.warm import WarmProcess

KEY = "open-sesame"
GEN = Step("CsvExampleGen", "Succeeded", seconds=7)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in list(os.environ):
        if name.startswith(("KF_PIPELINES_", "FULLBAKE_KFP_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with serve(KfpServer(token=KEY)) as server:
        yield server


def submit(server: KfpServer, config: Path, *course: Workflow | int, options: tuple[str, ...] = ("--wait",)) -> Result:
    server.course = list(course)
    arguments = ["submit", str(config), "--host", server.host, *options]
    result = CliRunner().invoke(main, arguments, env={"FULLBAKE_KFP_TOKEN": KEY})
    assert KEY not in result.output
    return result


def ended(*steps: Step) -> Workflow:
    return Workflow("Failed", [GEN, *steps])


def message(line: str) -> str:
    return f"Error (exit code 1): 2026-01-01 02:00:00,000 E fullbake: {line}"


def test_a_run_that_succeeds_is_shown_in_plain_lines(server: KfpServer, cluster_config_file: Path):
    working = Workflow("Running", [GEN, Step("Trainer", "Running")])
    done = Workflow("Succeeded", [GEN, Step("Trainer", "Succeeded", seconds=98)])
    result = submit(server, cluster_config_file, working, 503, done)
    assert result.exit_code == 0, result.output
    page = f"{server.host}/#/runs/details/{server.runs[0]['run_id']}"
    version, run, end = result.stdout.splitlines()
    assert version.startswith("pipeline version: ")
    assert (run, end) == (f"run: {page}", f"done: the model is pushed, or there was nothing new: {page}")
    shown = [line for line in result.stderr.splitlines() if not line.startswith(("warning: gate", "loading "))]
    assert shown[:3] == ["  CsvExampleGen ...", "  CsvExampleGen: 7.0 s", "  Trainer ..."]
    assert shown[3].startswith(f"warning: --host: {server.host} answers 503 ")
    assert shown[4:] == ["  Trainer: 98.0 s"]


@pytest.mark.parametrize(
    ("step", "line", "code"),
    [
        ("Pusher", refused("Pusher", "recall of toxic is 0.41, below 0.6"), 3),
        ("DataGate", stopped("DataGate", "label: 'x' is no label"), 2),
    ],
)
def test_the_exit_code_is_that_of_a_run_here(
    server: KfpServer, cluster_config_file: Path, step: str, line: str, code: int
):
    result = submit(server, cluster_config_file, ended(Step(step, "Failed", [message(line)], seconds=3)))
    assert result.exit_code == code
    *_, told, last = result.stderr.splitlines()
    assert told == f"  {step}: failed after 3.0 s"
    page = f"{server.host}/#/runs/details/{server.runs[0]['run_id']}"
    assert last == f"fullbake: {line}; the run: {page}"


def test_a_run_that_fails_for_another_reason_or_not_in_time_ends_with_1_and_its_page(
    server: KfpServer, cluster_config_file: Path
):
    killed = submit(server, cluster_config_file, ended(Step("Trainer", "Failed", ["OOMKilled (exit code 137)"])))
    late = submit(server, cluster_config_file, Workflow("Running"), options=("--wait", "--timeout", "0.001"))
    for result, words, run in zip((killed, late), ("Trainer: OOMKilled", "the run goes on"), server.runs, strict=True):
        assert result.exit_code == 1
        last = result.stderr.splitlines()[-1]
        assert words in last
        assert last.endswith(f"; the run: {server.host}/#/runs/details/{run['run_id']}")


def test_a_timeout_without_waiting_is_an_error(server: KfpServer, cluster_config_file: Path):
    result = submit(server, cluster_config_file, options=("--timeout", "5"))
    assert (result.exit_code, server.requests) == (2, [])
    assert result.stderr == "fullbake: --timeout: it is for --wait; give both, or neither\n"


def test_ctrl_c_ends_the_waiting_and_says_that_the_run_goes_on(
    server: KfpServer, cluster_config_file: Path, warm: WarmProcess, tmp_path: Path
):
    server.course = [Workflow("Running", [GEN, Step("Trainer", "Running")])]

    def interrupt() -> None:
        while not any("/runs/" in request.path for request in server.requests):
            time.sleep(0.02)
        warm.tell(signal.SIGINT)

    environment = {**os.environ, "FULLBAKE_KFP_TOKEN": KEY}
    thread = Thread(target=interrupt, daemon=True)
    thread.start()
    arguments = ["submit", str(cluster_config_file), "--host", server.host, "--wait"]
    done = warm.run("fullbake", arguments, tmp_path, environment)
    assert done.returncode == 130, done.stderr
    page = f"{server.host}/#/runs/details/{server.runs[0]['run_id']}"
    assert done.stdout.endswith(f"run: {page}\n")
    assert done.stderr.splitlines()[-1] == f"fullbake: stopped by SIGINT: the run goes on: {page}"
