"""The measures by which approaches are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fullbake.components.evaluation.rates import Rates

MANY_LABELS = 12
"""Beyond this many classes only the most telling are shown, and none is tested by itself."""


class Measure(NamedTuple):
    """A measure of how well an approach decides.

    Attributes:
        metric: A field of `Rates`.
        label: Of a metric by label, the label.
    """

    metric: str
    label: str | None = None

    @property
    def name(self) -> str:
        """The measure in words, such as "recall of toxic"."""
        name = {"macro_f1": "macro F1", "macro_recall": "macro recall"}.get(self.metric, self.metric)
        return name if self.label is None else f"{name} of {self.label}"

    def of(self, rates: Rates, labels: Sequence[str]) -> np.ndarray:
        """Returns the values of this measure.

        Args:
            rates: Of many confusion matrices, or of one.
            labels: In the order of the class index.
        """
        values: np.ndarray = getattr(rates, self.metric)
        return values if self.label is None else values[..., labels.index(self.label)]


def tested_measures(labels: Sequence[str], truth: np.ndarray) -> list[Measure]:
    """Returns the measures by which approaches are compared; none of a class without a test row.

    Args:
        labels: In the order of the class index.
        truth: The class index of each test row, int `(test_rows,)`.
    """
    measures = [Measure("accuracy"), Measure("macro_f1"), Measure("macro_recall")]
    if len(labels) <= MANY_LABELS:
        measures += [Measure("recall", label) for index, label in enumerate(labels) if np.any(truth == index)]
    return measures


def rates_of_rows(weights: np.ndarray, truth: np.ndarray, decided: np.ndarray, classes: int) -> Rates:
    """Returns the rates of weighted rows, for many weightings at once.

    Args:
        weights: How often each row counts, float `(resamples, rows)`.
        truth: Class indices, int `(rows,)`.
        decided: Class indices, int `(rows,)`.
        classes: How many there are.

    Returns:
        Rates of shape `(resamples,)`, by class `(resamples, classes)`.
    """
    one_hot = np.eye(classes)
    is_class = one_hot[truth]
    is_right = is_class * (decided == truth)[:, np.newaxis]
    return Rates.of_counts(weights @ is_right, weights @ is_class, weights @ one_hot[decided])
