"""What is counted and measured of the labels of a multi-label model."""

from __future__ import annotations

import numpy as np

from fullbake.components.evaluation.decision_metrics import COARSE_BINS, FINE_BINS, MANY_LABELS, SCORES
from fullbake.components.evaluation.judged_rows import JudgedRows
from fullbake.components.evaluation.ranking import average_precision, roc_auc

COUNTS = "label_counts"
"""`(labels, 5)`: true positive, false negative, false positive, true negative, masked (see `LabelCounts`)."""
EXACT = "exact_rows"
"""`(3,)`: all rows, those of which some label is known, and those of them with every known label right."""
ROC_AUC = "roc_auc"
"""`(labels,)`; NaN where it cannot be measured."""
AVERAGE_PRECISION = "average_precision"
"""`(labels,)`; NaN where it cannot be measured."""
LABEL_MEASURES = (COUNTS, EXACT, SCORES, ROC_AUC, AVERAGE_PRECISION)


def measure_labels(rows: JudgedRows) -> dict[str, np.ndarray]:
    """Returns by name what is measured of each label, on the rows of which it is known; all float64.

    Args:
        rows: All of them, with scores.

    Returns:
        Each of `LABEL_MEASURES`; `SCORES` is `(2, labels, bins)`, rows that do not have the label and rows that do by
        the probability that they were given for it.
    """
    truth, known, decided, scores = rows.truth, rows.known, rows.decided, rows.scores
    both = [truth & decided, truth & ~decided, known & ~truth & decided, known & ~truth & ~decided, ~known]
    some_known = known.any(axis=1)
    exact = some_known & ((truth == decided) | ~known).all(axis=1)
    columns = [(scores[known[:, label], label], truth[known[:, label], label]) for label in range(rows.labels)]
    bins = FINE_BINS if rows.labels < MANY_LABELS else COARSE_BINS
    return {
        COUNTS: np.stack([each.sum(axis=0) for each in both], axis=1).astype(float),
        EXACT: np.array([len(rows), some_known.sum(), exact.sum()], float),
        SCORES: np.stack([[_histogram(s[t == has], bins) for s, t in columns] for has in (False, True)]),
        ROC_AUC: np.array([roc_auc(s, t) for s, t in columns], float),
        AVERAGE_PRECISION: np.array([average_precision(s, t) for s, t in columns], float),
    }


def _histogram(scores: np.ndarray, bins: int) -> np.ndarray:
    return np.bincount(np.minimum((scores * bins).astype(int), bins - 1), minlength=bins).astype(float)
