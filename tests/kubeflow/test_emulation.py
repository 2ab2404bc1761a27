"""The compiled package through an emulation of the backend, from files on a volume to a pushed model."""

import json
from pathlib import Path

import pytest

from fullbake.components.serving.publishing import rollback
from fullbake.contract.names import EVALUATION_FILE, REPORT_FILE
from tests.kubeflow.backend import Backend, Step, start_process, start_warm
from tests.kubeflow.kfp_frontend import confusion_matrix, scalar_metrics
from tests.kubeflow.volume import HALF, Package, Volume
from tests.kubeflow.webhook import SECRET_PATH, webhook
from tests.warm import WarmProcess

NOTIFY = "kubeflow.notify={secret: alerts, key: webhook}"
COLD = {"CsvExampleGen", "Trainer", "Pusher"}
"""The steps whose containers are processes of their own: one of Beam, one of TensorFlow, and the last."""


@pytest.fixture(scope="module", autouse=True)
def _root() -> None:
    if not Backend.can_run():
        pytest.skip("the launcher's folders /minio, /s3 and /gcs cannot be made here; run as root")


@pytest.fixture(scope="module")
def volume(make_volume) -> Volume:
    return make_volume("volume")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def first(volume: Volume, store: Path, warm: WarmProcess) -> tuple[Backend, dict[str, Step], list[str]]:
    """A run over the first span."""
    volume.add_span(1)
    start_fork = start_warm(warm)

    def start(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
        cold = command[command.index("--component") + 1] in COLD
        return start_process(command, environment) if cold else start_fork(command, environment)

    backend = Backend("minio", store, start)
    steps = backend.run(volume.package(), {"epochs": 1})
    return backend, steps, volume.versions


@pytest.fixture(scope="module")
def second(volume: Volume, store: Path, first, warm: WarmProcess) -> tuple[Backend, dict[str, Step]]:
    """A run over the second span; its artifacts are in another store than the first's, the models on the volume."""
    volume.add_span(2)
    backend = Backend("gs", store, start_warm(warm))
    return backend, backend.run(volume.package())


def codes(steps: dict[str, Step]) -> dict[str, int]:
    return {name: step.code for name, step in steps.items()}


def everything_done(package: Package) -> dict[str, int]:
    return dict.fromkeys(package[0]["root"]["dag"]["tasks"], 0)


def test_a_run_goes_from_the_files_to_a_pushed_model(volume: Volume, first):
    backend, steps, versions = first
    assert codes(steps) == everything_done(volume.package()), [s.log[-2000:] for s in steps.values() if s.code]
    assert len(versions) == 1
    assert steps["Pusher"].outputs["pushed_model"]["metadata"]["pushed_destination"].endswith(f"serving/{versions[0]}")
    examples = steps["CsvExampleGen"].outputs["examples"]
    assert examples["metadata"]["span"] == 1
    assert examples["uri"].startswith("minio://")
    assert backend.read(steps["Report"].outputs["report"], REPORT_FILE).startswith("<!doctype html>")
    assert all(f"{name}: done in" in step.log for name, step in steps.items())


def test_kfps_own_pages_show_metrics_matrix_report_and_verdict(first):
    backend, steps, _ = first
    evaluation = json.loads(backend.read(steps["Evaluator"].outputs["evaluation"], EVALUATION_FILE))
    metrics = scalar_metrics(steps["Evaluator"].outputs["metrics"])
    assert metrics["accuracy"] == pytest.approx(evaluation["accuracy"], abs=1e-6)
    assert {f"support.{label}" for label in evaluation["labels"]} < set(metrics)
    matrix = confusion_matrix(steps["Evaluator"].outputs["confusion_matrix"])
    assert matrix == (evaluation["labels"], evaluation["confusion"])
    report = steps["Report"].outputs
    assert backend.read(report["report_page"]) == backend.read(report["report"], REPORT_FILE)
    assert backend.read(report["report_summary"]).startswith("## planted: Blessed: every bound met\n")


def test_a_parameter_of_the_run_wins_over_the_config(first, second):
    backend, steps, _ = first
    assert len(json.loads(backend.read(steps["Trainer"].outputs["model_run"], "training.json"))["epochs"]) == 1
    backend, steps = second
    assert len(json.loads(backend.read(steps["Trainer"].outputs["model_run"], "training.json"))["epochs"]) == 2


def test_the_next_run_takes_the_newer_span_and_judges_against_the_model_before(volume: Volume, first, second):
    backend, steps = second
    assert codes(steps) == everything_done(volume.package()), [s.log[-2000:] for s in steps.values() if s.code]
    assert steps["CsvExampleGen"].outputs["examples"]["metadata"]["span"] == 2
    assert steps["Trainer"].outputs["model"]["uri"].startswith("gs://")
    ingest = json.loads(backend.read(steps["CsvExampleGen"].outputs["examples"], "ingest.json"))
    assert (ingest["read"], ingest["drift"]["before"], ingest["drift"]["rows_before"]) == (HALF, 1, HALF)
    assert "drift from span 1: labels 0.0" in steps["DataGate"].log
    evaluation = json.loads(backend.read(steps["Evaluator"].outputs["evaluation"], EVALUATION_FILE))
    assert evaluation["baseline"]["model"] == str(volume.folder / "serving" / first[2][0])
    assert len(volume.versions) == 2


def test_a_model_that_was_judged_against_another_production_fails_the_pusher_and_is_not_pushed(
    volume: Volume, first, second
):
    backend, steps = second
    before = volume.versions
    # Its own push is what has changed production since.
    again = backend.run(volume.package(), done={name: step for name, step in steps.items() if name != "Pusher"})
    assert codes(again) == {**everything_done(volume.package()), "Pusher": 3}
    now = f"{volume.folder}/serving/{before[-1]} is in production; start another run, which judges against that"
    assert f"the model was judged against {first[2][0]}, and now {now}" in again["Pusher"].log
    assert volume.versions == before


def test_a_run_with_nothing_new_is_green_and_trains_nothing(volume: Volume, second):
    backend, _ = second
    before = volume.versions
    steps = backend.run(volume.package())
    assert codes(steps) == everything_done(volume.package())
    assert volume.versions == before
    left_out = (
        f"left out, for there is nothing new: {volume.folder}/serving/{before[-1]}, the model in production, was "
    )
    assert {name for name, step in steps.items() if f"{name}: {left_out}" in step.log} == {*steps} - {"ConfigSchema"}
    # The pages pass empty metrics over; for a file that is not there they would show an error.
    assert scalar_metrics(steps["Evaluator"].outputs["metrics"]) == {}
    assert confusion_matrix(steps["Evaluator"].outputs["confusion_matrix"]) is None
    for output in ("report_page", "report_summary"):
        assert "There is nothing new: " in backend.read(steps["Report"].outputs[output])

    # Nor does it make once more what was rolled back.
    rollback(str(volume.folder / "serving"), None)
    others = {name: step for name, step in steps.items() if name != "CsvExampleGen"}
    step = backend.run(volume.package(), done=others)["CsvExampleGen"]
    assert step.code == 0
    left_out = f"left out, for there is nothing new: version {before[-1]}, made of the same files in the same way, was"
    assert f"CsvExampleGen: {left_out} rolled back, and {volume.folder}/serving/{volume.versions[-1]} stays" in step.log
    rollback(str(volume.folder / "serving"), before[-1])


def test_a_missed_bound_fails_the_pusher_and_its_log_and_the_webhook_say_which(volume: Volume, second):
    backend, steps = second
    before = volume.versions
    made = {name: step for name, step in steps.items() if name not in ("Evaluator", "Report", "Pusher")}
    package = volume.package("gate.min_precision={kind: 1.0, rude: 1.0, plain: 1.0}", NOTIFY)
    with webhook() as hook:
        backend.secrets["alerts"] = {"webhook": hook.address}
        again = backend.run(package, done=made)
    # Another gate is another recipe: the same files are not left out.
    assert codes(again) == {**everything_done(volume.package()), "Pusher": 3}
    assert "Pusher: refused, the model was not pushed: precision of " in again["Pusher"].log
    assert volume.versions == before
    (notice,) = hook.posts
    assert (notice["pipeline"], notice["step"], notice["verdict"]) == ("planted", "Pusher", "refused")
    assert f"/{notice['run']}/Evaluator/" in again["Evaluator"].outputs["evaluation"]["uri"]
    assert "; ".join(notice["missed_bounds"]) == notice["reason"]
    assert SECRET_PATH not in "".join(step.log for step in again.values()) + json.dumps(package)


def test_what_the_user_has_to_mend_stops_the_first_step_in_one_line(make_volume, store: Path, warm: WarmProcess):
    volume = make_volume("fix")
    backend = Backend("s3", store, start_warm(warm))
    with webhook() as hook:
        backend.secrets["alerts"] = {"webhook": hook.address}
        steps = backend.run(volume.package(NOTIFY), {"epochs": 0})
    assert codes(steps) == {"CsvExampleGen": 2, "ConfigSchema": 2}
    (notice,) = hook.posts
    assert (notice["step"], notice["verdict"], notice["missed_bounds"]) == ("CsvExampleGen", "failed", [])
    assert notice["reason"].startswith("this run's config: training.epochs: 0 should be greater")
    assert (
        "CsvExampleGen: stopped: this run's config: training.epochs: 0 should be greater" in steps["CsvExampleGen"].log
    )
    steps = backend.run(volume.package(), {"serving-dir": "/srv/models"})
    assert codes(steps) == {"CsvExampleGen": 2, "ConfigSchema": 2}
    assert "CsvExampleGen: stopped: push.serving_dir: '/srv/models' is not on the volume" in steps["CsvExampleGen"].log
    steps = backend.run(volume.package())
    assert codes(steps) == {"CsvExampleGen": 2, "ConfigSchema": 0}
    assert "stopped: data.pattern: no span or version can be found in" in steps["CsvExampleGen"].log
    assert "Traceback" not in steps["CsvExampleGen"].log
    volume.add_span(1)
    (volume.folder / "serving/00000123").mkdir(parents=True)
    steps = backend.run(volume.package())
    assert codes(steps) == {"CsvExampleGen": 2, "ConfigSchema": 0}
    broken = f"{volume.folder}/serving/00000123, the model in production, has no saved_model.pb"
    assert f"CsvExampleGen: stopped: push.serving_dir: {broken}" in steps["CsvExampleGen"].log
    assert "or go on without it with gate.accept_baseline_loss: true" in steps["CsvExampleGen"].log
