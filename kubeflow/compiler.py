"""Compiles the very graph that runs locally into a Kubeflow Pipelines package.

TFX has a compiler of its own for this (`KubeflowV2DagRunner`). What it writes is meant for Vertex AI: it drops the
defaults of runtime parameters, and relies on a span driver (`lifecycle.preCacheCheck`) that the open-source backend
never runs and on types of input artifacts that this backend does not send. So a task here carries the config and the
runtime parameters, nothing else; `kubeflow.entrypoint` makes the component anew from both, and with it the types and
every other setting.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import yaml
from tfx.dsl.components.base.base_node import BaseNode

from fullbake.kubeflow.carried_config import carried_config
from fullbake.kubeflow.cluster_check import check_cluster
from fullbake.kubeflow.cluster_places import PRODUCTION, cluster_places
from fullbake.kubeflow.executor_platform import executor_platform, step_resources
from fullbake.kubeflow.package_check import SCHEMA_VERSION, check_package
from fullbake.kubeflow.parameters import CONFIG_PARAMETER, runtime_parameters
from fullbake.kubeflow.pipeline_name import pipeline_name
from fullbake.kubeflow.retries import retry_policy
from fullbake.kubeflow.ui_artifacts import declare_ui_artifacts
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.kubeflow_config import KubeflowConfig
from fullbake.pipeline.graph import create_components
from fullbake.pipeline.output_file import write_output

ENTRYPOINT = ("python", "-m", "fullbake.kubeflow.entrypoint")


def write_package(config: Config, output: Path) -> None:
    """Compiles a config and writes the package.

    Args:
        config: What to run.
        output: The file; see `kubeflow.cluster_check.check_package_file`.

    Raises:
        InputError: The config cannot work on a cluster, or the file cannot be written.
    """
    documents = compile_package(config)
    write_output(output, yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True), "--output")


def compile_package(config: Config) -> list[dict[str, Any]]:
    """Compiles a config.

    Args:
        config: What to run.

    Returns:
        The documents of the package: the pipeline spec (schema 2.1.0) and, where the config asks for something that
        only Kubernetes knows of, the platform spec.

    Raises:
        InputError: The config cannot work on a cluster.
    """
    check_cluster(config)
    nodes = create_components(config, cluster_places(config), PRODUCTION)
    names = [node.id for node in nodes]
    parameters = _parameters(config)
    spec = {
        "pipelineInfo": {"name": pipeline_name(config), "description": _describe(config)},
        "schemaVersion": SCHEMA_VERSION,
        "sdkVersion": f"fullbake-{importlib.metadata.version('fullbake')}",
        "root": {
            "inputDefinitions": {"parameters": parameters},
            "dag": {"tasks": {node.id: _task(node, parameters, config.kubeflow) for node in nodes}},
        },
        "components": {node.id: _component(node, parameters) for node in nodes},
        "deploymentSpec": {"executors": {_executor(name): _container(name, config) for name in names}},
    }
    documents = [spec]
    platforms = {_executor(name): executor_platform(config.kubeflow, name) for name in names}
    executors = {executor: platform for executor, platform in platforms.items() if platform}
    if executors:
        documents.append({"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}})
    check_package(documents)
    return documents


def _describe(config: Config) -> str:
    return f"{config.model.approach} of {config.model.base}; labels: {', '.join(config.data.labels)}"[:250]


def _executor(name: str) -> str:
    return f"exec-{name}"


def _parameters(config: Config) -> dict[str, dict[str, Any]]:
    """Returns the parameters of the root, by name.

    The config is one of them: held by the tasks, it would be in the argument by which the root's driver gets the
    whole pipeline as often as there are tasks.
    """
    packed = {"parameterType": "STRING", "defaultValue": carried_config(config), "description": "the config, packed"}
    return {CONFIG_PARAMETER: packed} | {
        parameter.name: {
            "parameterType": parameter.type,
            "defaultValue": parameter.default,
            "description": parameter.description,
        }
        for parameter in runtime_parameters(config)
    }


def _component(node: BaseNode, parameters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "executorLabel": _executor(node.id),
        "inputDefinitions": {
            "parameters": {name: {"parameterType": given["parameterType"]} for name, given in parameters.items()}
        },
    }
    if node.inputs:
        component["inputDefinitions"]["artifacts"] = {key: _artifact(channel) for key, channel in node.inputs.items()}
    outputs = {key: _artifact(channel) for key, channel in node.outputs.items()} | declare_ui_artifacts(node.id)
    if outputs:
        component["outputDefinitions"] = {"artifacts": outputs}
    return component


def _artifact(channel: Any) -> dict[str, Any]:
    return {"artifactType": {"schemaTitle": f"tfx.{channel.type.TYPE_NAME}", "schemaVersion": "0.0.1"}}


def _task(node: BaseNode, parameters: dict[str, dict[str, Any]], kubeflow: KubeflowConfig) -> dict[str, Any]:
    inputs: dict[str, Any] = {"parameters": {name: {"componentInputParameter": name} for name in parameters}}
    if node.inputs:
        inputs["artifacts"] = {
            key: {
                "taskOutputArtifact": {
                    "producerTask": channel.producer_component_id,
                    "outputArtifactKey": channel.output_key,
                }
            }
            for key, channel in node.inputs.items()
        }
    task: dict[str, Any] = {
        "taskInfo": {"name": node.id},
        "componentRef": {"name": node.id},
        "inputs": inputs,
        # Kubeflow's cache key knows the parameters and not the files: with it, a scheduled run would take yesterday's
        # rows for today's. Everything follows from them, so no step is cached.
        "cachingOptions": {"enableCache": False},
    }
    upstream = {channel.producer_component_id for channel in node.inputs.values()}
    upstream |= {other.id for other in node.upstream_nodes}
    if upstream:
        task["dependentTasks"] = sorted(upstream)
    policy = retry_policy(node.id, kubeflow.retries)
    if policy:
        task["retryPolicy"] = policy
    return task


def _container(name: str, config: Config) -> dict[str, Any]:
    container: dict[str, Any] = {
        "image": config.kubeflow.image,
        "command": list(ENTRYPOINT),
        # The launcher puts the executor input, as JSON, in the placeholder's place.
        "args": ["--component", name, "--executor-input", "{{$}}"],
    }
    if config.kubeflow.env:
        container["env"] = [{"name": key, "value": value} for key, value in config.kubeflow.env.items()]
    wanted = step_resources(config.kubeflow, name)
    resources: dict[str, Any] = {}
    if wanted.cpu:
        resources |= {"cpuRequest": wanted.cpu, "cpuLimit": wanted.cpu}
    if wanted.memory_gb:
        resources |= {"memoryRequest": wanted.memory_gb, "memoryLimit": wanted.memory_gb}
    if wanted.accelerator:
        # Integers of 64 bits are strings in JSON's protobuf; a number is read too.
        resources["accelerator"] = {"type": wanted.accelerator.type, "count": str(wanted.accelerator.count)}
    if resources:
        container["resources"] = resources
    return {"container": container}
