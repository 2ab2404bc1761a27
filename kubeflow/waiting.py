"""Waits for a run on a cluster, reports its steps, and finds the exit code that `fullbake run` would have.

The API of Kubeflow Pipelines has the state of a run and of its steps, and no reason. Once the run has failed, the
reason is looked for in its Argo workflow, which the older half of the API shows (v1beta1; releases 2.0.5 to 2.17.0 have
it): in the messages of the nodes, where steps leave their termination messages, and then in the logs of the pods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import tenacity

from fullbake.contract.errors import InputError
from fullbake.kubeflow.client import Run
from fullbake.kubeflow.server import Server, UnavailableError, parsed
from fullbake.kubeflow.verdict import Verdict, find_verdict

POLL_SECONDS = 5.0
PATIENCE_SECONDS = 15 * 60.0  # with a server that does not answer: it may be upgraded, or a port-forward started again

EXIT_UNKNOWN = 1
"""The run did not succeed, for a reason that is none of `fullbake run`'s, or it is not known what became of it."""

_OVER = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
_MOST_SECONDS_BETWEEN = 60


@dataclass(frozen=True)
class Outcome:
    """What became of the wait.

    Attributes:
        code: The exit code: 0 done, 2 the config or the data is wrong, 3 the gate refused the model, 1 anything else.
        words: One line for people.
    """

    code: int
    words: str


_CANCELLED = Outcome(EXIT_UNKNOWN, "the run was cancelled")


class Listener(Protocol):
    """Is called with what happens meanwhile."""

    def step(self, name: str, state: str, seconds: float | None) -> None:
        """A step started (`RUNNING`, no seconds) or ended."""

    def waiting(self, running: Collection[str]) -> None:
        """The server was looked at; these steps are at work."""

    def trouble(self, text: str) -> None:
        """Something is wrong that may pass."""


def wait_for(
    server: Server, run: Run, steps: Collection[str], listener: Listener, timeout_seconds: float | None = None
) -> Outcome:
    """Waits until a run is over.

    Args:
        server: Where it runs.
        run: Which it is.
        steps: The names of its steps.
        listener: Is called for each step that starts or ends, and for problems.
        timeout_seconds: How long to wait; `None` is as long as it takes.
    """
    watch = _Watch(server, run, steps, listener, timeout_seconds)
    try:
        state = watch.follow()
        if state is None:
            return Outcome(EXIT_UNKNOWN, f"not over after {(timeout_seconds or 0) / 60:g} minutes; the run goes on")
        if state in ("SUCCEEDED", "SKIPPED"):
            return Outcome(0, "done: the model is pushed, or there was nothing new")
        if state == "CANCELED":
            return _CANCELLED
        return watch.why()
    except InputError as error:
        return Outcome(EXIT_UNKNOWN, f"what became of the run is not known, it may go on: {error}")


@dataclass
class _Watch:
    server: Server
    run: Run
    steps: Collection[str]
    listener: Listener
    timeout_seconds: float | None
    told: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def follow(self) -> str | None:
        """Returns the state in which the run ended, or None if the time was up before."""
        while True:
            state = self._look()
            if state in _OVER:
                if self._running():
                    # The server writes down the state of the run first, and then those of its steps.
                    time.sleep(POLL_SECONDS)
                    self._look()
                return state
            if self._left() <= 0:
                return None
            self.listener.waiting(self._running())
            time.sleep(min(POLL_SECONDS, self._left()))

    def why(self) -> Outcome:
        """Returns why a failed run failed."""
        failed = [name for name, state in self.told.items() if state == "FAILED"]
        where = f"the run failed in {', '.join(failed)}" if failed else "the run failed"
        try:
            detail = parsed(self._ask(f"/apis/v1beta1/runs/{self.run.id}"))
            workflow = parsed(detail["pipeline_runtime"]["workflow_manifest"])
            pods = list(_failed_pods(workflow))
            cancelled = workflow["spec"].get("activeDeadlineSeconds") == 0
        except (InputError, KeyError, TypeError):
            return Outcome(EXIT_UNKNOWN, f"{where}; the server does not tell why, the log of the step does")
        if cancelled:  # by this value KFP has Argo end it, and then writes down that it failed
            return _CANCELLED
        found = (find_verdict(pod.get("message", "")) or self._verdict_in_log(workflow, pod) for pod in pods)
        verdicts = [verdict for verdict in found if verdict]
        if verdicts:
            return Outcome(*max(verdicts))  # a refusal, which is the last word on a model, has the highest code
        messages = "; ".join(f"{_step_of(workflow, pod)}: {pod['message']}" for pod in pods if pod.get("message"))
        return Outcome(EXIT_UNKNOWN, f"{where}, and not with a verdict of ours{messages and ': '}{messages}")

    def _look(self) -> str:
        run = parsed(self._ask(f"/apis/v2beta1/runs/{self.run.id}"))
        if not isinstance(run, Mapping):
            raise InputError(f"{self.server.host} answers, but not as Kubeflow Pipelines does")
        for task in (run.get("run_details") or {}).get("task_details") or []:
            self._tell(task["display_name"], task.get("state", ""), task)
        return run.get("state", "")

    def _tell(self, name: str, state: str, task: Mapping[str, Any]) -> None:
        if name not in self.steps or self.told.get(name) == state or state not in ("RUNNING", *_OVER):
            return
        if state != "RUNNING" and name not in self.told:
            self.listener.step(name, "RUNNING", None)
        self.told[name] = state
        seconds = (_moment(task["end_time"]) - _moment(task["start_time"])).total_seconds() if state in _OVER else None
        self.listener.step(name, state, seconds)

    def _running(self) -> list[str]:
        return [name for name, state in self.told.items() if state == "RUNNING"]

    def _left(self) -> float:
        if self.timeout_seconds is None:
            return float("inf")
        return self.timeout_seconds - (time.monotonic() - self.started)

    def _ask(self, path: str) -> bytes:
        patiently = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(UnavailableError),
            wait=tenacity.wait_exponential(multiplier=POLL_SECONDS, max=_MOST_SECONDS_BETWEEN),
            stop=tenacity.stop_after_delay(min(PATIENCE_SECONDS, max(self._left(), 0))),
            before_sleep=self._tell_trouble,
            reraise=True,
        )
        return patiently(self.server.get, path)

    def _tell_trouble(self, state: tenacity.RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome:
            self.listener.trouble(f"{state.outcome.exception()}; still waiting")

    def _verdict_in_log(self, workflow: Mapping[str, Any], pod: Mapping[str, Any]) -> Verdict | None:
        """Returns the verdict in a pod's log, from the API server or the server of the web page, whichever answers."""
        name = _pod_name(workflow, pod)
        query = {
            "podname": name,
            "runid": self.run.id,
            "podnamespace": workflow["metadata"].get("namespace", ""),
            "createdat": str(pod.get("startedAt", ""))[: len("2026-01-31")],
        }
        readings: list[Callable[[], bytes]] = [
            lambda: self.server.get(f"/apis/v1alpha1/runs/{self.run.id}/nodes/{name}/log"),
            lambda: self.server.get("/k8s/pod/logs", query),
        ]
        for read in readings:
            try:
                verdict = find_verdict(read().decode(errors="replace"))
            except InputError:
                continue
            if verdict:
                return verdict
        return None


def _failed_pods(workflow: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yields the nodes of the pods that failed, without those that were tried again."""
    nodes = workflow["status"]["nodes"]
    tried_again = {
        child for node in nodes.values() if node["type"] == "Retry" for child in node.get("children", [])[:-1]
    }
    for name, node in nodes.items():
        if node["type"] == "Pod" and node["phase"] in ("Failed", "Error") and name not in tried_again:
            yield node


def _step_of(workflow: Mapping[str, Any], pod: Mapping[str, Any]) -> str:
    """Returns the step that a pod belongs to: a node's name is its path, such as `run-abc.root.Trainer.executor`."""
    path = pod["name"].removeprefix(f"{workflow['metadata']['name']}.").removeprefix("root.")
    return path.split(".")[0].removesuffix("-driver")


def _pod_name(workflow: Mapping[str, Any], pod: Mapping[str, Any]) -> str:
    """Returns the name of a node's pod, as `RetrievePodName` of KFP's backend/src/common/util/workflow.go makes it.

    Argo of KFP 2.0 named pods as it does nodes; later ones put the template's name in.
    """
    metadata = workflow["metadata"]
    if metadata.get("annotations", {}).get("workflows.argoproj.io/pod-name-format") == "v1":
        return pod["id"]
    return f"{metadata['name']}-{pod['templateName']}-{pod['id'].rpartition('-')[2]}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
