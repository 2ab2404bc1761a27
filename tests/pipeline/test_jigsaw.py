"""The founding data set as it is downloaded: from `init` to a pushed model, a comparison and a cluster."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from fullbake.contract.names import ABOUT_FILE, EVALUATION_FILE, REPORT_FILE
from fullbake.kubeflow.compiler import compile_package
from fullbake.pipeline.config.loading import load_config
from tests.kubeflow.backend import Backend, start_warm
from tests.pipeline.jigsaw import LABELS, SIGNAL, write_jigsaw
from tests.warm import WarmProcess

TEST_PART = [
    "data.test_base=data/test",
    "data.test_labels_file=test_labels.csv",
    "data.id_column=id",
    "data.missing_label=mask",
]
# A random encoder of width 32 has to be taught what a pre-trained one knows.
TRAINING = [
    "model.head=linear",
    "model.pooling=mean",
    "training.epochs=8",
    "training.learning_rate=5.0e-3",
    "training.class_weights=balanced",
]
BOUNDS = ["gate.min_recall={" + ", ".join(f"{label}: 0.8" for label in LABELS) + "}", "gate.decision_threshold=auto"]


class Ran(NamedTuple):
    """A folder with the files, the config that `init` wrote and the output root `out`, and what the run said."""

    folder: Path
    fullbake: Callable[..., subprocess.CompletedProcess[str]]
    result: subprocess.CompletedProcess[str]
    summary: dict[str, Any]


def settings(*overrides: str) -> list[str]:
    return [argument for override in overrides for argument in ("--set", override)]


@pytest.fixture(scope="module")
def ran(base: Path, tmp_path_factory: pytest.TempPathFactory, warm: WarmProcess) -> Ran:
    folder = tmp_path_factory.mktemp("jigsaw")
    write_jigsaw(folder / "data")
    shutil.copytree(base, folder / "base")

    def fullbake(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = warm.run("fullbake", list(arguments), folder, {**os.environ, "COLUMNS": "200"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    fullbake("init", "data/train/train.csv", "--text", "comment_text", "--base", "base", "--output", "jigsaw.yaml")
    result = fullbake(
        *("run", "jigsaw.yaml", "--root", "out", "--summary", "summary.json"),
        *settings(*TEST_PART, *TRAINING, *BOUNDS),
    )
    return Ran(folder, fullbake, result, json.loads((folder / "summary.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def predicted(ran: Ran) -> pd.DataFrame:
    """What `predict` says of the test texts, beside their labels; those whose labels are masked are not there."""
    ran.fullbake("predict", "--model", "out", "--input", "data/test/test.csv", "--output", "out/labelled.csv")
    labelled = pd.read_csv(ran.folder / "out/labelled.csv", keep_default_na=False, dtype={"id": str})
    truth = pd.read_csv(ran.folder / "data/test/test_labels.csv", dtype={"id": str})
    joined = labelled.merge(truth, on="id", validate="one_to_one")
    assert len(joined) == 200
    return joined[joined["toxic"] >= 0]


def decided(predicted: pd.DataFrame) -> np.ndarray:
    given = [label.split(",") if label else [] for label in predicted["label"]]
    return np.array([[label in labels for label in LABELS] for labels in given])


def test_the_config_names_each_label_and_leaves_the_id_alone(ran: Ran):
    config = load_config(ran.folder / "jigsaw.yaml")
    assert config.data.label_columns == tuple(LABELS)
    assert set(config.gate.min_recall) == set(LABELS)


def test_every_row_is_accounted_for_and_masked_ones_are_not_used(ran: Ran):
    examples = ran.summary["examples"]
    assert examples["train"] + examples["eval"] == 500
    assert (examples["test"], examples["rejected"]) == (160, 40)
    assert "40 rows of 700 are not used: no label is known" in ran.result.stdout


def test_planted_labels_and_the_one_that_depends_on_another_are_learned(ran: Ran, predicted: pd.DataFrame):
    assert ran.summary["pushed"] is True
    assert min(ran.summary["metrics"]["recall"].values()) >= 0.8
    assert ran.summary["metrics"]["mean_roc_auc"] > 0.95
    severe = predicted[predicted["label"].str.contains("severe_toxic")]["comment_text"].str.lower()
    assert len(severe) >= 15
    assert severe.str.contains(SIGNAL["toxic"]).mean() > 0.9, "without the other word this one says nothing"


def test_the_metrics_are_those_of_scikit_learn_on_what_predict_says(ran: Ran, predicted: pd.DataFrame):
    metrics, given, truth = ran.summary["metrics"], decided(predicted), predicted[LABELS].to_numpy()
    assert metrics["accuracy"] == pytest.approx(accuracy_score(truth, given))
    assert metrics["macro_f1"] == pytest.approx(f1_score(truth, given, average="macro"))
    scores = predicted[[f"p_{label}" for label in LABELS]].to_numpy()
    for index, label in enumerate(LABELS):
        assert metrics["recall"][label] == pytest.approx(recall_score(truth[:, index], given[:, index]))
        assert metrics["precision"][label] == pytest.approx(precision_score(truth[:, index], given[:, index]))
        # Six decimals in the file may make ties of neighbours.
        assert metrics["roc_auc"][label] == pytest.approx(roc_auc_score(truth[:, index], scores[:, index]), abs=1e-4)
        assert metrics["average_precision"][label] == pytest.approx(
            average_precision_score(truth[:, index], scores[:, index]), abs=1e-3
        )
    assert metrics["mean_roc_auc"] == pytest.approx(roc_auc_score(truth, scores, average="macro"), abs=1e-4)


def test_each_label_is_decided_from_the_threshold_that_the_model_keeps(ran: Ran, predicted: pd.DataFrame):
    about = json.loads((Path(ran.summary["model"]) / ABOUT_FILE).read_text(encoding="utf-8"))
    thresholds = about["decision_thresholds"]
    assert list(thresholds) == LABELS
    given = decided(predicted)
    for index, label in enumerate(LABELS):
        clear = (predicted[f"p_{label}"] - thresholds[label]).abs() > 1e-6
        expected = predicted[f"p_{label}"] >= thresholds[label]
        np.testing.assert_array_equal(given[clear, index], expected[clear])


def test_the_report_shows_every_label(ran: Ran):
    page = Path(ran.summary["report"]).read_text(encoding="utf-8")
    assert "Pushed: every bound met" in page
    assert all(f"Recall of &#39;{label}&#39;" in page or f"Recall of '{label}'" in page for label in LABELS)


def test_compare_measures_label_by_label_what_the_run_did(ran: Ran):
    result = ran.fullbake(
        *("compare", "jigsaw.yaml", "--root", "out", "--summary", "compared.json"),
        *("--approach", "fine_tune", *settings(*TEST_PART, *TRAINING, *BOUNDS)),  # trained already
    )
    compared = json.loads((ran.folder / "compared.json").read_text(encoding="utf-8"))
    tuned = compared["approaches"]["fine_tune"]
    assert tuned["accuracy"]["mean"] == pytest.approx(ran.summary["metrics"]["accuracy"])
    for label in LABELS:
        assert tuned["recall"][label]["mean"] == pytest.approx(ran.summary["metrics"]["recall"][label])
        assert f"recall of {label}" in result.stdout


@pytest.mark.skipif(not Backend.can_run(), reason="the launcher's folders cannot be made here; run as root")
def test_the_same_config_makes_the_same_model_on_a_cluster(ran: Ran, tmp_path: Path, warm: WarmProcess):
    mounted = [
        f"data.input_base={ran.folder / 'data/train'}",
        f"data.test_base={ran.folder / 'data/test'}",
        f"model.base={ran.folder / 'base'}",
        f"push.serving_dir={ran.folder / 'serving'}",
        "kubeflow.image=fullbake:test",
        f"kubeflow.volume={{claim: any, mount_path: {ran.folder}}}",
    ]
    config = load_config(ran.folder / "jigsaw.yaml", [*TEST_PART[1:], *TRAINING, *BOUNDS, *mounted])
    backend = Backend("minio", tmp_path, start_warm(warm))
    steps = backend.run(compile_package(config))
    assert {name: step.log[-2000:] for name, step in steps.items() if step.code} == {}
    (version,) = (name for name in os.listdir(ran.folder / "serving") if name.isdigit())
    assert (ran.folder / "serving" / version / ABOUT_FILE).exists()
    found = json.loads(backend.read(steps["Evaluator"].outputs["evaluation"], EVALUATION_FILE))
    for metric in ("recall", "precision"):
        assert found[metric] == pytest.approx(ran.summary["metrics"][metric])
    assert "every bound met" in backend.read(steps["Report"].outputs["report"], REPORT_FILE)
