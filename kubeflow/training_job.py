"""Trains on several nodes: the step starts a TFJob of Kubeflow's Training Operator, and waits for what it makes.

A step is one pod. Where the config asks for workers, the step puts its inputs on the volume and creates a TFJob
whose pods run `kubeflow.training_worker`; the operator names them to each other in `TF_CONFIG`. What the first one
made is then taken from the volume as the step's own output. No pod of the job is started again by the operator: one
that is lost ends the job, the job the step, and `kubeflow.retries` tries that again, which goes on after the last
whole epoch. So workers may run where nodes go away at any time, the step itself on one that stays: Argo does not try a
step again whose own pod was deleted.

TFJob, because it sets `TF_CONFIG`, from which TensorFlow knows its workers; Kubeflow Trainer 2 has no runtime for
TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base.base_node import BaseNode

from fullbake.contract.errors import InputError
from fullbake.kubeflow.cluster_places import training_folder
from fullbake.kubeflow.executor_artifacts import read_artifacts, write_artifacts
from fullbake.kubeflow.executor_platform import NAMESPACE_FILE, SHARED_MEMORY, pod_placement
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.output_file import write_output

TASK_FILE = "task.json"
OUTPUT_FILE = "output.json"
STOPPED_FILE = "stopped.txt"

_GROUP, _VERSION, _PLURAL = "kubeflow.org", "v1", "tfjobs"
# The operator looks for a container and a port of these names (pkg/apis/kubeflow.org/v1 of kubeflow/training-operator).
_CONTAINER, _PORT_NAME, _PORT = "tensorflow", "tfjob-port", 2222
_LOOK_EACH_SECONDS = 5.0
# By the status with which Kubernetes refuses a job.
_REMEDIES = {
    403: "give the service account the role of kubeflow/manifests/service-account.yaml",
    404: "have Kubeflow's Training Operator installed",
}

log = logging.getLogger("fullbake")


def trains_in_job(config: Config, component: str) -> bool:
    """Returns whether the pods of a job do a component's work, and not the step's own pod."""
    own = config.kubeflow.resources.get(component)
    return own is not None and own.workers is not None


def train_in_job(
    component: BaseNode,
    config: Config,
    parameters: Mapping[str, Any],
    inputs: dict[str, list[types.Artifact]],
    outputs: dict[str, list[types.Artifact]],
) -> None:
    """Lets the workers of a job do what the component does.

    Args:
        component: The step's; it trains.
        config: With this run's parameters in it.
        parameters: Of the executor input, the packed config among them.
        inputs: In local folders.
        outputs: Their folders are filled, and their properties set.

    Raises:
        InputError: A worker found that the config or the data is wrong, or the cluster lets no job be made.
        RuntimeError: The job failed, which may pass.
    """
    # The same for each try of a step: the next one must not train beside what is left of the one before.
    step = hashlib.sha256(",".join(artifact.uri for (artifact,) in outputs.values()).encode()).hexdigest()[:16]
    name = f"fullbake-{component.id.lower()}-{step}"
    folder = training_folder(config, name)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _hand_over(folder, component.id, parameters, inputs, outputs)
        with _job(name, _manifest(name, component.id, config, folder)) as look:
            _wait(name, folder, look)
        _take_over(folder, component, outputs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _hand_over(
    folder: Path,
    component: str,
    parameters: Mapping[str, Any],
    inputs: dict[str, list[types.Artifact]],
    outputs: dict[str, list[types.Artifact]],
) -> None:
    given = write_artifacts(inputs)
    for key, (artifact,) in inputs.items():
        shutil.copytree(artifact.uri, folder / "inputs" / key)
        given[key]["artifacts"][0]["uri"] = str(folder / "inputs" / key)
    wanted = {key: {"artifacts": [{"uri": str(folder / "outputs" / key)}]} for key in outputs}
    executor_input = {
        "inputs": {"parameterValues": dict(parameters), "artifacts": given},
        "outputs": {"artifacts": wanted, "outputFile": str(folder / OUTPUT_FILE)},
    }
    task = {"component": component, "executor_input": executor_input}
    write_output(folder / TASK_FILE, json.dumps(task), "the volume")


def _take_over(folder: Path, component: BaseNode, outputs: dict[str, list[types.Artifact]]) -> None:
    written = json.loads((folder / OUTPUT_FILE).read_text(encoding="utf-8"))["artifacts"]
    made = read_artifacts(written, component.outputs, str)
    for key, (artifact,) in outputs.items():
        uri = artifact.uri
        shutil.copytree(folder / "outputs" / key, uri, dirs_exist_ok=True)
        artifact.mlmd_artifact.CopyFrom(made[key][0].mlmd_artifact)
        artifact.uri = uri


def _wait(name: str, folder: Path, look: Any) -> None:
    told = ""
    while True:
        conditions = look().get("status", {}).get("conditions") or []
        holding = {condition["type"]: condition for condition in conditions if condition.get("status") == "True"}
        newest = next(
            (kind for kind in ("Succeeded", "Failed", "Restarting", "Running", "Created") if kind in holding), ""
        )
        if newest != told:
            told = newest
            log.info("TFJob %s: %s", name, holding[newest].get("message") or newest)
        if newest == "Succeeded":
            return
        if newest == "Failed":
            stopped = folder / STOPPED_FILE
            if stopped.is_file():
                raise InputError(stopped.read_text(encoding="utf-8"))
            raise RuntimeError(f"TFJob {name} failed: {holding[newest].get('message')}; the logs of its pods say why")
        time.sleep(_LOOK_EACH_SECONDS)


@contextmanager
def _job(name: str, manifest: dict[str, Any]) -> Iterator[Any]:
    """Creates the job, yields a function that asks for it, and deletes it at the end, whatever happens."""
    from kubernetes import client
    from kubernetes import config as kubernetes_config

    if file := os.environ.get("KUBECONFIG"):
        kubernetes_config.load_kube_config(file)
    else:
        kubernetes_config.load_incluster_config()
    where = (_GROUP, _VERSION, manifest["metadata"]["namespace"], _PLURAL)
    api = client.CustomObjectsApi()

    def delete() -> None:
        try:
            api.delete_namespaced_custom_object(*where, name, propagation_policy="Foreground")
            while True:
                api.get_namespaced_custom_object(*where, name)
                time.sleep(1)
        except client.ApiException as error:
            if error.status != 404:
                raise

    # Argo sends it to the steps of a run that is stopped.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        try:
            delete()
            api.create_namespaced_custom_object(*where, manifest)
        except client.ApiException as error:
            if error.status in _REMEDIES:
                raise InputError(
                    f"kubeflow.resources: the cluster does not take a TFJob ({error.status} {error.reason}); "
                    f"{_REMEDIES[error.status]}, or leave workers out"
                ) from error
            raise
        try:
            yield lambda: api.get_namespaced_custom_object(*where, name)
        finally:
            delete()
    finally:
        signal.signal(signal.SIGTERM, before)


def _manifest(name: str, component: str, config: Config, folder: Path) -> dict[str, Any]:
    """Returns the TFJob, with pods as the step's own would be without workers."""
    kubeflow = config.kubeflow
    own = kubeflow.resources[component]
    container: dict[str, Any] = {
        "name": _CONTAINER,
        "image": kubeflow.image,
        "command": ["python", "-m", "fullbake.kubeflow.training_worker", str(folder)],
        "ports": [{"name": _PORT_NAME, "containerPort": _PORT}],
        "env": [
            # The package does not carry values; they are this container's.
            *({"name": variable, "value": os.environ.get(variable, "")} for variable in kubeflow.env),
            *(
                {"name": variable, "valueFrom": {"secretKeyRef": {"name": source.secret, "key": source.key}}}
                for variable, source in kubeflow.secret_env.items()
            ),
        ],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    if kubeflow.image_pull_policy:
        container["imagePullPolicy"] = kubeflow.image_pull_policy
    amounts: dict[str, str] = {}
    if own.cpu:
        amounts["cpu"] = f"{own.cpu:g}"
    if own.memory_gb:
        amounts["memory"] = f"{own.memory_gb:g}G"
    if own.accelerator:
        amounts[own.accelerator.type] = str(own.accelerator.count)
    if amounts:
        container["resources"] = {"requests": amounts, "limits": amounts}
    mounts: list[tuple[str, str, dict[str, Any]]] = [
        (f"secret-{number}", mount.mount_path, {"secret": {"secretName": mount.secret}})
        for number, mount in enumerate(kubeflow.secret_mounts)
    ]
    if kubeflow.volume:
        claim = {"persistentVolumeClaim": {"claimName": kubeflow.volume.claim}}
        mounts.append(("volume", kubeflow.volume.mount_path, claim))
    if own.shared_memory_gb:
        memory = {"emptyDir": {"medium": "Memory", "sizeLimit": f"{own.shared_memory_gb:g}G"}}
        mounts.append(("shared-memory", SHARED_MEMORY, memory))
    container["volumeMounts"] = [{"name": mount, "mountPath": path} for mount, path, _ in mounts]
    context = kubeflow.security_context
    user = {"runAsUser": context.run_as_user, "runAsGroup": context.run_as_group}
    pod: dict[str, Any] = {
        "containers": [container],
        "volumes": [{"name": mount, **source} for mount, _, source in mounts],
        "securityContext": {
            **{name: number for name, number in user.items() if number is not None},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **pod_placement(kubeflow, own),
    }
    if kubeflow.image_pull_secret:
        pod["imagePullSecrets"] = [{"name": kubeflow.image_pull_secret}]
    if kubeflow.service_account:
        pod["serviceAccountName"] = kubeflow.service_account
    # A proxy beside a worker would keep the pod from ending, and the workers from each other.
    annotations = {"sidecar.istio.io/inject": "false", **kubeflow.pod_annotations}
    policy: dict[str, Any] = {"cleanPodPolicy": "Running"}
    if kubeflow.timeout_minutes:
        policy["activeDeadlineSeconds"] = kubeflow.timeout_minutes * 60
    worker = {
        "replicas": own.workers,
        "restartPolicy": "Never",
        "template": {"metadata": {"labels": dict(kubeflow.pod_labels), "annotations": annotations}, "spec": pod},
    }
    return {
        "apiVersion": f"{_GROUP}/{_VERSION}",
        "kind": "TFJob",
        "metadata": {"name": name, "namespace": _namespace(kubeflow.namespace), "ownerReferences": _owners()},
        "spec": {"runPolicy": policy, "tfReplicaSpecs": {"Worker": worker}},
    }


def _owners() -> list[dict[str, str]]:
    """Returns this pod as the owner of the job, from variables of Kubeflow: the job is deleted with it."""
    name, uid = os.environ.get("KFP_POD_NAME"), os.environ.get("KFP_POD_UID")
    return [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}] if name and uid else []


def _namespace(configured: str) -> str:
    """Returns the namespace of this pod; `submit --namespace` may have named another than the config."""
    return NAMESPACE_FILE.read_text(encoding="utf-8").strip() if NAMESPACE_FILE.is_file() else configured
