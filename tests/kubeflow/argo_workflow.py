"""Argo workflows as the controller writes them down, and what KFP's API tells of them.

Which nodes there are, and how they and their pods are called, was read from argo-workflows 3.3.10 (KFP 2.0.5), 3.5.14
(2.5.0) and 4.0.5 (2.17.0) and from backend/src/v2/compiler/argocompiler; what the API tells, from toModelTasks and
toApiPipelineTaskDetail in backend/src/apiserver/server/api_converter.go. A workflow of here was once given to these
two, of 2.0.5 and 2.17.0, which told the same of it.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

NAME = "nightly-x7k2p"
NO_TIME = "0001-01-01T00:00:00Z"
_STATES = {"Pending": "PENDING", "Running": "RUNNING", "Succeeded": "SUCCEEDED", "Failed": "FAILED", "Error": "FAILED"}
_START = datetime(2026, 1, 1, 2, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Step:
    """A step of ours.

    Attributes:
        messages: Of its pods, first to last; all but the last one were tried again.
        driver: The message with which its driver failed, after which there is no pod; None if it did not.
    """

    name: str
    phase: str
    messages: Sequence[str] = ("",)
    seconds: int = 10
    driver: str | None = None


@dataclass
class Workflow:
    """A workflow in some state.

    Attributes:
        phase: Of the whole.
        state: Of the run, where that is not the phase's.
        cancelled: Whether somebody had KFP end it.
        pod_names: v1 is the default of Argo 3.3, v2 of later ones.
    """

    phase: str
    steps: Sequence[Step] = ()
    state: str | None = None
    cancelled: bool = False
    pod_names: str = "v2"
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._add(NAME, "DAG", self.phase, "entrypoint", ["root-driver", "root"])
        self._add(f"{NAME}.root-driver", "Pod", "Succeeded", "system-dag-driver")
        self._add(f"{NAME}.root", "DAG", self.phase, "root", [f"root.{step.name}" for step in self.steps])
        for step in self.steps:
            path = f"{NAME}.root.{step.name}"
            driver = {"phase": "Succeeded"} if step.driver is None else {"phase": "Failed", "message": step.driver}
            self._add(f"{path}-driver", "Pod", template="system-container-driver", **driver)
            if step.driver is not None:
                self._add(path, "Skipped", "Omitted", "system-container-executor")
                continue
            self._add(path, "DAG", step.phase, "system-container-executor", [f"root.{step.name}.executor"], step)
            impl = "system-container-impl"
            if len(step.messages) == 1:
                self._add(f"{path}.executor", "Pod", step.phase, impl, step=step, message=step.messages[0])
                continue
            tries = [f"root.{step.name}.executor({number})" for number in range(len(step.messages))]
            self._add(f"{path}.executor", "Retry", step.phase, f"retry-{impl}", tries, step)
            for number, message in enumerate(step.messages):
                phase = step.phase if number == len(step.messages) - 1 else "Failed"
                self._add(f"{path}.executor({number})", "Pod", phase, f"retry-{impl}", step=step, message=message)

    def _add(
        self,
        name: str,
        kind: str,
        phase: str,
        template: str,
        children: Sequence[str] = (),
        step: Step | None = None,
        message: str = "",
    ) -> None:
        over = phase not in ("Pending", "Running", "Omitted")
        end = _START + timedelta(seconds=step.seconds if step else 3)
        node = {
            "id": _id(name),
            "name": name,
            "displayName": name.rpartition(".")[2],
            "type": kind,
            "templateName": template,
            "phase": phase,
            "startedAt": None if phase == "Pending" else f"{_START:%Y-%m-%dT%H:%M:%SZ}",
            "finishedAt": f"{end:%Y-%m-%dT%H:%M:%SZ}" if over else None,
        }
        if children:
            node["children"] = [_id(f"{NAME}.{child}") for child in children]
        if message:
            node["message"] = message
        self.nodes[node["id"]] = node

    def manifest(self) -> str:
        """What KFP keeps of it, as JSON."""
        annotations = {"workflows.argoproj.io/pod-name-format": self.pod_names}
        metadata = {"name": NAME, "namespace": "ann", "annotations": annotations}
        spec = {"activeDeadlineSeconds": 0} if self.cancelled else {}
        return json.dumps({"metadata": metadata, "spec": spec, "status": {"phase": self.phase, "nodes": self.nodes}})

    def pod(self, name: str) -> str:
        """The name of a node's pod."""
        node = self.nodes[_id(f"{NAME}.root.{name}")]
        if self.pod_names == "v1":
            return node["id"]
        return f"{NAME}-{node['templateName']}-{node['id'].rpartition('-')[2]}"

    def told(self) -> dict[str, Any]:
        """What the API adds to the run, where the year 1 is the end of what is not over."""
        tasks = [
            {
                "display_name": node["displayName"],
                **({"state": _STATES[node["phase"]]} if node["phase"] in _STATES else {}),
                "create_time": f"{_START:%Y-%m-%dT%H:%M:%SZ}",
                "start_time": node["startedAt"] or NO_TIME,
                "end_time": node["finishedAt"] or NO_TIME,
                "child_tasks": [{"pod_name": child} for child in node.get("children", [])],
            }
            for node in self.nodes.values()
        ]
        return {"state": self.state or _STATES[self.phase], "run_details": {"task_details": tasks}}


def _id(name: str) -> str:
    return NAME if name == NAME else f"{NAME}-{zlib.crc32(name.encode())}"
