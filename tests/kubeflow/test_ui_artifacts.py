import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kfp import dsl
from tfx.types.standard_artifacts import ModelEvaluation

from fullbake.contract.names import EVALUATION_FILE
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.report import Report
from fullbake.kubeflow.ui_artifacts import (
    MOST_CLASSES,
    confusion_matrix,
    declare_ui_artifacts,
    scalar_metrics,
    write_ui_artifacts,
)
from fullbake.kubeflow.ui_summary import MOST_LINES, summarize_report
from tests.components.label_reports import label_evaluation
from tests.components.reports import evaluation_of

LABELS = {"non_toxic": 40, "toxic": 24}
SKILL = {"non_toxic": 0.9, "toxic": 0.4}


def report(evaluation: dict[str, Any]) -> Report:
    return Report.from_dict(
        {"title": "comments", "run": "7", "created": "2026-01-01T00:00:00Z", "evaluation": evaluation}
    )


def test_the_matrix_is_what_kfps_own_class_would_write():
    kept = dsl.ClassificationMetrics()
    kept.log_confusion_matrix(["a", "b"], [[3, 1], [0, 2]])
    assert confusion_matrix(["a", "b"], [[3, 1], [0, 2]]) == kept.metadata["confusionMatrix"]


def test_the_outputs_have_kfps_own_types():
    declared = {
        name: output["artifactType"]["schemaTitle"]
        for component in ("Evaluator", "Report")
        for name, output in declare_ui_artifacts(component).items()
    }
    assert declared == {
        "metrics": dsl.Metrics.schema_title,
        "confusion_matrix": dsl.ClassificationMetrics.schema_title,
        "report_page": dsl.HTML.schema_title,
        "report_summary": dsl.Markdown.schema_title,
    }
    assert declare_ui_artifacts("Trainer") == {}


def test_of_many_classes_those_confused_most_are_shown_and_no_row_is_lost():
    size = 300
    labels = [f"class {index}" for index in range(size)]
    counts = np.diag(np.full(size, 100))
    counts[7, 260], counts[299, 5] = 40, 30
    matrix = confusion_matrix(labels, counts.tolist())
    shown = [annotation["displayName"] for annotation in matrix["annotationSpecs"]]
    rows = np.array([row["row"] for row in matrix["rows"]])
    assert rows.shape == (MOST_CLASSES, MOST_CLASSES)
    assert rows.sum() == counts.sum()
    assert {"class 5", "class 7", "class 260", "class 299"} < set(shown)
    assert shown[-1] == f"{size - MOST_CLASSES + 1} other labels"
    assert rows[shown.index("class 7"), shown.index("class 260")] == 40
    assert rows[-1, -1] == 100 * (size - MOST_CLASSES + 1)
    assert len(json.dumps(matrix)) < 20_000


def test_what_could_not_be_measured_is_no_metric():
    evaluation = evaluation_of(LABELS, SKILL)
    evaluation["precision"]["toxic"] = None
    metrics = scalar_metrics(Evaluation.from_dict({**evaluation, "decision_threshold": 0.4}))
    assert "precision.toxic" not in metrics
    assert metrics["recall.toxic"] == pytest.approx(evaluation["recall"]["toxic"], abs=1e-6)
    assert (metrics["support.toxic"], metrics["test_examples"], metrics["decision_threshold"]) == (24, 64, 0.4)
    assert "decision_threshold" not in scalar_metrics(Evaluation.from_dict(evaluation))


def test_the_metrics_of_a_multi_label_model_are_by_label_and_it_has_no_matrix(tmp_path: Path):
    evaluation = label_evaluation()
    (tmp_path / EVALUATION_FILE).write_text(evaluation.to_json())
    made = ModelEvaluation()
    made.uri = str(tmp_path)
    wanted = {name: {"artifacts": [{"uri": str(tmp_path / name)}]} for name in ("metrics", "confusion_matrix")}
    written = write_ui_artifacts("Evaluator", wanted, {"evaluation": [made]}, None)
    assert set(written) == {"metrics"}
    metrics = written["metrics"]["artifacts"][0]["metadata"]
    assert metrics["mean_roc_auc"] == pytest.approx(evaluation.mean_roc_auc, abs=1e-6)
    counts = evaluation.counts["insult"]
    assert metrics["support.insult"] == counts.true_positive + counts.false_negative
    assert metrics["average_precision.insult"] == pytest.approx(evaluation.average_precision["insult"], abs=1e-6)


def test_metrics_of_any_labels_have_names_that_mysql_and_mlflow_keep_apart():
    labels = ["Hate", "hate", "so/so", "so so", "добро", "зло", "hate.1", "x" * 400, "x" * 399 + "y"]
    rows = dict.fromkeys(labels, 3)
    metrics = scalar_metrics(Evaluation.from_dict(evaluation_of(rows, dict.fromkeys(labels, 1.0))))
    recalls = [name for name in metrics if name.startswith("recall.")]
    assert recalls[:7] == [
        *("recall.Hate", "recall.hate.1", "recall.so_so", "recall.so_so.3"),
        *("recall.class_4", "recall.class_5", "recall.hate.1.6"),
    ]
    assert len({name.lower() for name in recalls}) == len(labels)
    assert all(re.fullmatch(r"[\w.-]{1,250}", name, re.ASCII) for name in metrics)


def test_the_summary_says_verdict_missed_bounds_production_and_recalls():
    before = {"model": "/mnt/serving/3", "recall": {"non_toxic": 0.95, "toxic": 0.5}}
    bounds = [("recall", "toxic", 0.9), ("recall", "non_toxic", 0.99), ("recall", "non_toxic", 0.1)]
    evaluation = evaluation_of(LABELS, SKILL, bounds, baseline=before)
    text = summarize_report(report({**evaluation, "baseline_note": "it was <odd>"}))
    assert text.startswith("## comments: Refused: 2 of 3 bounds missed\n\n- missed: recall of 'non\\_toxic' is ")
    assert "\n- missed: recall of 'toxic' is " in text
    assert "\n\nIn production: /mnt/serving/3; it was \\<odd\\>.\n\n| label |" in text
    recall = evaluation["recall"]["toxic"]
    assert f"| toxic | 24 | {recall:.3f} | ≥ 0.9 | 0.500 |" in text
    alone = summarize_report(report(evaluation_of(LABELS, SKILL)))
    assert "Compared with no model in production." in alone


def test_the_summary_of_many_classes_is_short_and_names_the_hardest():
    labels = [f"class|{index}" for index in range(300)]
    rows = dict.fromkeys(labels, 5)
    bounds = [("recall", label, 1.0) for label in labels]
    text = summarize_report(report(evaluation_of(rows, dict.fromkeys(labels, 0.5), bounds)))
    table = [line for line in text.splitlines() if line.startswith("| class")]
    assert len(table) == MOST_LINES
    assert all(len(re.split(r"(?<!\\)\|", line)) == 9 for line in table)
    assert f"the report has the {300 - MOST_LINES} others" in text
    assert len(text) < 10_000
