"""A TFMA metric that keeps what serving decides of each row, for measures that no sums of counts give exactly.

Of a multi-label model it is the whole of its metrics; `decision_metrics` counts the decisions of any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from fullbake.components.evaluation.judged_rows import JudgedRows
from fullbake.components.evaluation.label_measures import LABEL_MEASURES, measure_labels
from fullbake.contract.names import LABEL_OUTPUT, LABELS_SEPARATOR, MASKED_LABEL, PROBABILITIES_OUTPUT


class CollectRows(beam.CombineFn):
    """Collects what a model says of each row, and measures it when all are there.

    Args:
        labels: The labels in the order of their class index.
        model_name: Whose predictions are counted, where TFMA evaluates several models at once.
        model_labels: The labels of that model in the order of its probabilities; None: the same. A label that it does
            not know gets a probability of 0.
    """

    def __init__(self, labels: Sequence[str], model_name: str, model_labels: Sequence[str] | None = None):
        self._labels = list(labels)
        self._model_name = model_name
        self._index = {label.encode(): index for index, label in enumerate(labels)}
        given = labels if model_labels is None else model_labels
        # By the model's own index, ours; those that are not ours share one more.
        self._ours = np.array([self._labels.index(label) if label in labels else len(labels) for label in given])

    def create_accumulator(self) -> JudgedRows:
        """Returns no rows yet."""
        return JudgedRows(len(self._labels))

    def add_input(self, rows: JudgedRows, element: Any) -> JudgedRows:
        """Adds one row: its labels, those of which nothing is known, and what the serving signature returned for it."""
        predictions = element.get_predictions(model_name=self._model_name)
        decided = np.ravel(predictions[LABEL_OUTPUT])[0].split(LABELS_SEPARATOR.encode())
        # A diverged model returns NaN; it is counted with no confidence in anything, for the gate to refuse.
        given = np.nan_to_num(np.ravel(predictions[PROBABILITIES_OUTPUT]))
        scores = np.zeros(len(self._labels) + 1, given.dtype)
        scores[self._ours] = given
        rows.append(
            self._has(element.get_labels(model_name=self._model_name)),
            ~self._has(_feature(element, MASKED_LABEL)),
            self._has(decided),
            scores[: len(self._labels)],
        )
        return rows

    def merge_accumulators(self, parts: Iterable[JudgedRows]) -> JudgedRows:
        """Puts rows together."""
        total = self.create_accumulator()
        for part in parts:
            total.extend(part)
        return total

    def extract_output(self, rows: JudgedRows) -> dict[tfma.metrics.MetricKey, Any]:
        """Returns what is measured of the rows as TFMA's metrics."""
        return {_key(name, self._model_name): value for name, value in measure_labels(rows).items()}

    def _has(self, labels: Any) -> np.ndarray:
        """Returns which of our labels are among those given as bytes, bool `(labels,)`."""
        has = np.zeros(len(self._labels), bool)
        given = () if labels is None else np.ravel(labels)
        has[[self._index[label] for label in given if label in self._index]] = True
        return has


class RowMetrics(tfma.metrics.Metric):
    """What is right and wrong of each label by the decisions of the serving signature, and how well it ranks the rows.

    The model's signature must return `label`, string `(rows,)`, the decided labels joined by `LABELS_SEPARATOR`, and
    `probabilities`, float32 `(rows, labels)`; the label key must name a feature with the labels that a row has, any
    number of strings, and the feature `MASKED_LABEL`, which may be missing, those of which nobody knows. Metric names
    are those of `label_measures`.

    All rows are kept until the last one is there (see `JudgedRows` for how much that is).

    Args:
        labels: The labels in the order of their class index.
        other_labels: As `DecisionMetrics` takes them.
        name: unused; TFMA passes it when it restores a metric from its config.
    """

    def __init__(self, labels: list[str], other_labels: dict[str, list[str]] | None = None, name: str = "row_metrics"):
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
    return [
        tfma.metrics.MetricComputation(
            keys=[_key(each, model_name) for each in LABEL_MEASURES],
            preprocessors=[tfma.metrics.FeaturePreprocessor(feature_keys=[MASKED_LABEL])],
            combiner=CollectRows(labels, model_name, (other_labels or {}).get(model_name)),
        )
    ]


def _feature(element: Any, name: str) -> Any:
    return (element.get_features() or {}).get(name)


def _key(name: str, model_name: str) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=name, model_name=model_name)
