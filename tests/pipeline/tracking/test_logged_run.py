"""Two runs of the pipeline that differ only in where they are logged."""

import json
from pathlib import Path

from mlflow import MlflowClient

from tests.pipeline.planted import planted_rows, write_config, write_csv


def test_a_run_is_logged_and_another_server_changes_nothing_that_the_cache_knows(
    base: Path, tmp_path: Path, fullbake, monkeypatch
):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], planted_rows()[:90])
    config = write_config(
        tmp_path,
        str(base),
        data={"label_map": {0: "kind", 1: "rude", 2: "plain"}},
        model={"approach": "frozen"},
        training={"epochs": 1, "learning_rate": None},
    )
    summaries = []
    for store in ("one", "other"):
        options = ["--root", tmp_path / "out", "--summary", tmp_path / "summary.json"]
        done = fullbake("run", config, *options, "--set", f"tracking.mlflow_uri=file:{tmp_path / store}")
        assert done.exit_code == 0, done.output
        summaries.append(json.loads((tmp_path / "summary.json").read_text(encoding="utf-8")))
    client = MlflowClient(tracking_uri=f"file:{tmp_path / 'one'}")
    (run,) = client.search_runs([client.get_experiment_by_name("planted").experiment_id])
    assert run.info.run_name == Path(summaries[0]["report"]).parent.name
    assert run.data.metrics["accuracy"] == summaries[0]["metrics"]["accuracy"]
    assert run.data.tags["fullbake.model_version"] == Path(summaries[0]["model"]).name
    assert client.get_metric_history(run.info.run_id, "training/loss")
    assert summaries[1]["cached"] == list(summaries[0]["seconds"])
    assert MlflowClient(tracking_uri=f"file:{tmp_path / 'other'}").get_experiment_by_name("planted") is None
