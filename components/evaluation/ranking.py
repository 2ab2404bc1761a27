"""How well scores rank the rows that have a label before those that do not: exact, ties and all."""

from __future__ import annotations

import numpy as np


def roc_auc(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Returns the area under the ROC curve: how often a row with the label is scored above one without it.

    A tie counts as half. It is the statistic of Mann and Whitney as a share (Hanley and McNeil, "The Meaning and Use of
    the Area under a Receiver Operating Characteristic (ROC) Curve", Radiology 143 (1982), 29-36), and what
    scikit-learn's `roc_auc_score` returns.

    Args:
        scores: `(rows,)`; the higher, the likelier the label.
        truth: Whether each row has the label, bool `(rows,)`.

    Returns:
        From 0 to 1; None where all rows have the label, or none has it.
    """
    positive, negative = _by_score(scores, truth)
    pairs = positive.sum() * negative.sum()
    if not pairs:
        return None
    below = negative.cumsum() - negative
    return float((positive * (below + negative / 2)).sum() / pairs)


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Returns the mean of the precisions at each score, weighted by the recall that it adds.

    That is scikit-learn's `average_precision_score`: the area under a curve of steps, without interpolation.

    Args:
        scores: As `roc_auc` takes them.
        truth: Likewise.

    Returns:
        From 0 to 1; None where no row has the label.
    """
    positive, negative = (counts[::-1] for counts in _by_score(scores, truth))
    if not positive.sum():
        return None
    found = positive.cumsum()
    return float((positive * found / (found + negative.cumsum())).sum() / positive.sum())


def mean_of_known(values: list[float | None]) -> float | None:
    """Returns the mean of the values that are there; None if none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _by_score(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many rows with and without the label have each score, from the lowest up: float64 `(scores,)`."""
    different, places = np.unique(scores, return_inverse=True)
    positive = np.bincount(places[truth], minlength=len(different))
    return positive.astype(float), (np.bincount(places, minlength=len(different)) - positive).astype(float)
