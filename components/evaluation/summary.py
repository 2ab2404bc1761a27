"""The result of an evaluation, made of what was counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fullbake.components.evaluation.decision_metrics import CONFIDENCE, CONFUSION, SCORES
from fullbake.components.evaluation.gate import Share
from fullbake.components.evaluation.rates import rates_by_label
from fullbake.contract.results.evaluation import BaselineRecall, Bound, ConfidenceCounts, Evaluation, ScoreCounts


def summarize(
    counts: dict[str, np.ndarray],
    labels: Sequence[str],
    *,
    bounds: Sequence[Bound],
    decision_threshold: float | None = None,
    baseline: BaselineRecall | None = None,
    baseline_note: str | None = None,
) -> Evaluation:
    """Makes the result of the counts of `DecisionMetrics` and of the gate's bounds.

    Args:
        counts: `confusion`, `scores` and `confidence`, shaped as `components.evaluation.decision_metrics` says.
        labels: The labels in the order of their class index.
        bounds: The gate's bounds and their outcomes; the model is blessed if all are met.
        decision_threshold: The probability from which the model decides for the second label; None: the likelier label.
        baseline: The model that it was compared with.
        baseline_note: What people should know of the comparison.
    """
    confusion = counts[CONFUSION][:, : len(labels)]  # a model's decisions are for its own labels
    negative, positive = counts[SCORES].astype(int).tolist()
    count, correct, probability_sum = counts[CONFIDENCE]
    return Evaluation(
        examples=int(confusion.sum()),
        labels=tuple(labels),
        **rates_by_label(confusion, labels),
        confusion=confusion.astype(int).tolist(),
        scores={
            label: ScoreCounts(positive=positive[index], negative=negative[index]) for index, label in enumerate(labels)
        },
        confidence=ConfidenceCounts(
            count=count.astype(int).tolist(),
            correct=correct.astype(int).tolist(),
            probability_sum=probability_sum.tolist(),
        ),
        decision_threshold=decision_threshold,
        baseline=baseline,
        baseline_note=baseline_note,
        bounds=tuple(bounds),
        blessed=all(bound.passed for bound in bounds),
    )


def shares(confusion: np.ndarray, labels: Sequence[str]) -> tuple[dict[str, Share], dict[str, Share]]:
    """Returns recall and precision of each label with their counts.

    Args:
        confusion: Counts `(labels, labels)`, rows by true label, columns by decision; more columns are of decisions
            for other labels.
        labels: The labels in the order of their class index.
    """
    right = np.diag(confusion)
    recall, precision = (
        {label: Share(int(hits), int(rows)) for label, hits, rows in zip(labels, right, counted, strict=True)}
        for counted in (confusion.sum(axis=1), confusion.sum(axis=0)[: len(labels)])
    )
    return recall, precision
