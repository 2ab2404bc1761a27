"""The result of an evaluation, made of what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fullbake.components.evaluation.decision_metrics import CONFIDENCE, CONFUSION, SCORES
from fullbake.components.evaluation.gate import Share
from fullbake.components.evaluation.label_measures import COUNTS
from fullbake.components.evaluation.label_summary import label_shares, measured_labels
from fullbake.components.evaluation.rates import rates_by_label
from fullbake.contract.results.evaluation import Bound, ConfidenceCounts, Evaluation, ScoreCounts


def summarize(
    counts: dict[str, np.ndarray],
    labels: Sequence[str],
    *,
    bounds: Sequence[Bound],
    **more: Any,
) -> Evaluation:
    """Makes the result of what was counted and of the gate's bounds.

    Args:
        counts: Those of `DecisionMetrics`, or of a multi-label model those of `RowMetrics`.
        labels: The labels in the order of their class index.
        bounds: The gate's bounds and their outcomes; the model is blessed if all are met.
        **more: Other fields of the result.
    """
    measured = measured_labels(counts, labels) if COUNTS in counts else _measured_classes(counts, labels)
    return Evaluation(
        labels=tuple(labels), **measured, **more, bounds=tuple(bounds), blessed=all(bound.passed for bound in bounds)
    )


def _measured_classes(counts: dict[str, np.ndarray], labels: Sequence[str]) -> dict[str, Any]:
    """Returns the fields that are measured, of a model that gives a row one label."""
    confusion = counts[CONFUSION][:, : len(labels)]  # a model's decisions are for its own labels
    negative, positive = counts[SCORES].astype(int).tolist()
    count, correct, probability_sum = counts[CONFIDENCE]
    return {
        "examples": int(confusion.sum()),
        **rates_by_label(confusion, labels),
        "confusion": confusion.astype(int).tolist(),
        "scores": {
            label: ScoreCounts(positive=positive[index], negative=negative[index]) for index, label in enumerate(labels)
        },
        "confidence": ConfidenceCounts(
            count=count.astype(int).tolist(),
            correct=correct.astype(int).tolist(),
            probability_sum=probability_sum.tolist(),
        ),
    }


def shares(counts: dict[str, np.ndarray], labels: Sequence[str]) -> tuple[dict[str, Share], dict[str, Share]]:
    """Returns recall and precision of each label with their counts.

    Args:
        counts: As `summarize` takes them.
        labels: The labels in the order of their class index.
    """
    if COUNTS in counts:
        return label_shares(counts, labels)
    # More columns than labels are of decisions for other labels.
    confusion = counts[CONFUSION]
    right = np.diag(confusion)
    recall, precision = (
        {label: Share(int(hits), int(rows)) for label, hits, rows in zip(labels, right, counted, strict=True)}
        for counted in (confusion.sum(axis=1), confusion.sum(axis=0)[: len(labels)])
    )
    return recall, precision
