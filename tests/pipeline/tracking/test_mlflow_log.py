"""What a run came to, logged with MLflow's own client into a store on this machine, and read back from there."""

import json
import logging
import socket
import sys
import time
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2
from mlflow import MlflowClient

from fullbake.contract.errors import InputError
from fullbake.contract.names import PREDICTIONS_FILE, REPORT_FILE
from fullbake.contract.results.report import Report
from fullbake.contract.results.training import Epoch, Training
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import make_config
from fullbake.pipeline.run_record import RunRecord
from fullbake.pipeline.tracking.mlflow_log import log_run
from fullbake.pipeline.tracking.tracking_check import check_tracking
from tests.results import an_evaluation, an_ingest

# The last three are one name to MLflow, which allows none of their signs.
LABELS = ["kind", "..", "a/b", "a+b", "a%b"]


@pytest.fixture(autouse=True)
def _file_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allows the store of files, the only one that MLflow's client keeps itself, without a server or a database."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"file:{tmp_path / 'mlruns'}"


def config_of(uri: str, **sections) -> Config:
    values = {
        "name": "letters",
        "data": {"input_base": "texts", "labels": LABELS},
        "tracking": {"mlflow_uri": uri},
        "beam": {"args": ["--flink_token=s3cretword"]},
        **sections,
    }
    return make_config(values, {}, "config")


@pytest.fixture
def record(tmp_path: Path) -> RunRecord:
    """A run that pushed, of two epochs, the recall of one label unknown."""
    left, folder = tmp_path / "left", tmp_path / "reports" / "2026-01-02T03-04-05"
    left.mkdir()
    folder.mkdir(parents=True)
    recall = dict(zip(LABELS, (0.5, None, 0.1, 0.2, 0.3), strict=True))
    evaluation = an_evaluation(LABELS, accuracy=0.75, recall=recall, blessed=True)
    epochs = (Epoch(epoch=1, loss=1.5, eval_accuracy=0.25), Epoch(epoch=2, loss=float("nan"), eval_accuracy=0.5))
    report = Report(title="t", run="r", created="", evaluation=evaluation)
    for result in (evaluation, an_ingest(), Training(epochs=epochs), report):
        (left / result.FILE).write_text(result.to_json(), encoding="utf-8")
    (folder / REPORT_FILE).write_text("<p>a report</p>", encoding="utf-8")
    (folder / PREDICTIONS_FILE).write_text("text,label\n", encoding="utf-8")
    examples = metadata_store_pb2.Artifact(uri=str(left))
    examples.custom_properties["input_fingerprint"].string_value = "sha256:abc"
    model = metadata_store_pb2.Artifact()
    model.custom_properties["pushed"].int_value = 1
    model.custom_properties["pushed_destination"].string_value = "runs/letters/serving/1796022746"
    made = metadata_store_pb2.Artifact(uri=str(left))
    artifacts = {
        "CsvExampleGen": {"examples": examples},
        "Trainer": {"model_run": made},
        "Evaluator": {"evaluation": made},
        "Report": {"report": made},
        "Pusher": {"pushed_model": model},
    }
    return RunRecord("now", artifacts, report=folder / REPORT_FILE)


def only_run(uri: str, experiment: str):
    client = MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return client, run


def test_what_a_run_came_to_is_read_back_from_the_store(uri: str, record: RunRecord):
    log_run(config_of(uri), record)
    client, run = only_run(uri, "letters")
    assert (run.info.run_name, run.info.status) == ("2026-01-02T03-04-05", "FINISHED")
    metrics = run.data.metrics
    assert metrics["accuracy"] == 0.75
    assert [metrics[f"recall/{name}"] for name in ("kind", "a_b", "a_b_2", "a_b_3")] == [0.5, 0.1, 0.2, 0.3]
    assert "recall/__" not in metrics
    assert {name: value for name, value in run.data.tags.items() if name.startswith("fullbake.")} == {
        "fullbake.pushed": "true",
        "fullbake.blessed": "true",
        "fullbake.model_version": "1796022746",
        "fullbake.data_fingerprint": "sha256:abc",
    }
    curve = client.get_metric_history(run.info.run_id, "training/eval_accuracy")
    assert [(point.step, point.value) for point in curve] == [(1, 0.25), (2, 0.5)]
    assert [point.step for point in client.get_metric_history(run.info.run_id, "training/loss")] == [1]
    stored = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert stored == {"report.html", "summary.json", "predictions.csv"}
    summary = Path(client.download_artifacts(run.info.run_id, "summary.json")).read_text(encoding="utf-8")
    assert json.loads(summary)["metrics"]["recall"][".."] is None


def test_the_config_is_logged_without_secrets_and_cut_to_what_mlflow_takes(uri: str, record: RunRecord):
    spellings = {f"{number:060}": "kind" for number in range(200)}
    log_run(config_of(uri, data={"input_base": "texts", "labels": LABELS, "label_map": spellings}), record)
    params = only_run(uri, "letters")[1].data.params
    assert (params["name"], params["training.epochs"], params["model.approach"]) == ("letters", "3", "fine_tune")
    assert json.loads(params["data.labels"]) == LABELS
    assert json.loads(params["beam.args"]) == ["--flink_token=***"]
    assert len(params["data.label_map"]) == 6000
    assert not [name for name in params if name.startswith(("kubeflow", "tracking"))]


def test_texts_that_are_not_to_be_shown_stay_here_and_the_experiment_has_its_own_name(uri: str, record: RunRecord):
    log_run(
        config_of(uri, report={"show_texts": False}, tracking={"mlflow_uri": uri, "mlflow_experiment": "Über alles"}),
        record,
    )
    client, run = only_run(uri, "Über alles")
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"report.html", "summary.json"}


def test_a_second_run_joins_the_experiment_and_one_from_the_cache_is_not_logged(uri: str, record: RunRecord):
    log_run(config_of(uri), record)
    log_run(config_of(uri), record)
    record.cached = list(record.artifacts)
    log_run(config_of(uri), record)
    client = MlflowClient(tracking_uri=uri)
    assert len(client.search_runs([client.get_experiment_by_name("letters").experiment_id])) == 2


def test_a_server_that_does_not_answer_is_a_warning_within_seconds(record: RunRecord, caplog, capfd):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    config = config_of(f"http://127.0.0.1:{port}")
    began = time.monotonic()
    check_tracking(config)
    log_run(config, record)
    assert time.monotonic() - began < 30
    (warning,) = [entry for entry in caplog.records if entry.name == "fullbake" and entry.levelno == logging.WARNING]
    assert warning.getMessage().startswith("tracking.mlflow_uri: the run was not logged, or not all of it: ")
    assert "has the report" in warning.getMessage()
    assert capfd.readouterr().out == ""


def test_what_fails_on_the_way_marks_the_run_as_failed(uri: str, record: RunRecord, caplog):
    record.report.unlink()
    log_run(config_of(uri), record)
    assert only_run(uri, "letters")[1].info.status == "FAILED"
    assert "No such file" in caplog.text


def test_mlflow_that_is_not_installed_is_said_before_anything_is_trained(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    check_tracking(make_config({"name": "n", "data": {"input_base": "t", "labels": ["a", "b"]}}, {}, "config"))
    with pytest.raises(InputError, match=r"^tracking.mlflow_uri: MLflow is not .*: pip install 'fullbake\[mlflow\]'"):
        check_tracking(config_of("http://mlflow:5000"))


@pytest.mark.parametrize("address", ["nonsense://x", "sqlite:///mlflow.db"])
def test_an_address_that_mlflow_cannot_use_is_said_too(address: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^tracking\.mlflow_uri: .*name a server \(http://\.\.\.\)$"):
        check_tracking(config_of(address))


def test_a_password_in_the_address_is_refused_without_being_repeated(tmp_path: Path):
    with pytest.raises(InputError, match="credentials come from the environment") as error:
        config_of("http://me:pl4nted@mlflow:5000")
    assert "pl4nted" not in str(error.value)
