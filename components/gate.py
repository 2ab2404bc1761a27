"""The gate: whether a model recognises every class well enough to go live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class GateSpec:
    """The bounds a model must meet on the test split.

    Attributes:
      labels: the labels in the order of their class index.
      min_recall: by label, the least share of its rows that must be found.
      min_precision: by label, the least share of the rows given this label that must have it.
      max_recall_drop: how much lower than that of the model in production a class's recall may be; None: no comparison.
    """

    labels: tuple[str, ...]
    min_recall: Mapping[str, float] = field(default_factory=dict)
    min_precision: Mapping[str, float] = field(default_factory=dict)
    max_recall_drop: float | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GateSpec:
        """Restores what ``dataclasses.asdict`` gave, JSON's lists made tuples again."""
        return cls(**{**values, "labels": tuple(values["labels"])})


@dataclass(frozen=True)
class Bound:
    """One bound and how the model did.

    Attributes:
      metric: ``recall``, ``precision``, or ``recall_drop``: what the class's recall lost against the model in
        production.
      label: the class.
      bound: the least value allowed, for ``recall_drop`` the greatest.
      value: what was measured; None when the test split cannot tell, which does not pass.
      passed: whether the bound is met.
    """

    metric: str
    label: str
    bound: float
    value: float | None
    passed: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def judge(
    gate: GateSpec,
    recall: Mapping[str, float | None],
    precision: Mapping[str, float | None],
    production_recall: Mapping[str, float | None] | None,
) -> list[Bound]:
    """Holds a model against its bounds.

    Args:
      gate: the bounds.
      recall: the model's recall by label on the test split; None where no row has the label.
      precision: its precision by label; None where no row was given the label.
      production_recall: the recall on the same rows of the model in production, or None if there is none.

    Returns:
      Every bound with its outcome, in the order of the labels. The model passes if all of them do.
    """
    bounds = []
    for label in gate.labels:
        if label in gate.min_recall:
            bounds.append(_at_least("recall", label, gate.min_recall[label], recall[label]))
        if label in gate.min_precision:
            bounds.append(_at_least("precision", label, gate.min_precision[label], precision[label]))
        if gate.max_recall_drop is not None and production_recall is not None:
            new, old = recall[label], production_recall[label]
            drop = None if new is None or old is None else old - new
            # Recalls are ratios of counts; a difference of exactly the bound must not fail by a rounding error.
            passed = drop is not None and drop <= gate.max_recall_drop + 1e-9
            bounds.append(Bound("recall_drop", label, gate.max_recall_drop, drop, passed))
    return bounds


def describe(bound: Bound) -> str:
    """Says in a sentence how a bound was met or missed."""
    name = f"{bound.metric.replace('_', ' ')} of '{bound.label}'"
    if bound.value is None:
        if bound.metric == "precision":
            return f"{name} cannot be measured: the model gave no row of the test split this label"
        return f"{name} cannot be measured: no row of the test split has this label"
    limit = "at most" if bound.metric == "recall_drop" else "at least"
    by = abs(bound.value - bound.bound)
    # Three decimals, or as many as a narrow miss takes to show.
    digits = next((digits for digits in range(3, 9) if bound.passed or round(by, digits)), 9)
    outcome = "met" if bound.passed else f"missed by {by:.{digits}f}"
    return f"{name} is {bound.value:.{digits}f}, must be {limit} {bound.bound:g}: {outcome}"


def _at_least(metric: str, label: str, bound: float, value: float | None) -> Bound:
    return Bound(metric, label, bound, value, value is not None and value >= bound)
