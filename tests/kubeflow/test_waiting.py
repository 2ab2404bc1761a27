"""What comes of waiting for a run, against a server that tells of Argo workflows as KFP's does."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import pytest

from fullbake.kubeflow import waiting
from fullbake.kubeflow.client import Run
from fullbake.kubeflow.login import find_login
from fullbake.kubeflow.server import Server
from fullbake.kubeflow.verdict import refused, stopped
from fullbake.kubeflow.waiting import Outcome, wait_for
from tests.kubeflow.argo_workflow import Step, Workflow
from tests.kubeflow.kfp_http import serve
from tests.kubeflow.kfp_server import KfpServer

STEPS = ["CsvExampleGen", "DataGate", "Trainer", "Report", "Pusher"]
LOG = "2026-01-01 02:00:00,000 E fullbake: {}"
MISSED = LOG.format(refused("Pusher", "recall of toxic 0.41 is below 0.6"))
WRONG = LOG.format(stopped("DataGate", "label: 'x' is no label"))
EXIT = "Error (exit code 1)"  # what Argo puts before a container's termination message
REFUSED = Outcome(3, "Pusher: refused, the model was not pushed: recall of toxic 0.41 is below 0.6")
STOPPED = Outcome(2, "DataGate: stopped: label: 'x' is no label")


@dataclass
class Told:
    """What a listener was told."""

    steps: list[tuple[str, str, float | None]] = field(default_factory=list)
    running: list[list[str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def step(self, name: str, state: str, seconds: float | None) -> None:
        self.steps.append((name, state, seconds))

    def waiting(self, running: Collection[str]) -> None:
        self.running.append(list(running))

    def trouble(self, text: str) -> None:
        self.troubles.append(text)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with serve(KfpServer()) as server:
        server.runs.append({"run_id": "r1"})
        yield server


def wait(server: KfpServer, *course: Workflow | int, timeout_seconds: float | None = None) -> tuple[Outcome, Told]:
    server.course = list(course)
    told = Told()
    run = Run("r1", "nightly", f"{server.host}/#/runs/details/r1")
    connected = Server(find_login(server.host, default_namespace="kubeflow"))
    return wait_for(connected, run, STEPS, told, timeout_seconds), told


def failed(*steps: Step, **settings: str) -> Workflow:
    return Workflow("Failed", [Step("CsvExampleGen", "Succeeded"), *steps], **settings)


def test_a_run_that_succeeds_is_told_step_by_step(server: KfpServer):
    first = Step("CsvExampleGen", "Succeeded", seconds=7)
    outcome, told = wait(
        server,
        Workflow("Pending"),
        Workflow("Running", [Step("CsvExampleGen", "Running")]),
        Workflow("Running", [Step("CsvExampleGen", "Running")]),
        Workflow("Running", [first, Step("Trainer", "Running"), Step("Report", "Pending")]),
        Workflow("Succeeded", [first, Step("Trainer", "Succeeded", seconds=98), Step("Report", "Succeeded")]),
    )
    assert outcome.code == 0
    assert told.steps == [
        ("CsvExampleGen", "RUNNING", None),
        ("CsvExampleGen", "SUCCEEDED", 7),
        ("Trainer", "RUNNING", None),
        ("Trainer", "SUCCEEDED", 98),
        ("Report", "RUNNING", None),
        ("Report", "SUCCEEDED", 10),
    ]
    assert told.running == [[], ["CsvExampleGen"], ["CsvExampleGen"], ["Trainer"]]
    assert told.troubles == []


def test_steps_that_end_after_the_run_does_are_told_too(server: KfpServer):
    late = Workflow("Running", [Step("Trainer", "Running")], state="SUCCEEDED")
    _, told = wait(server, late, Workflow("Succeeded", [Step("Trainer", "Succeeded")]))
    assert told.steps[-1] == ("Trainer", "SUCCEEDED", 10)


@pytest.mark.parametrize("pod_names", ["v1", "v2"])
@pytest.mark.parametrize(("step", "log", "outcome"), [("Pusher", MISSED, REFUSED), ("DataGate", WRONG, STOPPED)])
def test_the_verdict_is_in_the_message_of_the_pod_or_in_its_log(
    server: KfpServer, pod_names: str, step: str, log: str, outcome: Outcome
):
    told = failed(Step(step, "Failed", [f"{EXIT}: {log}"]), pod_names=pod_names)
    assert wait(server, told)[0] == outcome
    silent = failed(Step(step, "Failed", [EXIT]), pod_names=pod_names)
    pod = silent.pod(f"{step}.executor")
    text = f"2026 I fullbake: starts\n{log}\nF launcher: exit status 1\n"
    for address in (f"/apis/v1alpha1/runs/r1/nodes/{pod}/log", f"/k8s/pod/logs {pod}"):
        server.logs = {address: text}
        assert wait(server, silent)[0] == outcome
    asked = next(request.query for request in server.requests if request.path == "/k8s/pod/logs")
    assert asked == {"podname": pod, "runid": "r1", "podnamespace": "ann", "createdat": "2026-01-01"}


def test_a_refusal_is_the_last_word_among_steps_that_failed_at_the_same_time(server: KfpServer):
    report = LOG.format(stopped("Report", "no room"))
    both = [Step("Pusher", "Failed", [f"{EXIT}: {MISSED}"]), Step("Report", "Failed", [f"{EXIT}: {report}"])]
    assert wait(server, failed(*both))[0] == wait(server, failed(*reversed(both)))[0] == REFUSED


def test_the_last_try_of_a_step_counts(server: KfpServer):
    wrong = f"{EXIT}: {LOG.format(stopped('Trainer', 'the base is gone'))}"
    outcome, _ = wait(server, failed(Step("Trainer", "Failed", [wrong, "OOMKilled (exit code 137)"])))
    assert outcome == Outcome(
        1, "the run failed in Trainer, and not with a verdict of ours: Trainer: OOMKilled (exit code 137)"
    )
    overcome = Step("Trainer", "Succeeded", [wrong, ""])
    outcome, _ = wait(server, failed(overcome, Step("Report", "Failed", [EXIT])))
    assert outcome.code == 1
    assert "failed in Report" in outcome.words


def test_a_driver_that_fails_is_told_with_its_message(server: KfpServer):
    outcome, _ = wait(server, failed(Step("Trainer", "Failed", driver="Error (exit code 1): no claim")))
    assert outcome == Outcome(
        1, "the run failed, and not with a verdict of ours: Trainer: Error (exit code 1): no claim"
    )


def test_a_log_that_quotes_a_verdict_does_not_give_one(server: KfpServer):
    row = "row 7: Pusher: refused, the model was not pushed: no"
    silent = failed(Step("Trainer", "Failed", [EXIT]))
    server.logs = {f"/k8s/pod/logs {silent.pod('Trainer.executor')}": row}
    assert wait(server, silent)[0].code == 1


def test_where_the_workflow_is_not_shown_nothing_is_guessed(server: KfpServer):
    server.failures["GET", "/apis/v1beta1/runs/r1"] = 404
    outcome, _ = wait(server, failed(Step("Pusher", "Failed", [f"{EXIT}: {MISSED}"])))
    assert outcome == Outcome(1, "the run failed in Pusher; the server does not tell why, the log of the step does")


@pytest.mark.parametrize("state", ["CANCELED", "FAILED"])
def test_a_run_that_is_cancelled_is_neither_a_success_nor_a_refusal(server: KfpServer, state: str):
    trainer = Step("Trainer", "Failed", ["Step exceeded its deadline"])
    working = Workflow("Running", [Step("Trainer", "Running")], state="CANCELING")
    outcome, told = wait(server, working, failed(trainer, state=state, cancelled=True))
    assert outcome == Outcome(1, "the run was cancelled")
    assert told.steps[-1] == ("Trainer", "FAILED", 10)


def test_what_passes_does_not_end_the_wait_and_is_told_once(server: KfpServer):
    working, done = Workflow("Running", [Step("Trainer", "Running")]), Workflow("Succeeded")
    outcome, told = wait(server, working, 0, 503, 500, 429, working, done)
    assert outcome.code == 0
    (trouble,) = told.troubles
    assert "cannot be reached: " in trouble
    assert trouble.endswith("; still waiting")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_does_not_pass_ends_the_wait_without_a_verdict(server: KfpServer, status: int):
    outcome, _ = wait(server, Workflow("Running"), status)
    assert outcome.code == 1
    assert outcome.words.startswith("what became of the run is not known, it may go on: --host: http")


def test_a_server_that_stays_away_is_not_waited_for_forever(server: KfpServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.05)
    outcome, _ = wait(server, Workflow("Running"), 502)
    assert outcome.code == 1
    assert "answers 502 Bad Gateway" in outcome.words


def test_the_time_that_is_given_ends_the_wait_whether_the_server_answers_or_not(server: KfpServer):
    outcome, _ = wait(server, Workflow("Running"), timeout_seconds=0.06)
    assert outcome == Outcome(1, "not over after 0.001 minutes; the run goes on")
    outcome, _ = wait(server, Workflow("Running"), 503, timeout_seconds=0.06)
    assert outcome.code == 1
