"""Runs packages with KFP's own API server code, driver and launcher; only what Argo and Kubernetes do is done here.

The binaries are built from kubeflow/pipelines, one folder a release, and are not part of this project:

- `compile [--parameters JSON] [--pipeline-root URI] [--run-id ID] PACKAGE`: hands the package to `template.New` and
  `RunWorkflow` of backend/src/apiserver/template, as the API server does, and prints the Argo workflow as JSON;
- `driver`: backend/src/v2/cmd/driver;
- `launcher`: backend/src/v2/cmd/launcher-v2.
"""

import base64
import copy
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kubeflow.kubernetes_services import BUCKET, NAMESPACE, POD, Services

BINARIES_VARIABLE = "FULLBAKE_KFP_BINARIES"
NODE_ANNOTATION = "workflows.argoproj.io/node-name"
LAUNCHER_FOLDERS = ("/minio", "/s3", "/gcs", "/tmp/kfp_outputs")  # noqa: S108 (mounted for each process apart)
_PLACE = re.compile(r"\{\{([^{}]+)\}\}")


@dataclass
class Step:
    """A container of ours that the launcher ran.

    Attributes:
        code: The launcher's exit code.
        log: What both printed.
    """

    name: str
    code: int
    log: str


@dataclass
class Run:
    """What became of a workflow.

    Attributes:
        steps: By task of the package, its last try.
        tries: By task, how many there were.
        pods: By task, what the driver changes of its pod.
        drivers: By driver, its log.
    """

    steps: dict[str, Step] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    drivers: dict[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> dict[str, int]:
        return {name: step.code for name, step in self.steps.items()}


def compile_workflow(release: Path, package: Path, scheme: str = "minio", **parameters: Any) -> dict[str, Any]:
    """The Argo workflow that the API server of a release makes of a package.

    Raises:
        ValueError: It refuses the package; the text is its own.
    """
    root = f"{scheme}://{BUCKET}/v2/artifacts"
    given = ["--parameters", json.dumps(parameters), "--pipeline-root", root, "--run-id", str(uuid.uuid4())]
    done = subprocess.run(
        [release / "compile", *given, package],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    workflow: dict[str, Any] = json.loads(done.stdout)
    return workflow


class Argo:
    """Runs a workflow's templates: fills placeholders in, goes by `depends`, and starts what pods would.

    Args:
        release: The folder of a release's binaries.
        services: What driver and launcher speak to.
        kill_when: By task, a condition on which its container is killed, once, as a node that goes away does.
    """

    def __init__(self, release: Path, services: Services, kill_when: Mapping[str, Callable[[], bool]] | None = None):
        self._release = release
        self._services = services
        self._kill_when = dict(kill_when or {})

    def run(self, workflow: dict[str, Any]) -> Run:
        """Runs it to its end, or as far as its failures let it.

        Args:
            workflow: Of `compile_workflow`.
        """
        run, known = Run(), _globals(workflow)
        templates = {template["name"]: template for template in workflow["spec"]["templates"]}
        self._dag(run, templates, known, templates[workflow["spec"]["entrypoint"]])
        return run

    def _dag(self, run: Run, templates: dict[str, Any], known: dict[str, str], template: dict[str, Any]) -> bool:
        tasks = {task["name"]: task for task in template["dag"]["tasks"]}
        ended: dict[str, bool] = {}
        while ready := [name for name, task in tasks.items() if name not in ended and _may_start(task, ended)]:
            for name in ready:
                chosen, values = _inputs(tasks[name], templates, known)
                inside = {**known, **values}
                if "when" in tasks[name] and not _holds(_fill(tasks[name]["when"], known)):
                    ended[name] = True
                elif "dag" in chosen:
                    ended[name] = self._dag(run, templates, {**inside, "task": name}, chosen)
                elif "podSpecPatch" in chosen:
                    ended[name] = self._executor(run, known["task"], chosen, inside)
                else:
                    outputs = self._driver(run, name, chosen, inside)
                    ended[name] = outputs is not None
                    for key, value in (outputs or {}).items():
                        known[f"tasks.{name}.outputs.parameters.{key}"] = value
        return len(ended) == len(tasks) and all(ended.values())

    def _executor(self, run: Run, task: str, template: dict[str, Any], known: dict[str, str]) -> bool:
        run.pods[task] = json.loads(_fill(template["podSpecPatch"], known))
        (container,) = [container for container in run.pods[task]["containers"] if container["name"] == "main"]
        retries = int(_fill(str(template["retryStrategy"]["limit"]), known)) if "retryStrategy" in template else 0
        for index in range(1 + retries):
            environment = self._environment(container) | {
                variable["name"]: _fill(variable["value"], {"retries": str(index)})
                for variable in template["container"].get("env", [])
                if variable["name"].startswith("KFP_RETRY")
            }
            node = f"a-run.root.{task}.executor" + (f"({index})" if "retryStrategy" in template else "")
            metadata = {"name": POD, "namespace": NAMESPACE, "annotations": {NODE_ANNOTATION: node}}
            self._services.objects[f"pods/{POD}"] = {"metadata": metadata}
            run.steps[task] = self._launch(task, container, environment)
            run.tries[task] = run.tries.get(task, 0) + 1
            if run.steps[task].code == 0:
                return True
        return False

    def _environment(self, container: dict[str, Any]) -> dict[str, str]:
        """What Kubernetes puts into a container's environment; values of secrets too."""
        environment = {
            "KFP_POD_NAME": POD,
            "KFP_POD_UID": "uid",
            "METADATA_GRPC_SERVICE_HOST": "127.0.0.1",
            "METADATA_GRPC_SERVICE_PORT": str(self._services.metadata_port),
        }
        for variable in container.get("env", []):
            if "value" in variable:
                environment[variable["name"]] = variable["value"]
            else:
                source = variable["valueFrom"]["secretKeyRef"]
                value = self._services.objects[f"secrets/{source['name']}"]["data"][source["key"]]
                environment[variable["name"]] = base64.b64decode(value).decode()
        return environment

    def _launch(self, task: str, container: dict[str, Any], environment: dict[str, str]) -> Step:
        command = [*container["command"], *container.get("args", [])]
        # Releases before 2.1 put Argo's own supervisor before it.
        arguments = command[command.index("/kfp-launcher/launch") + 1 :]
        arguments = [re.sub(r"\$\((\w+)\)", lambda m: environment.get(m[1], m[0]), text) for text in arguments]
        for flag, value in self._metadata_server():
            arguments[arguments.index(flag) + 1] = value
        kill_when = self._kill_when.pop(task, None)
        return Step(task, *self._start([str(self._release / "launcher"), *arguments], environment, kill_when))

    def _driver(self, run: Run, name: str, template: dict[str, Any], known: dict[str, str]) -> dict[str, str] | None:
        with tempfile.TemporaryDirectory() as folder:
            outputs = template["outputs"]["parameters"]
            files = {output["name"]: Path(folder, output["name"]) for output in outputs}
            paths = {f"outputs.parameters.{key}.path": str(path) for key, path in files.items()}
            arguments = [_fill(argument, {**known, **paths}) for argument in template["container"]["args"]]
            arguments += [part for flag in self._metadata_server() for part in flag]  # the last one counts
            code, run.drivers[name] = self._start([str(self._release / "driver"), *arguments], {"KFP_POD_NAME": POD})
            if code:
                return None
            return {
                output["name"]: files[output["name"]].read_text()
                if files[output["name"]].exists()
                else output["valueFrom"].get("default", "")
                for output in outputs
            }

    def _metadata_server(self) -> list[tuple[str, str]]:
        return [("--mlmd_server_address", "127.0.0.1"), ("--mlmd_server_port", str(self._services.metadata_port))]

    def _start(
        self, command: list[str], environment: dict[str, str], kill_when: Callable[[], bool] | None = None
    ) -> tuple[int, str]:
        """Starts a process that finds a service account and empty scratch folders, as in a pod of its own."""
        scratch = " && ".join(f"mkdir -p {folder} && mount -t tmpfs tmpfs {folder}" for folder in LAUNCHER_FOLDERS)
        account = "/var/run/secrets/kubernetes.io/serviceaccount"
        script = (
            f"{scratch} && mkdir -p /var/run/secrets && mount -t tmpfs tmpfs /var/run/secrets && mkdir -p {account} && "
            f'cp {self._services.account}/* {account} && exec "$@"'
        )
        known = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self._services.api_port),
            "MINIO_SERVICE_SERVICE_HOST": "127.0.0.1",
            "MINIO_SERVICE_SERVICE_PORT": str(self._services.store_port),
        }
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", script, "sh", *command],
                cwd="/",
                env={**known, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            while process.poll() is None:
                if kill_when is not None and kill_when():
                    os.killpg(process.pid, signal.SIGKILL)
                time.sleep(0.02)
            log.seek(0)
            return process.returncode, log.read()


def driver_bytes(workflow: dict[str, Any]) -> dict[str, int]:
    """By driver, the bytes of `ARGO_TEMPLATE`, in which Argo before 3.6 tells its pod of the template."""
    templates = {template["name"]: template for template in workflow["spec"]["templates"]}
    sizes = {}

    def visit(template: dict[str, Any], known: dict[str, str]) -> None:
        for task in template["dag"]["tasks"]:
            chosen, values = _inputs(task, templates, known)
            if "dag" in chosen:
                visit(chosen, {**known, **values})
            elif "args" in chosen["container"]:
                pod = copy.deepcopy(chosen)
                for parameter in pod["inputs"]["parameters"]:
                    parameter["value"] = values[f"inputs.parameters.{parameter['name']}"]
                pod["container"]["args"] = [_fill(text, {**known, **values}) for text in pod["container"]["args"]]
                sizes[task["name"]] = len(json.dumps(pod, ensure_ascii=False, separators=(",", ":")).encode())

    visit(templates[workflow["spec"]["entrypoint"]], _globals(workflow))
    return sizes


def _globals(workflow: dict[str, Any]) -> dict[str, str]:
    """What `{{workflow...}}` stands for."""
    parameters = workflow["spec"].get("arguments", {}).get("parameters", [])
    annotations = workflow["metadata"].get("annotations", {})
    return {
        "workflow.name": "a-run",
        "workflow.creationTimestamp": "2026-01-01T00:00:00Z",
        **{f"workflow.parameters.{parameter['name']}": parameter["value"] for parameter in parameters},
        **{f"workflow.annotations.{key}": value for key, value in annotations.items()},
    }


def _inputs(
    task: dict[str, Any], templates: dict[str, Any], known: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """A task's template, and what `{{inputs...}}` stands for in it."""
    template = templates[task["template"]]
    values = {given["name"]: given.get("default", "") for given in template.get("inputs", {}).get("parameters", [])}
    for given in task.get("arguments", {}).get("parameters", []):
        values[given["name"]] = _fill(given.get("value", given.get("default", "")), known)
    return template, {f"inputs.parameters.{name}": value for name, value in values.items()}


def _may_start(task: dict[str, Any], ended: dict[str, bool]) -> bool:
    others = [part.strip().removesuffix(".Succeeded") for part in task.get("depends", "").split("&&") if part.strip()]
    return all(ended.get(other) for other in others)


def _holds(condition: str) -> bool:
    left, right = condition.split("!=")
    return left.strip() != right.strip()


def _fill(text: str, known: dict[str, str]) -> str:
    return _PLACE.sub(lambda match: known.get(match[1].strip(), match[0]), text)
