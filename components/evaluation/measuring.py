"""Which metrics TFMA is asked for, and what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma

from fullbake.components.evaluation.decision_metrics import CONFIDENCE, CONFUSION, SCORES, DecisionMetrics
from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.evaluation.label_measures import LABEL_MEASURES
from fullbake.components.evaluation.row_metrics import RowMetrics, RowPlan
from fullbake.components.evaluation.slice_measures import SLICES, SliceMeasures

_ARRAYS = {CONFUSION, SCORES, CONFIDENCE, *LABEL_MEASURES}


def metrics_spec(gate: GateSpec, other_labels: Mapping[str, Sequence[str]]) -> tfma.MetricsSpec:
    """Returns the metrics of an evaluation.

    Args:
        gate: Says what is to be judged.
        other_labels: By the name of a model whose labels are others or in another order, its own.
    """
    others = {name: list(its) for name, its in other_labels.items()}
    plan = RowPlan(gate.labels, gate.multi_label, gate.sliced, gate.identities, gate.confidence)
    metrics: list[tuple[type[tfma.metrics.Metric], dict[str, Any]]] = []
    if not gate.multi_label:
        metrics.append((DecisionMetrics, {"labels": list(gate.labels), "other_labels": others}))
    if gate.multi_label or gate.sliced:
        metrics.append((RowMetrics, {"plan": plan._asdict(), "other_labels": others}))
    return tfma.MetricsSpec(
        metrics=[
            tfma.MetricConfig(class_name=metric.__name__, module=metric.__module__, config=json.dumps(settings))
            for metric, settings in metrics
        ]
    )


def read_metrics(folder: str, models: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Returns by model and name what TFMA wrote: arrays, and the slices.

    Args:
        folder: Where it wrote.
        models: The names of the models; what has no name is of the first.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in models}
    (overall,) = tfma.load_metrics(folder)
    for pair in overall.metric_keys_and_values:
        its = found[pair.key.model_name or models[0]]
        if pair.key.name == SLICES:
            its[SLICES] = SliceMeasures.from_json(pair.value.bytes_value)
        elif pair.key.name in _ARRAYS and not pair.key.is_diff:
            array = pair.value.array_value
            its[pair.key.name] = np.array(array.float64_values).reshape(list(array.shape))
    return found
