"""The gate's bounds on slices and identities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fullbake.components.evaluation.gate import GateSpec, Share, at_least
from fullbake.components.evaluation.slice_measures import SliceMeasures, measured_of_bias
from fullbake.components.evaluation.wilson import CONFIDENCE, rows_needed
from fullbake.contract.named_few import named_few
from fullbake.contract.results.evaluation import Bound
from fullbake.contract.results.slices import BiasAucs, Slice, WorstSlice
from fullbake.contract.setting_names import setting_names

AREAS = tuple(BiasAucs.model_fields)
"""The bias measures, as `GateSpec.min_bias_auc` names them; with "mean_" before it, the mean over identities."""

_BETTER_HALF = 0.5  # the recall that a slice must have rows to show, where no bound says which


class SliceVerdict(NamedTuple):
    """What the gate says of slices.

    Attributes:
        bounds: Every bound with its outcome; of slices and identities without the rows that it takes, none.
        notes: A sentence for each bound that some of these were not held against.
        worst: By label, the slice in which it is found least, of those with enough rows to tell.
    """

    bounds: list[Bound]
    notes: list[str]
    worst: dict[str, WorstSlice]


def judge_slices(gate: GateSpec, measures: SliceMeasures) -> SliceVerdict:
    """Holds a model against its bounds on slices and identities.

    A slice is held against a bound on recall if it has as many rows of the label as it takes to show, all of them
    found, that the bound is met: with the gate's confidence, or else 95%. An area is judged as it was measured.

    Args:
        gate: The bounds.
        measures: What was measured.
    """
    bounds: list[Bound] = []
    notes: list[str] = []
    worst = {label: found for label in gate.labels if (found := _worst_of(gate, label, measures.slices)) is not None}
    for label, bound in gate.min_slice_recall.items():
        judged = [each for each in measures.slices if _rows_of(each, label) >= _needed(gate, bound)]
        bounds += [at_least(gate, "slice_recall", label, bound, _share(each, label), each.name) for each in judged]
        if not any(_rows_of(each, label) for each in measures.slices):
            bounds.append(Bound(metric="slice_recall", label=label, bound=bound, value=None, passed=False))
        elif few := [each for each in measures.slices if each not in judged]:
            notes.append(_few_rows_in_words(gate, label, bound, few))
    if gate.identities:
        for label in measured_of_bias(gate.labels, multi_label=gate.multi_label):
            _judge_bias(gate, measures, label, bounds, notes)
    return SliceVerdict(bounds, notes, worst)


def _judge_bias(gate: GateSpec, measures: SliceMeasures, label: str, bounds: list[Bound], notes: list[str]) -> None:
    """Adds the bounds on the bias measures of a label, and what could not be held against them."""
    identities = [each for each in measures.slices if each.name in gate.identities]
    for area in AREAS:
        metric = f"{area}_auc"
        if area in gate.min_bias_auc:
            values: dict[str | None, float | None] = {each.name: getattr(each.bias[label], area) for each in identities}
            known = {name: value for name, value in values.items() if value is not None}
            # Without one that has a value, the bound is missed rather than forgotten.
            held: dict[str | None, float | None] = {**known} if known else {None: None}
            bounds += [_area(metric, label, gate.min_bias_auc[area], value, name) for name, value in held.items()]
            if known and len(known) < len(values):
                unknown = named_few([f"'{name}'" for name in values if name not in known])
                notes.append(
                    f"{setting_names()['min_bias_auc']}: {area} of '{label}' was not judged for {unknown}: rows with "
                    "the label or rows without it are missing"
                )
        if f"mean_{area}" in gate.min_bias_auc:
            value = getattr(measures.bias[label], area)
            bounds.append(_area(f"mean_{metric}", label, gate.min_bias_auc[f"mean_{area}"], value, None))


def _area(metric: str, label: str, bound: float, value: float | None, identity: str | None) -> Bound:
    passed = value is not None and value >= bound
    return Bound(metric=metric, label=label, slice=identity, bound=bound, value=value, passed=passed)


def _worst_of(gate: GateSpec, label: str, slices: Sequence[Slice]) -> WorstSlice | None:
    bound = gate.min_slice_recall.get(label, _BETTER_HALF)
    found = [
        WorstSlice(slice=each.name, recall=rates.recall, rows=rates.rows)
        for each in slices
        if (rates := each.labels.get(label)) is not None and rates.recall is not None
        if rates.rows >= _needed(gate, bound)
    ]
    # Of slices that are alike, the larger says more.
    return min(found, key=lambda one: (one.recall, -one.rows, one.slice), default=None)


def _few_rows_in_words(gate: GateSpec, label: str, bound: float, few: Sequence[Slice]) -> str:
    named = named_few([f"'{each.name}' has {_rows_of(each, label):,}" for each in few])
    return (
        f"{setting_names()['min_slice_recall']}: too few rows of '{label}' to judge some slices, where {bound:g} takes "
        f"{_needed(gate, bound):,}: {named}"
    )


def _needed(gate: GateSpec, bound: float) -> int:
    return rows_needed(bound, gate.confidence or CONFIDENCE) or 1  # no number of rows shows a bound of 1


def _rows_of(each: Slice, label: str) -> int:
    return each.labels[label].rows if label in each.labels else 0


def _share(each: Slice, label: str) -> Share:
    return Share(each.labels[label].found, each.labels[label].rows)
