"""What was measured of a model as plain values, for a command's JSON."""

from __future__ import annotations

from typing import Any

from fullbake.contract.results.evaluation import Bound, Evaluation


def metric_values(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the fields of an evaluation that are its metrics."""
    names: tuple[str, ...] = ("accuracy", "macro_f1", "recall", "precision", "f1", "baseline")
    if evaluation.multi_label:
        names += ("roc_auc", "mean_roc_auc", "average_precision", "mean_average_precision")
    if evaluation.slices:
        names += ("slices", "worst_slice", "bias", "slice_notes")
    values = evaluation.to_dict()
    return {name: values[name] for name in names}


def bound_values(bound: Bound) -> dict[str, Any]:
    """Returns a bound and by how much it was missed."""
    return {**bound.to_dict(), "missed_by": None if bound.passed else bound.missed_by}
