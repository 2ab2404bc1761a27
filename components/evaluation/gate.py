"""The gate: whether a model recognises every class well enough to go live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fullbake.components.evaluation.wilson import CONFIDENCE, rows_needed, wilson
from fullbake.contract.named_few import named_few
from fullbake.contract.results.evaluation import Bound
from fullbake.contract.results.push import PushedBounds
from fullbake.contract.results.result import MULTI_LABEL, SINGLE_LABEL, Task
from fullbake.contract.setting_names import setting_names


@dataclass(frozen=True)
class GateSpec:
    """The bounds a model must meet on the test split.

    Attributes:
        labels: The labels in the order of their class index.
        min_recall: By label, the least share of its rows that must be found.
        min_precision: By label, the least share of the rows given this label that must have it.
        max_recall_drop: How much lower than that of the model in production a class's recall may be; None: no
            comparison.
        confidence: Of the interval whose lower end must be at `min_recall` and `min_precision`; None: what was
            measured must be, whatever luck had in it.
        allow_never_predicted: The labels that need not be given to any row.
        accept_baseline_loss: Whether to go on where the model in production cannot be compared with.
        multi_label: Whether a row can have any number of labels. Recall and precision are then of each label by itself,
            on the rows of which it is known whether they have it.
        sliced: Whether the examples say which slices they are in, so that these are measured.
        identities: The slices that are identities, of which bias is measured.
        min_slice_recall: By label, the least share of its rows that must be found in each slice.
        min_bias_auc: The least value of bias measures: "subgroup", "bpsn" and "bnsp" of each identity, "mean_subgroup",
            "mean_bpsn" and "mean_bnsp" over all.
    """

    labels: tuple[str, ...]
    min_recall: Mapping[str, float] = field(default_factory=dict)
    min_precision: Mapping[str, float] = field(default_factory=dict)
    max_recall_drop: float | None = None
    confidence: float | None = None
    allow_never_predicted: tuple[str, ...] = ()
    accept_baseline_loss: bool = False
    multi_label: bool = False
    sliced: bool = False
    identities: tuple[str, ...] = ()
    min_slice_recall: Mapping[str, float] = field(default_factory=dict)
    min_bias_auc: Mapping[str, float] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """The name of what the model does."""
        return MULTI_LABEL if self.multi_label else SINGLE_LABEL

    @property
    def bounds(self) -> PushedBounds:
        """What is kept beside a model of the bounds that it met, but for those against the one in production."""
        return PushedBounds.model_validate({name: getattr(self, name) for name in PushedBounds.model_fields})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GateSpec:
        """Makes it of what `dataclasses.asdict` returned and JSON kept."""
        tuples = {name: tuple(values[name]) for name in ("labels", "allow_never_predicted", "identities")}
        return cls(**{**values, **tuples})


class Share(NamedTuple):
    """A recall or a precision with what it was counted on."""

    hits: int
    rows: int

    @property
    def value(self) -> float | None:
        """The share; None without a row."""
        return self.hits / self.rows if self.rows else None


def judge(
    gate: GateSpec,
    recall: Mapping[str, Share],
    precision: Mapping[str, Share],
    baseline_recall: Mapping[str, float | None] | None,
) -> list[Bound]:
    """Holds a model against its bounds.

    A drop of recall is judged as it was measured, even where the gate has a confidence. Both models label the same
    rows, so the luck of the draw is mostly the same for both; and to show with 95% confidence that a recall fell by at
    most 0.02 takes 189 rows of the class even of two models that decide alike, so that hardly a retraining would pass.

    Args:
        gate: The bounds.
        recall: The model's recall by label on the test split.
        precision: Its precision by label.
        baseline_recall: The recall on the same rows of the model in production, of the labels that it has too, or
            None if there is none.

    Returns:
        Every bound with its outcome, in the order of the labels, and one more, which is missed, for every label that
        rows have, that none was given, and that the gate does not allow to be missing. The model passes if all do.
    """
    bounds = []
    for label in gate.labels:
        if label in gate.min_recall:
            bounds.append(at_least(gate, "recall", label, gate.min_recall[label], recall[label]))
        if label in gate.min_precision:
            bounds.append(at_least(gate, "precision", label, gate.min_precision[label], precision[label]))
        if gate.max_recall_drop is not None and baseline_recall is not None and label in baseline_recall:
            new, old = recall[label].value, baseline_recall[label]
            drop = None if new is None or old is None else old - new
            # Recalls are ratios of counts; a difference of exactly the bound must not fail by a rounding error.
            passed = drop is not None and drop <= gate.max_recall_drop + 1e-9
            bounds.append(
                Bound(metric="recall_drop", label=label, bound=gate.max_recall_drop, value=drop, passed=passed)
            )
        if recall[label].rows and not precision[label].rows and label not in gate.allow_never_predicted:
            bounds.append(Bound(metric="predicted", label=label, bound=1, value=0, passed=False))
    return bounds


WHY_NOT_MEASURED = {True: "no slice has a row with this label", False: "no identity has the rows that it takes"}
"""Of a bound on recall in slices (True) or on an area of identities, why it has no value."""

_AREAS = {"subgroup": "subgroup AUC", "bpsn": "BPSN AUC", "bnsp": "BNSP AUC"}


def bound_name(bound: Bound) -> str:
    """Returns what a bound is about, in words."""
    label = f"of '{bound.label}'"
    if bound.metric == "slice_recall":
        return f"recall {label} in " + ("slices" if bound.slice is None else f"slice '{bound.slice}'")
    area = bound.metric.removesuffix("_auc").removeprefix("mean_")
    if area in _AREAS:
        mean = "mean " if bound.metric.startswith("mean_") else ""
        return f"{mean}{_AREAS[area]} {label}" + (f" for '{bound.slice}'" if bound.slice is not None else "")
    return f"{bound.metric.replace('_', ' ')} {label}"


def describe(bound: Bound) -> str:
    """Returns a sentence on how a bound was met or missed."""
    name = bound_name(bound)
    if bound.metric == "predicted":
        return (
            f"no row of the test split was given the label '{bound.label}'; if that may be so, name it in "
            f"{setting_names()['allow_never_predicted']}"
        )
    if bound.value is None or bound.judged is None or bound.missed_by is None:
        if bound.metric not in ("recall", "precision", "recall_drop"):
            return f"{name} cannot be measured: {WHY_NOT_MEASURED[bound.metric == 'slice_recall']}"
        if bound.metric == "precision":
            return f"{name} cannot be measured: the model gave no row of the test split this label"
        return f"{name} cannot be measured: no row of the test split has this label"
    limit = "at most" if bound.metric == "recall_drop" else "at least"
    # Three decimals, or as many as a narrow miss takes to show.
    digits = next((digits for digits in range(3, 9) if bound.passed or round(bound.missed_by, digits)), 9)
    outcome = "met" if bound.passed else f"missed by {bound.missed_by:.{digits}f}"
    measured = f"{bound.value:.{digits}f}"
    if bound.confidence is not None:
        measured += (
            f" of {bound.rows:,} rows, hence at least {bound.judged:.{digits}f} with {bound.confidence:.4g} confidence"
        )
    return f"{name} is {measured}, must be {limit} {bound.bound:g}: {outcome}"


def needed_test_rows(gate: GateSpec) -> dict[str, int]:
    """Returns by label how many test rows its bounds take where the gate has a confidence; without one, none."""
    needed: dict[str, int] = {}
    if gate.confidence is not None:
        for label, bound in (*gate.min_recall.items(), *gate.min_precision.items()):
            needed[label] = max(needed.get(label, 0), rows_needed(bound, gate.confidence) or 0)
    return needed


def too_few_rows(gate: GateSpec, test_rows: Mapping[str, int]) -> list[str]:
    """Returns which bounds the test split is too small for, so that a model could meet them by luck, or not at all.

    Args:
        gate: The bounds.
        test_rows: By label, how many rows of the test split have it.

    Returns:
        A sentence for each of `min_recall` and `min_precision` of which that is true of some label. A precision is
        counted on the rows that the model decides for the label: of these, as many can be right as have it.
    """
    confidence = gate.confidence or CONFIDENCE
    said, names = [], setting_names()
    for key, bounds in (("min_recall", gate.min_recall), ("min_precision", gate.min_precision)):
        few = [
            f"'{label}' has {test_rows[label]:,} where {bounds[label]:g} takes {needed:,}"
            for label in gate.labels
            if label in bounds and (needed := rows_needed(bounds[label], confidence)) and test_rows[label] < needed
        ]
        if few:
            so = (
                "luck may decide whether a model is pushed"
                if gate.confidence is None
                else f"no model can be pushed ({names['confidence']})"
            )
            said.append(
                f"{names[key]}: too few test rows to show with {confidence:.4g} confidence that a bound is met, even "
                f"if all are found, so {so}: {named_few(few)}; add rows, give the test split a larger share, or "
                f"lower the bound{'' if gate.confidence is None else ' or the confidence'}"
            )
    return said


def at_least(gate: GateSpec, metric: str, label: str, bound: float, share: Share, in_slice: str | None = None) -> Bound:
    """Holds a share against its least value: what was measured, or the lower end of its interval.

    Args:
        gate: Says which of both.
        metric: What the share is.
        label: Of which label.
        bound: The least value.
        share: What was counted.
        in_slice: The slice that it was counted in; None: the test split.
    """
    interval = wilson(share.hits, share.rows, gate.confidence or CONFIDENCE)
    judged = share.value if gate.confidence is None or interval is None else interval[0]
    passed = judged is not None and judged >= bound
    return Bound(
        metric=metric,
        label=label,
        slice=in_slice,
        bound=bound,
        value=share.value,
        passed=passed,
        rows=share.rows,
        interval=interval,
        confidence=gate.confidence,
    )
