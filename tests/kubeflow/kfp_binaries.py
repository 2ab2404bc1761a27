"""Runs packages with KFP's own API server code, driver and launcher; only what Argo and Kubernetes do is done here.

The binaries are built from kubeflow/pipelines, one folder a release, and are not part of this project:

- ``compile [--parameters JSON] [--pipeline-root URI] [--run-id ID] PACKAGE``: hands the package to ``template.New`` and
  ``RunWorkflow`` of backend/src/apiserver/template, as the API server does, and prints the Argo workflow as JSON;
- ``driver``: backend/src/v2/cmd/driver;
- ``launcher``: backend/src/v2/cmd/launcher-v2.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.kubeflow.kubernetes_services import BUCKET, Services

BINARIES_VARIABLE = "FULLBAKE_KFP_BINARIES"
LAUNCHER_FOLDERS = ("/minio", "/s3", "/gcs")
_PLACE = re.compile(r"\{\{([^{}]+)\}\}")


@dataclass
class Step:
    """A container of ours that the launcher ran.

    Attributes:
      code: the launcher's exit code.
      log: what both printed.
      longest_argument: bytes of the longest of all arguments that were handed on, of driver, launcher and container.
    """

    name: str
    code: int
    log: str


@dataclass
class Run:
    """What became of a workflow, by task of the package."""

    steps: dict[str, Step] = field(default_factory=dict)
    drivers: dict[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> dict[str, int]:
        return {name: step.code for name, step in self.steps.items()}


def compile_workflow(release: Path, package: Path, scheme: str = "minio", **parameters: Any) -> dict[str, Any]:
    """The Argo workflow that the API server of a release makes of a package.

    Raises:
      ValueError: it refuses the package; the text is its own.
    """
    done = subprocess.run(
        [release / "compile", "--parameters", json.dumps(parameters), "--run-id", str(uuid.uuid4())]
        + ["--pipeline-root", f"{scheme}://{BUCKET}/v2/artifacts", package],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    workflow: dict[str, Any] = json.loads(done.stdout)
    return workflow


class Argo:
    """Runs a workflow's templates: fills placeholders in, goes by ``depends``, and starts what pods would.

    Args:
      release: the folder of a release's binaries.
      services: what driver and launcher speak to.
    """

    def __init__(self, release: Path, services: Services):
        self._release = release
        self._services = services

    def run(self, workflow: dict[str, Any], done: dict[str, Step] | None = None) -> Run:
        """Runs it to its end, or as far as its failures let it.

        Args:
          workflow: of ``compile_workflow``.
        """
        run = Run()
        templates = {template["name"]: template for template in workflow["spec"]["templates"]}
        known = {
            f"workflow.parameters.{parameter['name']}": parameter["value"]
            for parameter in workflow["spec"].get("arguments", {}).get("parameters", [])
        }
        known |= {
            f"workflow.annotations.{key}": value for key, value in workflow["metadata"].get("annotations", {}).items()
        }
        known |= {"workflow.name": "a-run", "workflow.creationTimestamp": "2026-01-01T00:00:00Z", "workflow.uid": "uid"}
        self._dag(run, templates, known, templates[workflow["spec"]["entrypoint"]], {})
        return run

    def _dag(
        self,
        run: Run,
        templates: dict[str, Any],
        known: dict[str, str],
        template: dict[str, Any],
        inputs: dict[str, str],
    ) -> bool:
        known = known | {f"inputs.parameters.{name}": value for name, value in inputs.items()}
        tasks = {task["name"]: task for task in template["dag"]["tasks"]}
        ended: dict[str, bool] = {}
        while ready := [name for name, task in tasks.items() if name not in ended and _may_start(task, ended)]:
            for name in ready:
                task = tasks[name]
                if "when" in task and not _holds(_fill(task["when"], known)):
                    ended[name] = True
                    continue
                chosen = templates[task["template"]]
                values = {p["name"]: p.get("default") for p in chosen.get("inputs", {}).get("parameters", [])}
                given = task.get("arguments", {}).get("parameters", [])
                values |= {p["name"]: _fill(p["value"], known) for p in given if "value" in p}
                if "dag" in chosen:
                    ended[name] = self._dag(run, templates, known | {"step": name}, chosen, values)
                    continue
                ended[name], outputs = self._pod(run, chosen, known | {"step": known["step"]} if "step" in known else known, name, values)
                known |= {f"tasks.{name}.outputs.parameters.{key}": value for key, value in outputs.items()}
        return len(ended) == len(tasks) and all(ended.values())

    def _pod(
        self, run: Run, template: dict[str, Any], known: dict[str, str], name: str, values: dict[str, str]
    ) -> tuple[bool, dict[str, str]]:
        known = known | {f"inputs.parameters.{key}": value for key, value in values.items()}
        if "podSpecPatch" in template:
            patch = json.loads(_fill(template["podSpecPatch"], known))
            (container,) = [c for c in patch["containers"] if c["name"] == "main"]
            step = self._launch(known["step"], container)
            run.steps[known["step"]] = step
            return step.code == 0, {}
        with tempfile.TemporaryDirectory() as folder:
            files = {p["name"]: Path(folder, p["name"]) for p in template["outputs"]["parameters"]}
            paths = {f"outputs.parameters.{key}.path": str(path) for key, path in files.items()}
            arguments = [_fill(argument, known | paths) for argument in template["container"]["args"]]
            arguments += ["--mlmd_server_address", "127.0.0.1"]
            arguments += ["--mlmd_server_port", str(self._services.metadata_port)]
            code, log = self._start([str(self._release / "driver"), *arguments], {})
            run.drivers[name] = log
            if code:
                return False, {}
            return True, {
                p["name"]: files[p["name"]].read_text() if files[p["name"]].exists() else p["valueFrom"].get("default", "")
                for p in template["outputs"]["parameters"]
            }

    def _launch(self, name: str, container: dict[str, Any]) -> Step:
        environment = {
            "KFP_POD_NAME": "a-pod",
            "KFP_POD_UID": "uid",
            "METADATA_GRPC_SERVICE_HOST": "127.0.0.1",
            "METADATA_GRPC_SERVICE_PORT": str(self._services.metadata_port),
        }
        environment |= {variable["name"]: variable["value"] for variable in container.get("env", [])}
        command = [*container["command"], *container.get("args", [])]
        start = command.index("/kfp-launcher/launch")  # releases before 2.1 put Argo's own supervisor before it
        arguments = [re.sub(r"\$\((\w+)\)", lambda m: environment.get(m[1], m[0]), a) for a in command[start + 1 :]]
        for flag, value in (("--mlmd_server_address", "127.0.0.1"), ("--mlmd_server_port", str(self._services.metadata_port))):
            arguments[arguments.index(flag) + 1] = value
        return Step(name, *self._start([str(self._release / "launcher"), *arguments], environment))

    def _start(self, command: list[str], environment: dict[str, str]) -> tuple[int, str]:
        """Starts a process that finds a service account and empty scratch folders, as in a pod of its own."""
        mounts = "".join(f"mkdir -p {folder} && mount -t tmpfs tmpfs {folder} && " for folder in LAUNCHER_FOLDERS)
        account = "/var/run/secrets/kubernetes.io/serviceaccount"
        script = (
            f"{mounts} mkdir -p /var/run/secrets && mount -t tmpfs tmpfs /var/run/secrets && mkdir -p {account} && "
            f"cp {self._services.account}/* {account} && rm -rf /tmp/kfp_outputs && exec \"$@\""
        )
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
        known = {
            "PATH": path,
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self._services.api_port),
            "MINIO_SERVICE_SERVICE_HOST": "127.0.0.1",
            "MINIO_SERVICE_SERVICE_PORT": str(self._services.store_port),
        }
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *command],
            cwd="/",
            env=known | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def _may_start(task: dict[str, Any], ended: dict[str, bool]) -> bool:
    return all(ended.get(part.strip().removesuffix(".Succeeded")) for part in task["depends"].split("&&")) if task.get("depends") else True


def _holds(condition: str) -> bool:
    left, right = condition.split("!=")
    return left.strip() != right.strip()


def _fill(text: str, known: dict[str, str]) -> str:
    return _PLACE.sub(lambda match: known.get(match[1].strip(), match[0]), text)
