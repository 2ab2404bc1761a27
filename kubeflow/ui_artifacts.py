"""What the pages of Kubeflow Pipelines show of a run: artifacts of its own types, beside those of TFX.

The graph on a laptop has none of them. The compiler declares them (`declare_ui_artifacts`), and the entrypoint writes
them when a component is done (`write_ui_artifacts`). The pages read `system.Metrics` and
`system.ClassificationMetrics` from the artifact's metadata, and `system.HTML` and `system.Markdown` from the one
file at its address (frontend/src/components/viewers/MetricsVisualizations.tsx of kubeflow/pipelines, 2.0.5 to 2.17.0).
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tfx import types
from tfx.dsl.io import fileio

from fullbake.contract.names import EVALUATION_FILE, REPORT_FILE, REPORT_PARTS_FILE
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.report import Report
from fullbake.kubeflow.executor_artifacts import to_local
from fullbake.kubeflow.ui_summary import escape_markdown, summarize_report

METRICS = "metrics"
CONFUSION_MATRIX = "confusion_matrix"
REPORT_PAGE = "report_page"
REPORT_SUMMARY = "report_summary"

_TYPES = {
    "Evaluator": {METRICS: "system.Metrics", CONFUSION_MATRIX: "system.ClassificationMetrics"},
    "Report": {REPORT_PAGE: "system.HTML", REPORT_SUMMARY: "system.Markdown"},
}
"""By component and output, the type of the artifact."""

MOST_CLASSES = 46
"""In a confusion matrix: 700 pixels, of which a cell takes 15 at least (ConfusionMatrix.tsx). Beyond it the page would
be wider than a screen, and the metadata of 1,000 classes more than a message of gRPC may hold (4 MB)."""

# A metric's name is part of a primary key of ML Metadata. MySQL takes letters that differ by case or accent for equal
# (utf8mb4_0900_ai_ci, the default of its release 8): a step with two such labels would fail after all its work. MLflow,
# to which Kubeflow from 2.17 on can hand these metrics, takes letters, digits and a few signs.
_ILLEGAL_IN_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
# ML Metadata keeps 255 characters of a property's name in MySQL, MLflow 250; the metric's own name comes before it.
_LONGEST_LABEL = 200
_DIGITS = 6


def declare_ui_artifacts(component: str) -> dict[str, Any]:
    """Returns the outputs of a component that only the package has: `outputDefinitions.artifacts` of its spec."""
    return {
        name: {"artifactType": {"schemaTitle": title, "schemaVersion": "0.0.1"}}
        for name, title in _TYPES.get(component, {}).items()
    }


def write_ui_artifacts(
    component: str,
    wanted: Mapping[str, Any],
    outputs: Mapping[str, Sequence[types.Artifact]],
    nothing_new: str | None,
) -> dict[str, Any]:
    """Writes the files of a component's artifacts of this kind into the launcher's folders.

    Args:
        component: Its id.
        wanted: `outputs.artifacts` of the executor input, from JSON.
        outputs: What the component made, by key a list of one artifact.
        nothing_new: Why the component was left out; None if it did its work. Metrics are empty then, which the page
            passes over, and the files say why: for a file that is not there, the page shows an error.

    Returns:
        The `artifacts` of an executor output, of those that have metadata.
    """
    if component not in _TYPES:
        return {}
    files: dict[str, str] = {}
    metadata: dict[str, dict[str, Any]] = {}
    if component == "Report":
        files = _nothing_new_files(nothing_new) if nothing_new is not None else _report_files(outputs["report"][0].uri)
    elif nothing_new is None:
        evaluation = Evaluation.from_json(_read(outputs["evaluation"][0].uri, EVALUATION_FILE))
        metadata = {METRICS: scalar_metrics(evaluation)}
        if not evaluation.multi_label:
            matrix = confusion_matrix(evaluation.labels, evaluation.confusion)
            metadata[CONFUSION_MATRIX] = {"confusionMatrix": matrix}
    addresses = {name: wanted[name]["artifacts"][0]["uri"] for name in _TYPES[component]}
    for name, content in files.items():
        path = to_local(addresses[name])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(content)
    return {name: {"artifacts": [{"uri": addresses[name], "metadata": values}]} for name, values in metadata.items()}


def scalar_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Returns the metadata of `system.Metrics`.

    Args:
        evaluation: What the Evaluator left.

    Returns:
        `accuracy`, `macro_f1`, `test_examples` and, where the second label has one, `decision_threshold`; and for
        each label `recall.<label>`, `precision.<label>`, `f1.<label>` and `support.<label>`, the number of its
        test rows. Of a multi-label model also `mean_roc_auc`, `mean_average_precision` and, for each label,
        `roc_auc.<label>` and `average_precision.<label>`. What could not be measured is not there: the launcher refuses
        null.
    """
    labels = evaluation.labels
    found: dict[str, float | None] = {
        "accuracy": evaluation.accuracy,
        "macro_f1": evaluation.macro_f1,
        "test_examples": evaluation.examples,
        "decision_threshold": evaluation.decision_threshold,
        "mean_roc_auc": evaluation.mean_roc_auc,
        "mean_average_precision": evaluation.mean_average_precision,
    }
    rates = {"recall": evaluation.recall, "precision": evaluation.precision, "f1": evaluation.f1}
    if evaluation.multi_label:
        rates |= {"roc_auc": evaluation.roc_auc, "average_precision": evaluation.average_precision}
    for (label, tally), name in zip(evaluation.tallies.items(), _names(labels), strict=True):
        found |= {f"{rate}.{name}": by_label[label] for rate, by_label in rates.items()}
        found[f"support.{name}"] = tally.texts
    return {name: round(value, _DIGITS) for name, value in found.items() if value is not None}


def confusion_matrix(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Returns the property `confusionMatrix` of `system.ClassificationMetrics`.

    Args:
        labels: In the order of their class index.
        confusion: Counts of shape (labels, labels); rows are true labels, columns decided ones.

    Returns:
        `annotationSpecs`, the labels, and `rows`; of more than `MOST_CLASSES` labels, those that are confused most,
        and all others as one, so that the sums stay what they are.
    """
    shown, counts = list(labels), np.array(confusion, dtype=np.int64)
    if len(shown) > MOST_CLASSES:
        mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
        kept = np.sort(np.argsort(-mistakes, kind="stable")[: MOST_CLASSES - 1])
        place = np.full(len(labels), len(kept))
        place[kept] = np.arange(len(kept))
        folded = np.zeros((MOST_CLASSES, MOST_CLASSES), dtype=np.int64)
        np.add.at(folded, (place[:, None], place[None, :]), counts)
        shown, counts = [labels[index] for index in kept] + [f"{len(labels) - len(kept)} other labels"], folded
    return {
        "annotationSpecs": [{"displayName": label} for label in shown],
        "rows": [{"row": row} for row in counts.tolist()],
    }


def _names(labels: Sequence[str]) -> list[str]:
    """Returns what stands for each label in a metric's name; no two are alike, whatever their case.

    A label that has no letter or digit of ASCII is named by its class index.
    """
    names: list[str] = []
    taken: set[str] = set()
    for index, label in enumerate(labels):
        name = _ILLEGAL_IN_NAME.sub("_", label)[:_LONGEST_LABEL]
        if not re.search("[A-Za-z0-9]", name):
            name = f"class_{index}"
        while name.lower() in taken:
            name = f"{name}.{index}"
        taken.add(name.lower())
        names.append(name)
    return names


def _report_files(report: str) -> dict[str, str]:
    return {
        REPORT_PAGE: _read(report, REPORT_FILE),
        REPORT_SUMMARY: summarize_report(Report.from_json(_read(report, REPORT_PARTS_FILE))),
    }


def _nothing_new_files(reason: str) -> dict[str, str]:
    said = f"There is nothing new: {reason}."
    return {
        REPORT_PAGE: f'<!doctype html>\n<meta charset="utf-8">\n<p>{html.escape(said)}</p>\n',
        REPORT_SUMMARY: f"{escape_markdown(said)}\n",
    }


def _read(uri: str, name: str) -> str:
    with fileio.open(os.path.join(uri, name), "rb") as file:
        content: bytes = file.read()
    return content.decode("utf-8")
