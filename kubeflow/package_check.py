"""Checks of a package for what the open-source backend refuses or fails at, before anything is uploaded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from fullbake.contract.errors import InputError

SCHEMA_VERSION = "2.1.0"
"""The only one the backend takes (backend/src/apiserver/template/v2_template.go of kubeflow/pipelines)."""

# Linux' bound on one argument or variable, MAX_ARG_STRLEN.
_LONGEST_ARGUMENT_BYTES = 131_072
# The rest of the root driver's template: 2.6 KB at most from 2.0.5 to 2.17.0 (tests/kubeflow/test_kfp_binaries.py).
_TEMPLATE_BYTES = 4_096

# Kubeflow names the Argo workflow after the pipeline, and Argo its tasks after ours.
_PIPELINE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?")
_TASK_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def check_package(documents: Sequence[Mapping[str, Any]]) -> None:
    """Checks a package as the backend does.

    Args:
        documents: The pipeline spec and, if there is one, the platform spec.

    Raises:
        InputError: Naming the first thing that the backend refuses: a field it does not know, another schema, a name
            that Kubernetes or Argo does not take, an executor that is no container (a resolver), a hook that is never
            run, an output that no task has, a runtime parameter without a default, or more than fits into a
            driver's environment.
    """
    spec, *platforms = documents
    try:
        json_format.ParseDict(dict(spec), pipeline_spec_pb2.PipelineSpec())
    except json_format.ParseError as error:
        raise InputError(f"package: not a pipeline spec: {' '.join(str(error).split())}") from error
    if spec.get("schemaVersion") != SCHEMA_VERSION:
        raise InputError(
            f"package: schemaVersion is {spec.get('schemaVersion')!r}; Kubeflow Pipelines takes {SCHEMA_VERSION} only"
        )
    name = spec.get("pipelineInfo", {}).get("name", "")
    if not _PIPELINE_NAME.fullmatch(name):
        raise InputError(
            f"package: pipelineInfo.name {name!r} cannot name a workflow; use small letters, digits and hyphens, "
            "128 at most"
        )
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    for label, executor in executors.items():
        _check_executor(label, executor)
    _check_tasks(spec, executors)
    for parameter, definition in spec["root"].get("inputDefinitions", {}).get("parameters", {}).items():
        if "defaultValue" not in definition:
            raise InputError(f"package: runtime parameter {parameter!r} has no defaultValue; a schedule cannot fill it")
    size = root_driver_bytes(spec)
    if size > _LONGEST_ARGUMENT_BYTES:
        raise InputError(
            f"package: the driver of the pipeline would be told of it in {size:,} bytes, and Linux allows "
            f"{_LONGEST_ARGUMENT_BYTES:,}; shorten data.labels, data.label_map or the bounds of the gate"
        )
    for document in platforms:
        known = document["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        for label in known:
            if label not in executors:
                raise InputError(f"package: the platform spec names an executor that is not there: {label!r}")


def root_driver_bytes(spec: Mapping[str, Any]) -> int:
    """Returns the size of the variable by which the pod of the root's driver gets the pipeline.

    Before release 3.6, Argo puts the whole template there (`ARGO_TEMPLATE`): the root component and the values of its
    parameters, each as an input of the template and as an argument of its container, as JSON within JSON.
    """
    root = spec["root"]
    parameters = root.get("inputDefinitions", {}).get("parameters", {})
    values = {name: definition.get("defaultValue") for name, definition in parameters.items()}
    inner = [json.dumps(part, ensure_ascii=False) for part in (root, {"parameterValues": values})]
    return 2 * sum(len(json.dumps(part, ensure_ascii=False).encode()) for part in inner) + _TEMPLATE_BYTES


def _check_executor(label: str, executor: Mapping[str, Any]) -> None:
    if "container" not in executor:
        raise InputError(
            f"package: executor {label!r} is a {next(iter(executor), 'nothing')}; the backend runs containers only, "
            "so that a pipeline may have no resolver"
        )
    container = executor["container"]
    if not container.get("image"):
        raise InputError(f"package: executor {label!r} has no image")
    if not container.get("command"):
        raise InputError(f"package: executor {label!r} has no command; the launcher starts nothing without one")
    if "lifecycle" in container:
        raise InputError(f"package: executor {label!r} has a lifecycle hook, which the backend never runs")


def _check_tasks(spec: Mapping[str, Any], executors: Mapping[str, Any]) -> None:
    components = spec.get("components", {})
    tasks = spec["root"]["dag"]["tasks"]
    for name, task in tasks.items():
        if not _TASK_NAME.fullmatch(name):
            raise InputError(f"package: task {name!r} cannot name an Argo task; use letters, digits and hyphens")
        component = components.get(task.get("componentRef", {}).get("name"))
        if component is None:
            raise InputError(f"package: task {name!r} refers to a component that is not there")
        if component.get("executorLabel") not in executors:
            raise InputError(f"package: the component of task {name!r} refers to an executor that is not there")
        for other in task.get("dependentTasks", []):
            if other not in tasks:
                raise InputError(f"package: task {name!r} waits for {other!r}, which is not there")
        _check_inputs(name, task, tasks, components)


def _check_inputs(name: str, task: Mapping[str, Any], tasks: Mapping[str, Any], components: Mapping[str, Any]) -> None:
    for key, source in task.get("inputs", {}).get("artifacts", {}).items():
        produced = source["taskOutputArtifact"]
        producer = produced["producerTask"]
        outputs: Mapping[str, Any] = {}
        if producer in tasks:
            component = components[tasks[producer]["componentRef"]["name"]]
            outputs = component.get("outputDefinitions", {}).get("artifacts", {})
        if produced["outputArtifactKey"] not in outputs:
            raise InputError(
                f"package: input {key!r} of task {name!r} is {produced['outputArtifactKey']!r} of {producer!r}, "
                "which has no such output"
            )
        if producer not in task.get("dependentTasks", []):
            raise InputError(f"package: task {name!r} takes an output of {producer!r} and does not wait for it")
