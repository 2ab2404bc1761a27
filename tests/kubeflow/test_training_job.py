"""A Trainer of several workers: real processes that find each other as the pods of a TFJob do."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from fullbake.kubeflow.executor_platform import SHARED_MEMORY
from tests.kubeflow.backend import Backend, Step, start_warm
from tests.kubeflow.test_image import validate
from tests.kubeflow.training_operator import TrainingOperator, training_operator
from tests.kubeflow.volume import Package, Volume
from tests.warm import WarmProcess

EPOCHS = 6


class Cluster:
    """A volume with data of which all steps before the Trainer are done, and a backend that does the rest."""

    def __init__(self, volume: Volume, store: Path, warm: WarmProcess):
        volume.add_span(1)
        self.volume = volume
        self.start = start_warm(warm)
        self._backend = Backend("minio", store, lambda *container: self.start(*container))
        self.before = self._backend.run(_until(volume.package(), "Trainer"), {"epochs": EPOCHS})

    def run(self, operator: TrainingOperator, *overrides: str, until: str | None = None) -> dict[str, Step]:
        package = self.volume.package(
            "kubeflow.resources={Trainer: {workers: 2, memory_gb: 4, shared_memory_gb: 1, node_selector: {pool: gpu}}}",
            f"kubeflow.env.KUBECONFIG={operator.kubeconfig}",
            "kubeflow.env.TF_CPP_MIN_LOG_LEVEL='2'",
            *overrides,
        )
        return self._backend.run(_until(package, until), {"epochs": EPOCHS}, self.before)


def _until(package: Package, name: str | None) -> Package:
    """The package without a task, if one is named, and those after it."""
    spec = package[0]
    tasks = spec["root"]["dag"]["tasks"]
    left_out = {*([name] if name else [])}
    while more := {other for other, task in tasks.items() if left_out & {*task.get("dependentTasks", [])}} - left_out:
        left_out |= more
    kept = {other: task for other, task in tasks.items() if other not in left_out}
    return [{**spec, "root": {**spec["root"], "dag": {"tasks": kept}}}, *package[1:]]


@pytest.fixture(scope="module")
def cluster(make_volume, warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    if not Backend.can_run():
        pytest.skip("the launcher's folders /minio, /s3 and /gcs cannot be made here; run as root")
    return Cluster(make_volume("volume"), tmp_path_factory.mktemp("store"), warm)


def check_manifest(operator: TrainingOperator, volume: Volume, file: Path) -> None:
    (job,) = operator.manifests
    template = job["spec"]["tfReplicaSpecs"]["Worker"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", **template["metadata"]},
        "spec": template["spec"],
    }
    file.write_text(yaml.safe_dump(pod), encoding="utf-8")
    validated = validate(file)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "4G"}
    assert pod["spec"]["nodeSelector"] == {"pool": "gpu"}
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted == {"volume": str(volume.folder), "shared-memory": SHARED_MEMORY}
    assert template["metadata"]["annotations"] == {"sidecar.istio.io/inject": "false"}


def test_the_workers_of_a_job_train_the_model_and_go_on_where_one_was_lost(cluster: Cluster, tmp_path: Path):
    checkpoints = cluster.volume.folder / "checkpoints"
    with training_operator(tmp_path / "lost", lose=lambda: any(checkpoints.rglob("epoch-*.index"))) as operator:
        trainer = cluster.run(operator)["Trainer"]
        assert trainer.code == 1, trainer.log
        assert "has failed because" in trainer.log
        assert operator.pods == {}
        check_manifest(operator, cluster.volume, tmp_path / "pod.yaml")
    assert any(checkpoints.rglob("epoch-*.index"))

    with training_operator(tmp_path / "again") as operator:
        steps = cluster.run(operator)
        assert steps["Trainer"].code == 0, steps["Trainer"].log + operator.logs
        assert "training on 2 workers named by TF_CONFIG" in operator.logs
        assert "goes on after epoch " in operator.logs
        assert operator.pods == {}
    assert {name: step.code for name, step in steps.items()} == dict.fromkeys(
        cluster.volume.package()[0]["components"], 0
    )
    assert len(cluster.volume.versions) == 1
    assert list((cluster.volume.folder / "training").iterdir()) == []


def test_a_single_worker_trains_beside_the_step(cluster: Cluster, tmp_path: Path):
    with training_operator(tmp_path / "single") as operator:
        steps = cluster.run(operator, "kubeflow.resources.Trainer.workers=1", until="Evaluator")
    assert steps["Trainer"].code == 0, steps["Trainer"].log + operator.logs
    (job,) = operator.manifests
    assert job["spec"]["tfReplicaSpecs"]["Worker"]["replicas"] == 1
    assert "training on one CPU device" in operator.logs
    assert "training on" not in steps["Trainer"].log
    assert {"model", "model_run"} <= set(steps["Trainer"].outputs)


def test_what_a_worker_finds_wrong_stops_the_step_for_good(cluster: Cluster, tmp_path: Path):
    with training_operator(tmp_path / "broken", broken=True) as operator:
        trainer = cluster.run(operator, "kubeflow.retries=1")["Trainer"]
    assert trainer.code == 2
    assert "Trainer: stopped: TF_CONFIG: it is not JSON" in trainer.log
    assert len(operator.manifests) == 1


@pytest.mark.parametrize(
    ("refusal", "remedy"),
    [(403, "give the service account the role of"), (404, "have Kubeflow's Training Operator installed")],
)
def test_a_cluster_that_takes_no_job_is_told_with_what_to_do(cluster: Cluster, tmp_path: Path, refusal, remedy):
    with training_operator(tmp_path / "refused", refusal=refusal) as operator:
        trainer = cluster.run(operator)["Trainer"]
    assert trainer.code == 2
    assert f"the cluster does not take a TFJob ({refusal} " in trainer.log
    assert remedy in trainer.log


def test_a_run_that_is_stopped_leaves_no_job(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with training_operator(tmp_path / "stopped") as operator:

        def start(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
            process = subprocess.Popen(
                command, cwd="/", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            while process.poll() is None and not operator.manifests:
                time.sleep(0.1)
            time.sleep(1)
            process.terminate()
            return process.wait(), process.communicate()[0]

        monkeypatch.setattr(cluster, "start", start)
        trainer = cluster.run(operator)["Trainer"]
        assert trainer.code == 128 + signal.SIGTERM, trainer.log
        assert (len(operator.manifests), operator.pods) == (1, {})
