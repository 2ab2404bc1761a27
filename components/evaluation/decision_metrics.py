"""A TFMA metric that counts what serving decides: every class's recall and precision come from one confusion matrix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from fullbake.components.evaluation.rates import rates_by_label
from fullbake.contract.names import LABEL_OUTPUT, PROBABILITIES_OUTPUT

CONFUSION = "confusion"
SCORES = "scores"
CONFIDENCE = "confidence"

# Bins of a probability over [0, 1]. With many classes fewer, so that the histograms stay under a megabyte.
FINE_BINS = 1000
COARSE_BINS = 100
MANY_LABELS = 20


@dataclass
class _Counts:
    """Float64 counts that add up over rows.

    Attributes:
        confusion: `(labels, labels + 1)`, rows by true label, columns by decision; the last column is of decisions for
            a label that only an older model knows.
        scores: `(2, labels, bins)`, rows by the probability given to each label, for rows that do not have it and rows
            that do.
        confidence: `(3, bins)`: of the rows whose highest probability falls in a bin how many there are, how many are
            right, and the sum of that probability.
    """

    confusion: np.ndarray
    scores: np.ndarray
    confidence: np.ndarray


class CountDecisions(beam.CombineFn):
    """Counts rows by true label, decision and probability.

    Args:
        labels: The labels in the order of their class index.
        model_name: Whose predictions are counted, where TFMA evaluates several models at once.
        model_labels: The labels of that model in the order of its probabilities; None: the same. A label that it does
            not know gets a probability of 0.
    """

    def __init__(self, labels: list[str], model_name: str, model_labels: list[str] | None = None):
        self._labels = labels
        self._model_name = model_name
        self._index = {label.encode(): index for index, label in enumerate(labels)}
        given = labels if model_labels is None else model_labels
        # By the model's own index, ours; those that are not ours share one more.
        self._ours = np.array([labels.index(label) if label in labels else len(labels) for label in given])

    def create_accumulator(self) -> _Counts:
        """Returns counts of nothing yet."""
        classes = len(self._labels)
        bins = FINE_BINS if classes < MANY_LABELS else COARSE_BINS
        return _Counts(np.zeros((classes, classes + 1)), np.zeros((2, classes, bins)), np.zeros((3, bins)))

    def add_input(self, counts: _Counts, element: Any) -> _Counts:
        """Counts one row: its true label as bytes, and what the serving signature returned for it."""
        predictions = element.get_predictions(model_name=self._model_name)
        truth = self._index[np.ravel(element.get_labels(model_name=self._model_name))[0]]
        classes = np.arange(len(self._labels))
        decision = self._index.get(np.ravel(predictions[LABEL_OUTPUT])[0], len(classes))
        # A diverged model returns NaN; it is counted with no confidence in anything, for the gate to refuse.
        given = np.nan_to_num(np.ravel(predictions[PROBABILITIES_OUTPUT]))
        probabilities = np.zeros(len(classes) + 1, given.dtype)
        probabilities[self._ours] = given
        probabilities = probabilities[: len(classes)]
        counts.confusion[truth, decision] += 1

        bins = counts.confidence.shape[1]
        bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
        counts.scores[(classes == truth).astype(int), classes, bin_of] += 1
        top = bin_of.max()
        # Of the likeliest label, not of the decision: under a threshold that may be the other one.
        counts.confidence[:, top] += (1, probabilities.argmax() == truth, probabilities.max())
        return counts

    def merge_accumulators(self, parts: Iterable[_Counts]) -> _Counts:
        """Adds counts up."""
        total = self.create_accumulator()
        for part in parts:
            total.confusion += part.confusion
            total.scores += part.scores
            total.confidence += part.confidence
        return total

    def extract_output(self, counts: _Counts) -> dict[tfma.metrics.MetricKey, np.ndarray]:
        """Returns the counts as TFMA's metrics."""
        arrays = {CONFUSION: counts.confusion, SCORES: counts.scores, CONFIDENCE: counts.confidence}
        return {_key(name, self._model_name): array for name, array in arrays.items()}


class DecisionMetrics(tfma.metrics.Metric):
    """Accuracy, macro F1, and each label's recall, precision and F1, by the decisions of the serving signature.

    TFMA's own Recall takes a class as decided above a probability of 0.5; serving decides otherwise (the most probable
    class). What is judged must be what is served.

    The model's signature must return `label`, string `(rows,)`, and `probabilities`, float32 `(rows, labels)`;
    the label key must name a feature with the true label as a string. Metric names are `accuracy`, `macro_f1`,
    `recall/<label>`, `precision/<label>`, `f1/<label>`, and the arrays `confusion`, `scores`, `confidence`.

    Args:
        labels: The labels in the order of their class index.
        other_labels: By the name of a model whose labels are others or in another order, its own; recalls and
            precisions are by the labels above all the same, and a decision for a label not among them is one more kind
            of wrong.
        name: unused; TFMA passes it when it restores a metric from its config.
    """

    def __init__(
        self, labels: list[str], other_labels: dict[str, list[str]] | None = None, name: str = "decision_metrics"
    ):
        super().__init__(
            tfma.metrics.merge_per_key_computations(_computations), labels=labels, other_labels=other_labels, name=name
        )


def _computations(
    labels: list[str],
    other_labels: dict[str, list[str]] | None = None,
    name: str = "",
    model_name: str = "",
    output_name: str = "",
) -> tfma.metrics.MetricComputations:
    del name, output_name
    keys = [_key(each, model_name) for each in (CONFUSION, SCORES, CONFIDENCE)]
    combiner = CountDecisions(labels, model_name, (other_labels or {}).get(model_name))
    counted = tfma.metrics.MetricComputation(keys=keys, preprocessors=None, combiner=combiner)
    scalars = ["accuracy", "macro_f1"]
    by_label = [f"{metric}/{label}" for metric in ("recall", "precision", "f1") for label in labels]

    def derive(metrics: dict[tfma.metrics.MetricKey, Any]) -> dict[tfma.metrics.MetricKey, Any]:
        measured = rates_by_label(metrics[keys[0]], labels)
        values = {each: measured[each] for each in scalars}
        for metric in ("recall", "precision", "f1"):
            values |= {
                f"{metric}/{label}": float("nan") if value is None else value
                for label, value in measured[metric].items()
            }
        return {_key(each, model_name): value for each, value in values.items()}

    derived_keys = [_key(each, model_name) for each in scalars + by_label]
    return [counted, tfma.metrics.DerivedMetricComputation(keys=derived_keys, result=derive)]


def _key(name: str, model_name: str) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=name, model_name=model_name)
