"""The measures by which approaches are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
        truth: Of each test row and label, as of `Comparison`.
    """
    measures = [Measure("accuracy"), Measure("macro_f1"), Measure("macro_recall")]
    if len(labels) <= MANY_LABELS:
        measures += [Measure("recall", label) for index, label in enumerate(labels) if np.any(truth[:, index] == 1)]
    return measures


def rates_of_rows(weights: np.ndarray, truth: np.ndarray, decided: np.ndarray) -> Rates:
    """Returns the rates of weighted rows, for many weightings at once.

    Args:
        weights: How often each row counts, float `(resamples, rows)`.
        truth: As of `Comparison`, `(rows, labels)`.
        decided: As of `Outcome`, `(rows, labels)`.

    Returns:
        Rates of shape `(resamples,)`, by label `(resamples, labels)`; the accuracy is the share of rows of which every
        known label is right.
    """
    has_label = (truth == 1).astype(float)
    given = (decided & (truth >= 0)).astype(float)
    rates = Rates.of_counts(weights @ (has_label * decided), weights @ has_label, weights @ given)
    return replace(rates, accuracy=weights @ rows_right(truth, decided) / weights.sum(axis=1))


def rows_right(truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    """Says of each row whether every known label is right: bool `(rows,)`; the arguments are as of `rates_of_rows`."""
    right: np.ndarray = ((truth < 0) | (decided == (truth == 1))).all(axis=1)
    return right
