"""The compiled package in KFP's own code: API server, driver and launcher of several releases.

Skipped without their binaries; `tests/kubeflow/kfp_binaries.py` says which.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from fullbake.contract.errors import InputError
from fullbake.kubeflow.compiler import compile_package
from fullbake.kubeflow.executor_platform import platform_needs
from fullbake.kubeflow.package_check import root_driver_bytes
from fullbake.kubeflow.releases import check_release, read_release
from fullbake.kubeflow.retries import untried
from fullbake.kubeflow.verdict import find_verdict
from fullbake.pipeline.config.config import Config
from tests.kubeflow.backend import Backend, start_process
from tests.kubeflow.kfp_binaries import BINARIES_VARIABLE, Argo, Run, compile_workflow, driver_bytes
from tests.kubeflow.kfp_frontend import confusion_matrix, scalar_metrics
from tests.kubeflow.kubernetes_services import Services, secret, services
from tests.kubeflow.placed_pods import PLACED, Placed
from tests.kubeflow.volume import Package, Volume
from tests.kubeflow.webhook import SECRET_PATH, webhook

_FOLDER = os.environ.get(BINARIES_VARIABLE)
RELEASES = sorted(path.name for path in Path(_FOLDER).iterdir()) if _FOLDER else []
NOTIFY = "kubeflow.notify={secret: alerts, key: webhook}"
LONGEST_ARGUMENT = 131_072  # bytes; MAX_ARG_STRLEN of Linux

pytestmark = pytest.mark.skipif(not RELEASES, reason=f"{BINARIES_VARIABLE} names no folder of KFP's binaries")


class Cluster(NamedTuple):
    """A release of Kubeflow Pipelines and a volume."""

    release: Path
    services: Services
    volume: Volume

    def run(
        self, package: Package, kill_when: Mapping[str, Callable[[], bool]] | None = None, **parameters: object
    ) -> Run:
        workflow = compile_workflow(self.release, _written(package, self.volume.folder), **parameters)
        return Argo(self.release, self.services, kill_when).run(workflow)


def _written(package: Package, folder: Path) -> Path:
    file = folder / "package.yaml"
    file.write_text(yaml.safe_dump_all(package, sort_keys=False, allow_unicode=True))
    return file


def everything_done(package: Package) -> dict[str, int]:
    return dict.fromkeys(package[0]["root"]["dag"]["tasks"], 0)


def told(run: Run) -> str:
    failed = [f"{step.name}: {step.log[-3000:]}" for step in run.steps.values() if step.code]
    return "\n".join(failed or [log[-3000:] for log in run.drivers.values()][-1:])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services(tmp_path_factory.mktemp("services")) as everything:
        yield everything


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Path:
    return Path(str(_FOLDER), request.param)


@pytest.fixture(scope="module")
def cluster(release: Path, started: Services, make_volume: Callable[[str], Volume]) -> Cluster:
    return Cluster(release, started, make_volume(f"volume-{release.name}"))


@pytest.fixture(scope="module")
def first(cluster: Cluster) -> Run:
    cluster.volume.add_span(1)
    return cluster.run(cluster.volume.package(), epochs=1)


@pytest.fixture(scope="module")
def second(cluster: Cluster, first: Run) -> Run:
    cluster.volume.add_span(2)
    return cluster.run(cluster.volume.package("kubeflow.retries=1"))


def test_a_run_goes_from_the_files_to_a_pushed_model(cluster: Cluster, first: Run):
    assert first.codes == everything_done(cluster.volume.package()), told(first)
    assert all(f"{name}: done in" in step.log for name, step in first.steps.items())


def kept(cluster: Cluster, run: Run, step: str, output: str, title: str) -> dict[str, Any]:
    """An artifact of a run in ML Metadata."""
    run_id = re.search(rf"/([0-9a-f-]{{36}})/{step}/", run.steps[step].log)
    assert run_id
    (found,) = [
        artifact
        for artifact in cluster.services.artifacts(title)
        if f"/{run_id[1]}/{step}/" in artifact["uri"] and artifact["uri"].endswith(f"/{output}")
    ]
    assert found["metadata"].pop("display_name") == output
    found["metadata"].pop("store_session_info", None)  # of releases from 2.1 on; their page leaves it out
    return found


def test_ml_metadata_and_the_object_store_hold_what_kfps_own_pages_show(cluster: Cluster, first: Run):
    metrics = scalar_metrics(kept(cluster, first, "Evaluator", "metrics", "system.Metrics"))
    assert {"accuracy", "support.kind", "support.rude", "support.plain"} < set(metrics)
    matrix = confusion_matrix(kept(cluster, first, "Evaluator", "confusion_matrix", "system.ClassificationMetrics"))
    assert matrix
    labels, rows = matrix
    assert {f"support.{label}": sum(row) for label, row in zip(labels, rows, strict=True)}.items() <= metrics.items()
    assert sum(map(sum, rows)) == metrics["test_examples"] > 0
    page = cluster.services.read(kept(cluster, first, "Report", "report_page", "system.HTML")["uri"])
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    summary = cluster.services.read(kept(cluster, first, "Report", "report_summary", "system.Markdown")["uri"])
    assert summary.startswith("## planted: Blessed: every bound met\n")


def test_a_run_with_nothing_new_leaves_nothing_that_the_pages_would_show_as_an_error(cluster: Cluster, first: Run):
    run = cluster.run(cluster.volume.package(), epochs=1)
    assert run.codes == everything_done(cluster.volume.package()), told(run)
    assert "Trainer: left out, for there is nothing new: " in run.steps["Trainer"].log
    assert scalar_metrics(kept(cluster, run, "Evaluator", "metrics", "system.Metrics")) == {}
    matrix = kept(cluster, run, "Evaluator", "confusion_matrix", "system.ClassificationMetrics")
    assert confusion_matrix(matrix) is None
    for output, title in (("report_page", "system.HTML"), ("report_summary", "system.Markdown")):
        content = cluster.services.read(kept(cluster, run, "Report", output, title)["uri"])
        assert "There is nothing new: " in content


def test_the_next_run_takes_the_newer_span_and_judges_against_the_model_before(cluster: Cluster, second: Run):
    assert second.codes == everything_done(cluster.volume.package()), told(second)
    assert "drift from span 1: labels 0.0" in second.steps["DataGate"].log
    assert len(cluster.volume.versions) == 2


def test_a_refused_model_fails_the_pusher_and_nothing_is_pushed(cluster: Cluster, first: Run):
    before = cluster.volume.versions
    package = cluster.volume.package("gate.min_precision={kind: 1.0, rude: 1.0, plain: 1.0}", NOTIFY)
    with webhook() as hook:
        cluster.services.objects["secrets/alerts"] = secret(webhook=hook.address)
        run = cluster.run(package)
    # The launcher's code, whatever the container's was.
    assert run.codes == {**everything_done(cluster.volume.package()), "Pusher": 1}
    verdict = find_verdict(run.steps["Pusher"].log)
    assert verdict
    assert verdict.code == 3
    assert verdict.line.startswith("Pusher: refused, the model was not pushed: precision of ")
    assert cluster.volume.versions == before
    (notice,) = hook.posts
    assert (notice["pipeline"], notice["step"], notice["verdict"]) == ("planted", "Pusher", "refused")
    assert f"/{notice['run']}/Evaluator/" in run.steps["Evaluator"].log
    assert "; ".join(notice["missed_bounds"]) == notice["reason"]
    assert SECRET_PATH not in str(run) + yaml.safe_dump_all(package)


def test_a_step_that_fails_at_every_try_is_told_once(cluster: Cluster, first: Run):
    package = cluster.volume.package("kubeflow.retries=1", NOTIFY)
    with webhook() as hook:
        cluster.services.objects["secrets/alerts"] = secret(webhook=hook.address)
        run = cluster.run(package, **{"learning-rate": 1e30})
    workflow = compile_workflow(cluster.release, _written(package, cluster.volume.folder))
    knows_retries = any("retryStrategy" in template for template in workflow["spec"]["templates"])
    assert run.tries["Trainer"] == (2 if knows_retries else 1)
    (notice,) = hook.posts
    assert (notice["step"], notice["verdict"]) == ("Trainer", "failed")
    assert notice["reason"].startswith("training.learning_rate: ")


def test_what_the_user_has_to_mend_stops_the_first_step(cluster: Cluster, second: Run):
    run = cluster.run(cluster.volume.package(), epochs=0)
    assert run.codes == {"CsvExampleGen": 1, "ConfigSchema": 1}
    verdict = find_verdict(run.steps["CsvExampleGen"].log)
    assert verdict
    assert verdict.code == 2
    assert verdict.line.startswith("CsvExampleGen: stopped: this run's config: training.epochs: 0 should be greater")


def test_the_emulation_makes_the_same_model(
    cluster: Cluster, first: Run, make_volume: Callable[[str], Volume], tmp_path: Path
):
    volume = make_volume(f"emulated-{cluster.release.name}")
    volume.add_span(1)
    steps = Backend("minio", tmp_path, start_process).run(volume.package(), {"epochs": 1})
    assert {name: step.code for name, step in steps.items()} == everything_done(volume.package())

    def content(of: Volume) -> str:
        version = of.folder / "serving" / of.versions[0]
        return hashlib.sha256((version / "assets.extra/hf/model.safetensors").read_bytes()).hexdigest()

    assert content(volume) == content(cluster.volume)


def test_the_server_takes_300_classes_with_a_bound_each(
    release: Path, cluster_config: Callable[..., Config], tmp_path: Path
):
    labels = [f"{hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()[:10]}_request_{n}" for n in range(300)]
    bounds = ", ".join(f"{label}: {0.5 + n / 1000}" for n, label in enumerate(labels))
    gate = [f"gate.min_recall={{{bounds}}}", "gate.allow_never_predicted=[]"]
    package = compile_package(cluster_config(f"data.labels=[{', '.join(labels)}]", *gate, "kubeflow.retries=2"))
    sizes = driver_bytes(compile_workflow(release, _written(package, tmp_path)))
    assert max(sizes.values()) == sizes["root-driver"] <= root_driver_bytes(package[0]) < LONGEST_ARGUMENT


def what_pods_have(cluster: Cluster, asked_for: Sequence[Placed]) -> list[tuple[Any, ...]]:
    """Of the first two steps, of which the first ends at once for want of an epoch; None where a driver stops."""
    overrides = [override for placed in asked_for for override in (placed.general, placed.own)]
    pods = cluster.run(cluster.volume.package(*overrides), epochs=0).pods
    return [
        tuple(placed.found(pods[name]) if name in pods else None for name in ("CsvExampleGen", "ConfigSchema"))
        for placed in asked_for
    ]


def test_a_pod_gets_what_the_config_says_for_all_and_for_its_component(cluster: Cluster):
    server = cluster.release.name
    given, too_old = [], []
    for placed in PLACED:
        needs = platform_needs(cluster.volume.config(placed.general, placed.own))
        (given if all(need.since <= (read_release(server) or ()) for need in needs) else too_old).append(placed)
        if placed in too_old:
            with pytest.raises(InputError, match=rf"needs Kubeflow Pipelines .* and the server is {server}"):
                check_release(server, needs, "--host")
    assert what_pods_have(cluster, given) == [placed.wanted for placed in given]
    for placed in too_old:
        assert what_pods_have(cluster, [placed]) != [placed.wanted]


def test_a_trainer_whose_node_goes_away_goes_on_after_its_last_epoch(cluster: Cluster, second: Run):
    package = cluster.volume.package("kubeflow.retries=1")
    checkpoints = cluster.volume.folder / "checkpoints"
    run = cluster.run(package, {"Trainer": lambda: any(checkpoints.rglob("epoch-*.index"))}, epochs=12)
    if untried(cluster.release.name, retries=1):
        assert run.codes["Trainer"] != 0
        run = cluster.run(package, epochs=12)  # of whoever watches
    else:
        assert run.tries["Trainer"] == 2
    assert run.codes == everything_done(package), told(run)
    assert "goes on after epoch " in run.steps["Trainer"].log
