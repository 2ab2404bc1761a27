"""An emulation of the open-source backend: what its driver renders, its launcher copies and its containers see.

Read from backend/src/v2/driver and backend/src/v2/component of kubeflow/pipelines, 2.0.5 to 2.17.0. Containers are
subprocesses of this machine; the image is the environment that the tests run in.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from fullbake.kubeflow.compiler import ENTRYPOINT
from tests.warm import WarmProcess

LONGEST_PROPERTY = 255  # `name` of ArtifactProperty in ml_metadata/util/metadata_source_query_config.cc
MOUNTS = {"minio": "/minio", "s3": "/s3", "gs": "/gcs"}


def start_process(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Runs a container's command in a process of its own."""
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def start_warm(warm: WarmProcess) -> Callable[[list[str], dict[str, str]], tuple[int, str]]:
    """Gives what runs a container's command in a fork of a process that has imported everything."""

    def start(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
        assert command[: len(ENTRYPOINT)] == list(ENTRYPOINT)
        done = warm.run("entrypoint", command[len(ENTRYPOINT) :], Path("/"), environment)
        return done.returncode, done.stdout + done.stderr

    return start


@dataclass
class Step:
    """A container that ran."""

    name: str
    code: int
    log: str
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)


class Backend:
    """Runs packages in DAG order.

    Args:
        scheme: Of the object store that the pipeline root is in.
        folder: Where the object store keeps its objects.
        start: Runs a command in an environment, and gives its exit code and what it printed.

    Attributes:
        secrets: Of Kubernetes: by name and key, the value.
    """

    def __init__(self, scheme: str, folder: Path, start: Callable[[list[str], dict[str, str]], tuple[int, str]]):
        self.secrets: dict[str, dict[str, str]] = {}
        self._scheme = scheme
        self._start = start
        self._bucket = f"fullbake-test-{uuid.uuid4().hex[:12]}"
        self._store = folder / "object-store"
        self.mount = Path(MOUNTS[scheme], self._bucket)

    @staticmethod
    def can_run() -> bool:
        """Whether folders can be made where the launcher makes them, at the root of the file system."""
        return os.access("/", os.W_OK)

    def run(
        self,
        documents: list[dict[str, Any]],
        parameters: dict[str, Any] | None = None,
        done: dict[str, Step] | None = None,
    ) -> dict[str, Step]:
        """Runs every task that no failed one is upstream of.

        Args:
            documents: The package.
            parameters: This run's values; the others have their defaults.
            done: What an earlier run did, which is not done again.

        Returns:
            By task, what became of it; tasks that were not run are not there.
        """
        spec = documents[0]
        root = spec["root"]
        given = {name: value["defaultValue"] for name, value in root["inputDefinitions"]["parameters"].items()}
        given |= parameters or {}
        tasks = dict(root["dag"]["tasks"])
        home = f"{self._scheme}://{self._bucket}/v2/artifacts/{spec['pipelineInfo']['name']}/{uuid.uuid4()}"
        steps = dict(done or {})
        while ready := [
            name
            for name, task in tasks.items()
            if name not in steps
            and all(other in steps and steps[other].code == 0 for other in task.get("dependentTasks", []))
        ]:
            for name in ready:
                steps[name] = self._run_task(documents, name, tasks[name], given, steps, home)
        return steps

    def read(self, artifact: dict[str, Any], name: str = "") -> str:
        """Reads a file of an artifact, or the file that it is."""
        return (self._kept(artifact["uri"]) / name).read_text(encoding="utf-8")

    def _run_task(
        self,
        documents: list[dict[str, Any]],
        name: str,
        task: dict[str, Any],
        given: dict[str, Any],
        steps: dict[str, Step],
        home: str,
    ) -> Step:
        component = documents[0]["components"][task["componentRef"]["name"]]
        label = component["executorLabel"]
        container = documents[0]["deploymentSpec"]["executors"][label]["container"]
        executor_input = self._render(component, name, task, given, steps, home)
        self._download(executor_input)
        rendered = json.dumps(executor_input)
        command = [part.replace("{{$}}", rendered) for part in [*container["command"], *container["args"]]]
        platform = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"][label]
        step = Step(name, *self._start(command, self._environment(container, platform)))
        if step.code == 0:
            step.outputs = self._upload(executor_input)
        shutil.rmtree(self.mount, ignore_errors=True)
        return step

    def _render(
        self,
        component: dict[str, Any],
        name: str,
        task: dict[str, Any],
        given: dict[str, Any],
        steps: dict[str, Step],
        home: str,
    ) -> dict[str, Any]:
        """The ExecutorInput of the open-source driver."""
        values = {
            key: source["runtimeValue"]["constant"]
            if "runtimeValue" in source
            else given[source["componentInputParameter"]]
            for key, source in task["inputs"]["parameters"].items()
        }
        inputs: dict[str, Any] = {"parameterValues": values}
        artifacts = {}
        for key, source in task["inputs"].get("artifacts", {}).items():
            produced = source["taskOutputArtifact"]
            made = steps[produced["producerTask"]].outputs[produced["outputArtifactKey"]]
            artifacts[key] = {"artifacts": [{**made, "type": {"instanceSchema": ""}}]}
        if artifacts:
            inputs["artifacts"] = artifacts
        task_root = f"{home}/{name}/{uuid.uuid4()}"
        outputs = {
            key: {
                "artifacts": [
                    {"name": key, "uri": f"{task_root}/{key}", "type": wanted["artifactType"], "metadata": {}}
                ]
            }
            for key, wanted in component.get("outputDefinitions", {}).get("artifacts", {}).items()
        }
        logs = {
            "name": "executor-logs",
            "uri": f"{task_root}/executor-logs",
            "type": {"schemaTitle": "system.Artifact"},
        }
        outputs["executor-logs"] = {"artifacts": [logs]}
        output_file = f"{self._local(task_root)}/output_metadata.json"
        rendered = {"inputs": inputs, "outputs": {"artifacts": outputs, "outputFile": output_file}}
        json_format.ParseDict(rendered, pipeline_spec_pb2.ExecutorInput())
        return rendered

    def _environment(self, container: dict[str, Any], platform: dict[str, Any]) -> dict[str, str]:
        """The image's PATH, and what the package sets, from secrets too."""
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
        from_secrets = {
            given["envVar"]: self.secrets[source["secretName"]][given["secretKey"]]
            for source in platform.get("secretAsEnv", [])
            for given in source["keyToEnv"]
        }
        plain = {variable["name"]: variable["value"] for variable in container.get("env", [])}
        return {"PATH": path, **plain, **from_secrets}

    def _local(self, uri: str) -> str:
        return MOUNTS[self._scheme] + "/" + uri.removeprefix(f"{self._scheme}://")

    def _kept(self, uri: str) -> Path:
        return self._store / uri.removeprefix(f"{self._scheme}://")

    def _download(self, executor_input: dict[str, Any]) -> None:
        for wanted in executor_input["inputs"].get("artifacts", {}).values():
            (artifact,) = wanted["artifacts"]
            local, kept = Path(self._local(artifact["uri"])), self._kept(artifact["uri"])
            local.parent.mkdir(parents=True, exist_ok=True)
            if kept.is_dir():
                shutil.copytree(kept, local)
            elif kept.exists():
                shutil.copy(kept, local)
        for wanted in executor_input["outputs"]["artifacts"].values():
            Path(self._local(wanted["artifacts"][0]["uri"])).parent.mkdir(parents=True, exist_ok=True)

    def _upload(self, executor_input: dict[str, Any]) -> dict[str, dict[str, Any]]:
        written = json.loads(Path(executor_input["outputs"]["outputFile"]).read_text(encoding="utf-8"))
        json_format.ParseDict(written, pipeline_spec_pb2.ExecutorOutput())  # the launcher stops at an unknown field
        kept = {}
        for key, wanted in executor_input["outputs"]["artifacts"].items():
            (artifact,) = wanted["artifacts"]
            if key in written.get("artifacts", {}):
                (made,) = written["artifacts"][key]["artifacts"]
                metadata = {**artifact["metadata"], **made.get("metadata", {})}
                artifact = {**artifact, "uri": made["uri"], "metadata": metadata}
            local = Path(self._local(artifact["uri"]))
            if local.is_dir():
                shutil.copytree(local, self._kept(artifact["uri"]), dirs_exist_ok=True)
            elif local.exists():
                self._kept(artifact["uri"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(local, self._kept(artifact["uri"]))
            artifact["metadata"] = _of_metadata(artifact.get("metadata", {}))
            kept[key] = artifact
        return kept


def _of_metadata(given: dict[str, Any]) -> dict[str, Any]:
    """What ML Metadata keeps and gives back: StructValueToMLMDValue in the launcher's converter.go, and MySQL."""
    # Part of a primary key, compared without case and accents.
    assert all(name.isascii() and len(name) <= LONGEST_PROPERTY for name in given)
    assert len({name.lower() for name in given}) == len(given)
    return {name: _value_of_metadata(name, value) for name, value in given.items()}


def _value_of_metadata(name: str, value: Any) -> str | float | dict[str, Any]:
    if isinstance(value, int | float):  # bool too
        return float(value)
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return {"list" if isinstance(value, list) else "struct": value}
    raise ValueError(f"metadata {name!r}: unknown value type {value!r}")
