from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp.components import load_component_from_file

from fullbake.contract.errors import InputError
from fullbake.kubeflow.carried_config import read_carried_config
from fullbake.kubeflow.compiler import compile_package, write_package
from fullbake.kubeflow.executor_platform import SHARED_MEMORY, platform_needs
from fullbake.kubeflow.parameters import CONFIG_PARAMETER, overrides
from fullbake.kubeflow.pipeline_name import pipeline_name
from fullbake.kubeflow.releases import release_name
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import restore_config
from fullbake.pipeline.outline import component_names
from tests.pipeline.planted import COMPONENTS

MakeConfig = Callable[..., Config]


def container(documents: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return documents[0]["deploymentSpec"]["executors"][f"exec-{name}"]["container"]


def test_the_package_has_the_components_of_a_local_run(cluster_config: MakeConfig):
    (spec,) = compile_package(
        cluster_config("kubeflow.volume=null", "data.input_base=gs://b/data", "push.serving_dir=gs://b/s")
    )
    tasks = spec["root"]["dag"]["tasks"]
    assert list(tasks) == list(spec["components"]) == COMPONENTS
    assert tasks["Transform"]["dependentTasks"] == ["ConfigSchema", "CsvExampleGen", "DataGate"]
    assert tasks["ServableCheck"]["dependentTasks"] == ["Evaluator", "Trainer"]
    assert tasks["Trainer"]["inputs"]["artifacts"]["examples"] == {
        "taskOutputArtifact": {"producerTask": "Transform", "outputArtifactKey": "transformed_examples"}
    }


def test_optional_components_are_there_if_the_config_asks_for_them(cluster_config: MakeConfig):
    config = cluster_config("model.approach=further_pretrain", "tuning.learning_rates=[1.0e-4, 2.0e-4]")
    spec, _ = compile_package(config)
    names = list(spec["root"]["dag"]["tasks"])
    assert names == component_names(config)
    assert names[names.index("Transform") :][:4] == ["Transform", "Pretrainer", "Tuner", "Trainer"]
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert parameters["pretraining-epochs"]["defaultValue"] == 3
    assert "learning-rate" not in parameters  # the Tuner finds it


def test_no_step_is_cached_because_the_key_does_not_know_the_files(cluster_config: MakeConfig):
    tasks = compile_package(cluster_config())[0]["root"]["dag"]["tasks"]
    assert {name: task["cachingOptions"]["enableCache"] for name, task in tasks.items()} == dict.fromkeys(tasks, False)


def test_every_task_takes_the_whole_config_and_the_parameters_of_the_run(cluster_config: MakeConfig):
    config = cluster_config("training.epochs=7")
    spec = compile_package(config)[0]
    root = dict(spec["root"]["inputDefinitions"]["parameters"])
    for task in spec["root"]["dag"]["tasks"].values():
        assert task["inputs"]["parameters"] == {name: {"componentInputParameter": name} for name in root}
    assert restore_config(read_carried_config(root.pop(CONFIG_PARAMETER)["defaultValue"])) == config
    assert {name: definition["defaultValue"] for name, definition in root.items()} == {
        "input-base": "/mnt/fullbake/data",
        "serving-dir": "/mnt/fullbake/serving",
        "epochs": 7,
        "batch-size": 16,
        "seed": 0,
        "learning-rate": 2e-4,
    }


def test_what_a_run_changes_is_checked_like_the_config(cluster_config: MakeConfig):
    config = cluster_config()
    # Numbers come out of Kubeflow as floating-point ones.
    changed = restore_config(
        config.model_dump(), overrides(config, {"epochs": 9.0, "input-base": "/mnt/fullbake/new", "config": "{}"})
    )
    assert (changed.training.epochs, changed.data.input_base) == (9, "/mnt/fullbake/new")
    assert changed.model == config.model
    with pytest.raises(InputError, match=r"this run's config: training.epochs: 2.5 should be a valid integer"):
        restore_config(config.model_dump(), overrides(config, {"epochs": 2.5}))


def test_what_the_config_says_of_kubernetes_reaches_every_executor(cluster_config: MakeConfig):
    documents = compile_package(
        cluster_config(
            "kubeflow.env={HF_HUB_OFFLINE: '1'}",
            "kubeflow.resources={Trainer: {cpu: 4, memory_gb: 16, accelerator: {type: nvidia.com/gpu}}}",
            "kubeflow.node_selector={pool: gpu}",
            "kubeflow.tolerations=[{key: gpu, operator: Exists, effect: NoSchedule}]",
            "kubeflow.secret_mounts=[{secret: bucket, mount_path: /secrets}]",
            "kubeflow.secret_env={TOKEN: {secret: hub, key: token}}",
            "kubeflow.notify={secret: alerts, key: webhook}",
            "kubeflow.image_pull_secret=pull",
            "kubeflow.retries=2",
            "kubeflow.timeout_minutes=90",
        )
    )
    assert container(documents, "Trainer")["resources"] == {
        "cpuRequest": 4,
        "cpuLimit": 4,
        "memoryRequest": 16,
        "memoryLimit": 16,
        "accelerator": {"type": "nvidia.com/gpu", "count": "1"},
    }
    assert "resources" not in container(documents, "CsvExampleGen")
    assert container(documents, "CsvExampleGen")["env"] == [{"name": "HF_HUB_OFFLINE", "value": "1"}]
    wanted = {
        "pvcMount": [{"constant": "fullbake", "mountPath": "/mnt/fullbake"}],
        "secretAsVolume": [{"secretName": "bucket", "mountPath": "/secrets"}],
        "secretAsEnv": [
            {"secretName": "hub", "keyToEnv": [{"secretKey": "token", "envVar": "TOKEN"}]},
            {"secretName": "alerts", "keyToEnv": [{"secretKey": "webhook", "envVar": "FULLBAKE_NOTIFY_URL"}]},
        ],
        "imagePullSecret": [{"secretName": "pull"}],
        "nodeSelector": {"labels": {"pool": "gpu"}},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "activeDeadlineSeconds": "5400",
    }
    executors = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert executors == dict.fromkeys(documents[0]["deploymentSpec"]["executors"], wanted)


def test_a_component_may_have_a_node_and_a_shared_memory_of_its_own(cluster_config: MakeConfig):
    trainer = """{
        memory_gb: 16, shared_memory_gb: 8, node_selector: {pool: gpu},
        tolerations: [{key: nvidia.com/gpu, operator: Exists}],
        node_affinity: [{match_expressions: [{key: gpu-memory, operator: Gt, values: ["40"]}], weight: 100}]
    }"""
    documents = compile_package(
        cluster_config(
            "kubeflow.node_selector={pool: cpu}",
            "kubeflow.tolerations=[{key: batch, operator: Exists}]",
            "kubeflow.image_pull_policy=IfNotPresent",
            "kubeflow.security_context={run_as_user: 1234, run_as_non_root: true}",
            "kubeflow.pod_labels={team: moderation}",
            "kubeflow.pod_annotations={sidecar.istio.io/inject: 'false'}",
            f"kubeflow.resources={{Trainer: {trainer}, Pusher: {{node_selector: {{}}, tolerations: []}}}}",
        )
    )
    executors = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    general = {
        "pvcMount": [{"constant": "fullbake", "mountPath": "/mnt/fullbake"}],
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"runAsUser": "1234", "runAsNonRoot": True},
        "podMetadata": {"labels": {"team": "moderation"}, "annotations": {"sidecar.istio.io/inject": "false"}},
    }
    placed = {"nodeSelector": {"labels": {"pool": "cpu"}}, "tolerations": [{"key": "batch", "operator": "Exists"}]}
    assert executors.pop("exec-Trainer") == general | {
        "nodeSelector": {"labels": {"pool": "gpu"}},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "nodeAffinity": [
            {"matchExpressions": [{"key": "gpu-memory", "operator": "Gt", "values": ["40"]}], "weight": 100}
        ],
        "emptyDirMounts": [
            {"volumeName": "shared-memory", "mountPath": SHARED_MEMORY, "medium": "Memory", "sizeLimit": "8G"}
        ],
    }
    assert executors.pop("exec-Pusher") == general
    assert len(executors) == len(COMPONENTS) - 2
    assert all(platform == general | placed for platform in executors.values())


def test_a_step_that_waits_for_workers_asks_for_no_gpu_and_no_node_of_theirs(cluster_config: MakeConfig):
    trainer = "{workers: 4, accelerator: {type: nvidia.com/gpu}, shared_memory_gb: 2, node_selector: {pool: gpu}}"
    spec, platform = compile_package(
        cluster_config(f"kubeflow.resources={{Trainer: {trainer}}}", "kubeflow.node_selector={pool: cpu}")
    )
    assert "resources" not in container([spec], "Trainer")
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert executors["exec-Trainer"] == executors["exec-Evaluator"]
    assert executors["exec-Trainer"]["nodeSelector"] == {"labels": {"pool": "cpu"}}


def test_each_key_of_kubernetes_has_the_release_that_it_needs(cluster_config: MakeConfig):
    def needs(*overrides: str) -> dict[str, str]:
        return {need.key: release_name(need.since) for need in platform_needs(cluster_config(*overrides))}

    assert needs("kubeflow.node_selector={pool: cpu}") == {
        "kubeflow.volume": "2.0.5",
        "kubeflow.node_selector": "2.0.5",
    }
    assert needs(
        "kubeflow.tolerations=[{operator: Exists}]",
        "kubeflow.resources.Trainer.node_affinity=[{match_expressions: [{key: a, operator: Exists}]}]",
    ) == {"kubeflow.volume": "2.0.5", "kubeflow.tolerations": "2.1.0", "kubeflow.node_affinity": "2.14.0"}


def test_argo_tries_again_what_does_the_work_for_as_long_as_it_takes_and_no_verdict(cluster_config: MakeConfig):
    def policies(retries: int) -> dict[str, dict[str, Any]]:
        tasks = compile_package(cluster_config(f"kubeflow.retries={retries}"))[0]["root"]["dag"]["tasks"]
        return {name: task["retryPolicy"] for name, task in tasks.items() if "retryPolicy" in task}

    assert policies(0) == {}
    tried_again = policies(2)
    assert {*COMPONENTS} - {*tried_again} == {"CsvExampleGen", "ConfigSchema", "DataGate", "Pusher"}
    policy = {"maxRetryCount": 2, "backoffDuration": "60s", "backoffFactor": 2.0, "backoffMaxDuration": "31536000s"}
    assert tried_again["Trainer"] == policy


def test_the_file_loads_in_kubeflows_client(cluster_config: MakeConfig, tmp_path: Path):
    config = cluster_config()
    write_package(config, tmp_path / "pipeline.yaml")
    loaded = load_component_from_file(str(tmp_path / "pipeline.yaml"))
    assert loaded.pipeline_spec.pipeline_info.name == "planted"
    assert loaded.component_spec.inputs["epochs"].default == 2
    platform = json_format.MessageToDict(loaded.platform_spec)["platforms"]["kubernetes"]
    assert platform["deploymentSpec"]["executors"]["exec-Trainer"]["pvcMount"][0]["constant"] == "fullbake"
    assert list(yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text())) == compile_package(config)


def test_the_pipeline_has_a_name_that_kubernetes_takes(cluster_config: MakeConfig):
    assert pipeline_name(cluster_config("name=Toxic_v2.1")) == "toxic-v2-1"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["kubeflow.image=null"], "kubeflow.image: missing; name the image that was built from kubeflow/Dockerfile"),
        (["data.input_base=data"], "data.input_base: 'data' is not on the volume; name a folder below /mnt/fullbake"),
        (["data.input_base=/mnt/fullbake/../x"], "data.input_base: '/mnt/fullbake/../x' is not on the volume"),
        (["data.input_base=s3://b/x"], "data.input_base: 's3://b/x' cannot be read by TensorFlow in a container"),
        (
            ["kubeflow.volume=null"],
            "data.input_base: '/mnt/fullbake/data' is a path, and the containers have no volume",
        ),
        (["data.test_base=/x", "data.split={train: 8, eval: 1}"], "data.test_base: '/x' is not on the volume"),
        (["push.serving_dir=null"], "push.serving_dir: missing; on a cluster nothing is kept beside the run"),
        (["push.serving_dir=/srv"], "push.serving_dir: '/srv' is not on the volume"),
        (["model.base=./base"], "model.base: './base' is a folder of this machine, which a container does not see"),
        (
            ["kubeflow.pipeline_root=/tmp"],
            "kubeflow.pipeline_root: '/tmp' is not a bucket that Kubeflow's launcher knows",
        ),
        (
            ["beam.args=[--runner=FlinkRunner]", "kubeflow.pipeline_root=minio://b/x"],
            "beam.args: the workers of FlinkRunner see no folder of a step's container; set kubeflow.pipeline_root to",
        ),
        (["kubeflow.resources={Trainr: {cpu: 1}}"], "kubeflow.resources: 'Trainr' is no component of this pipeline"),
    ],
)
def test_a_config_that_cannot_work_on_a_cluster_is_refused(cluster_config: MakeConfig, overrides, message):
    with pytest.raises(InputError) as refused:
        compile_package(cluster_config(*overrides))
    assert str(refused.value).startswith(message)


def test_the_values_of_environment_variables_are_in_the_containers_and_nowhere_else(cluster_config: MakeConfig):
    documents = compile_package(cluster_config("kubeflow.env={A_KEY: s3cr3t-value}"))
    executors = documents[0]["deploymentSpec"].pop("executors")
    for executor in executors.values():
        assert executor["container"]["env"] == [{"name": "A_KEY", "value": "s3cr3t-value"}]
    assert "s3cr3t-value" not in yaml.safe_dump_all(documents)
