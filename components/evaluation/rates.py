"""Accuracy, recall, precision and F1, by counts of true labels and of decisions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Rates(NamedTuple):
    """The rates of one confusion matrix, or of many at once.

    Attributes:
        accuracy: Share of the rows decided rightly, float `(...,)`.
        macro_f1: Mean F1 over the labels that have rows, float `(...,)`; 0 where none has.
        macro_recall: Mean recall over the same, float `(...,)`.
        recall: By label, float `(..., labels)`; NaN without a row of the label.
        precision: By label, float `(..., labels)`; NaN if the label was never decided.
        f1: By label, float `(..., labels)`; NaN without a row of the label.
    """

    accuracy: np.ndarray
    macro_f1: np.ndarray
    macro_recall: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    f1: np.ndarray


def rates_of_counts(right: np.ndarray, true: np.ndarray, decided: np.ndarray) -> Rates:
    """The rates of these counts.

    Args:
        right: Rows of each label that are decided rightly, float `(..., labels)`.
        true: Rows of each label, float `(..., labels)`.
        decided: Rows decided for each label, float `(..., labels)`.
    """
    present = true > 0
    with np.errstate(invalid="ignore"):
        recall, precision = right / true, right / decided
        f1 = np.where(present, 2 * right / (true + decided), np.nan)
    labels = np.maximum(1, present.sum(axis=-1))
    macro_f1, macro_recall = (np.where(present, each, 0).sum(axis=-1) / labels for each in (f1, recall))
    accuracy = right.sum(axis=-1) / np.maximum(1, true.sum(axis=-1))
    return Rates(accuracy, macro_f1, macro_recall, recall, precision, f1)
