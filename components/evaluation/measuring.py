"""Which metrics TFMA is asked for, and what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow_model_analysis as tfma

from fullbake.components.evaluation.decision_metrics import CONFIDENCE, CONFUSION, SCORES, DecisionMetrics
from fullbake.components.evaluation.label_measures import LABEL_MEASURES
from fullbake.components.evaluation.row_metrics import RowMetrics

_WANTED = {CONFUSION, SCORES, CONFIDENCE, *LABEL_MEASURES}


def metrics_spec(
    labels: Sequence[str], other_labels: Mapping[str, Sequence[str]], *, multi_label: bool
) -> tfma.MetricsSpec:
    """Returns the metrics of an evaluation.

    Args:
        labels: The labels in the order of their class index.
        other_labels: By the name of a model whose labels are others or in another order, its own.
        multi_label: Whether a row can have any number of labels.
    """
    metric = RowMetrics if multi_label else DecisionMetrics
    settings = {"labels": list(labels), "other_labels": {name: list(its) for name, its in other_labels.items()}}
    return tfma.MetricsSpec(
        metrics=[tfma.MetricConfig(class_name=metric.__name__, module=metric.__module__, config=json.dumps(settings))]
    )


def read_metrics(folder: str, models: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    """Returns by model and name the arrays that TFMA wrote.

    Args:
        folder: Where it wrote.
        models: The names of the models; what has no name is of the first.
    """
    found: dict[str, dict[str, np.ndarray]] = {name: {} for name in models}
    (overall,) = tfma.load_metrics(folder)
    for pair in overall.metric_keys_and_values:
        if pair.key.name in _WANTED and not pair.key.is_diff:
            array = pair.value.array_value
            values = np.array(array.float64_values).reshape(list(array.shape))
            found[pair.key.model_name or models[0]][pair.key.name] = values
    return found
