"""A TFMA metric that keeps what serving decides of each row, for measures that no sums of counts give exactly.

Of a multi-label model it is the whole of its metrics; of any other, `decision_metrics` counts the decisions, and this
one measures slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from fullbake.components.evaluation.judged_rows import JudgedRows
from fullbake.components.evaluation.label_measures import LABEL_MEASURES, measure_labels
from fullbake.components.evaluation.slice_measures import SLICES, measure_slices
from fullbake.contract.names import LABEL_OUTPUT, LABELS_SEPARATOR, MASKED_LABEL, PROBABILITIES_OUTPUT, SLICE


class RowPlan(NamedTuple):
    """What is measured of rows.

    Attributes:
        labels: The labels in the order of their class index.
        multi_label: Whether a row can have any number of them; if not, its labels are not measured here.
        sliced: Whether slices are measured.
        identities: The slices that are identities.
        confidence: Of the intervals of slices; None: 95%.
    """

    labels: Sequence[str]
    multi_label: bool
    sliced: bool = False
    identities: Sequence[str] = ()
    confidence: float | None = None


class CollectRows(beam.CombineFn):
    """Collects what a model says of each row, and measures it when all are there.

    Args:
        plan: What is measured.
        model_name: Whose predictions are counted, where TFMA evaluates several models at once.
        model_labels: The labels of that model in the order of its probabilities; None: the same. A label that it does
            not know gets a probability of 0.
    """

    def __init__(self, plan: RowPlan, model_name: str, model_labels: Sequence[str] | None = None):
        self._plan = plan
        self._model_name = model_name
        labels = list(plan.labels)
        self._index = {label.encode(): index for index, label in enumerate(labels)}
        given = labels if model_labels is None else model_labels
        # By the model's own index, ours; those that are not ours share one more.
        self._ours = np.array([labels.index(label) if label in labels else len(labels) for label in given])

    def create_accumulator(self) -> JudgedRows:
        """Returns no rows yet."""
        plan = self._plan
        return JudgedRows(len(plan.labels), plan.multi_label, with_scores=plan.multi_label or bool(plan.identities))

    def add_input(self, rows: JudgedRows, element: Any) -> JudgedRows:
        """Adds one row: its labels, those of which nothing is known, and what the serving signature returned for it."""
        predictions = element.get_predictions(model_name=self._model_name)
        decided = np.ravel(predictions[LABEL_OUTPUT])[0]
        # A diverged model returns NaN; it is counted with no confidence in anything, for the gate to refuse.
        given = np.nan_to_num(np.ravel(predictions[PROBABILITIES_OUTPUT]))
        scores = np.zeros(len(self._index) + 1, given.dtype)
        scores[self._ours] = given
        multi_label = self._plan.multi_label
        rows.append(
            self._has(element.get_labels(model_name=self._model_name)),
            ~self._has(_feature(element, MASKED_LABEL) if multi_label else None),
            self._has(decided.split(LABELS_SEPARATOR.encode()) if multi_label else [decided]),
            scores[: len(self._index)],
            _names(_feature(element, SLICE)) if self._plan.sliced else (),
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
        plan = self._plan
        found: dict[str, Any] = {}
        if plan.multi_label:
            found.update(measure_labels(rows))
        if plan.sliced:
            found[SLICES] = measure_slices(rows, plan.labels, plan.identities, plan.confidence).to_json()
        return {_key(name, self._model_name): value for name, value in found.items()}

    def _has(self, labels: Any) -> np.ndarray:
        """Returns which of our labels are among those given as bytes, bool `(labels,)`."""
        has = np.zeros(len(self._index), bool)
        given = () if labels is None else np.ravel(labels)
        has[[self._index[label] for label in given if label in self._index]] = True
        return has


class RowMetrics(tfma.metrics.Metric):
    """What is right and wrong of each label of a multi-label model, and how well it ranks the rows; and slices of any.

    The model's signature must return `label`, string `(rows,)`, of a multi-label model the decided labels joined by
    `LABELS_SEPARATOR`, and `probabilities`, float32 `(rows, labels)`; the label key must name a feature with the label
    of a row, or any number of them as strings, and the feature `MASKED_LABEL`, which may be missing, those of which
    nobody knows. The feature `SLICE` has the names of the slices that a row is in. Metric names are those of
    `label_measures` and `slice_measures`.

    All rows are kept until the last one is there (see `JudgedRows` for how much that is).

    Args:
        plan: The fields of a `RowPlan`.
        other_labels: As `DecisionMetrics` takes them. Slices are not measured of these models.
        name: unused; TFMA passes it when it restores a metric from its config.
    """

    def __init__(
        self, plan: dict[str, Any], other_labels: dict[str, list[str]] | None = None, name: str = "row_metrics"
    ):
        super().__init__(
            tfma.metrics.merge_per_key_computations(_computations), plan=plan, other_labels=other_labels, name=name
        )


def _computations(
    plan: dict[str, Any],
    other_labels: dict[str, list[str]] | None = None,
    name: str = "",
    model_name: str = "",
    output_name: str = "",
) -> tfma.metrics.MetricComputations:
    del name, output_name
    its_labels = (other_labels or {}).get(model_name)
    what = RowPlan(**plan) if its_labels is None else RowPlan(**{**plan, "sliced": False, "identities": ()})
    names = [*(LABEL_MEASURES if what.multi_label else ()), *([SLICES] if what.sliced else [])]
    if not names:
        return []
    return [
        tfma.metrics.MetricComputation(
            keys=[_key(each, model_name) for each in names],
            preprocessors=[tfma.metrics.FeaturePreprocessor(feature_keys=[MASKED_LABEL, SLICE])],
            combiner=CollectRows(what, model_name, its_labels),
        )
    ]


def _feature(element: Any, name: str) -> Any:
    return (element.get_features() or {}).get(name)


def _names(values: Any) -> list[str]:
    return [] if values is None else [value.decode() for value in np.ravel(values)]


def _key(name: str, model_name: str) -> tfma.metrics.MetricKey:
    return tfma.metrics.MetricKey(name=name, model_name=model_name)
