"""Accuracy, recall, precision and F1: the one place where they are made of counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Rates:
    """The rates of one count or of many at once, float64; NaN where nothing was counted.

    Attributes:
        accuracy: Share of the rows decided rightly: `(...)`.
        macro_f1: Mean F1 over the classes that have rows: `(...)`.
        macro_recall: Mean recall over the same: `(...)`.
        recall: Of each class; NaN without a row of it: `(..., classes)`.
        precision: Of each class; NaN where it was never decided: `(..., classes)`.
        f1: Of each class; NaN without a row of it: `(..., classes)`.
    """

    accuracy: np.ndarray
    macro_f1: np.ndarray
    macro_recall: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    f1: np.ndarray

    @classmethod
    def of_confusion(cls, confusion: np.ndarray) -> Rates:
        """Returns the rates of confusion matrices.

        Args:
            confusion: Counts `(..., classes, decisions)`, rows by true class, columns by decided one in the same
                order; more columns are of decisions that are none of the classes.
        """
        right = np.diagonal(confusion, axis1=-2, axis2=-1)
        return cls.of_counts(right, confusion.sum(axis=-1), confusion.sum(axis=-2)[..., : confusion.shape[-2]])

    @classmethod
    def of_counts(cls, right: np.ndarray, true: np.ndarray, decided: np.ndarray) -> Rates:
        """Returns the rates of what was counted of each class.

        Args:
            right: Rows of the class that were decided for it, `(..., classes)`.
            true: Rows of the class, `(..., classes)`.
            decided: Rows that were decided for it, `(..., classes)`.
        """
        has_rows = true > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            recall, precision = right / true, right / decided
            f1 = np.where(has_rows, 2 * right / (true + decided), np.nan)
            accuracy = right.sum(axis=-1) / true.sum(axis=-1)
            macro_f1, macro_recall = (
                np.where(has_rows, each, 0).sum(axis=-1) / has_rows.sum(axis=-1) for each in (f1, recall)
            )
        return cls(accuracy, macro_f1, macro_recall, recall, precision, f1)


def rates_by_label(confusion: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """Returns the rates of one confusion matrix, by label.

    Args:
        confusion: As `Rates.of_confusion` takes it.
        labels: In the order of their class index.

    Returns:
        `accuracy` and `macro_f1` (0 without a row), and by label `recall` (None without a row of the label),
        `precision` (None if never decided) and `f1` (None without a row of the label).
    """
    rates = Rates.of_confusion(confusion)
    return {
        "accuracy": float(np.nan_to_num(rates.accuracy)),
        "macro_f1": float(np.nan_to_num(rates.macro_f1)),
        "recall": by_label(rates.recall, labels),
        "precision": by_label(rates.precision, labels),
        "f1": by_label(rates.f1, labels),
    }


def by_label(values: np.ndarray, labels: Sequence[str]) -> dict[str, float | None]:
    """Returns numbers `(labels,)` by label; None in place of NaN."""
    numbers = [None if np.isnan(value) else float(value) for value in values]
    return dict(zip(labels, numbers, strict=True))
