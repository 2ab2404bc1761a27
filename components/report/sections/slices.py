"""How the model does on parts of the test set, and whether it scores identities otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fullbake.components.report.section import Section
from fullbake.components.report.sections.classes import MANY_CLASSES
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.report import Report
from fullbake.contract.results.slices import BiasAucs, SliceLabel

MOST_LINES = 100
"""Of slices and labels, and of identities and labels; the summary in JSON has all."""


class SliceLine(NamedTuple):
    """How one label does in one slice."""

    name: str
    texts: int  # in the slice
    label: str
    rates: SliceLabel
    bound: float | None  # the least recall, where the gate held it against one


class BiasLine(NamedTuple):
    """The bias measures of one label and one identity, or their means over all."""

    identity: str | None
    label: str
    areas: BiasAucs


def slice_lines(evaluation: Evaluation) -> list[SliceLine]:
    """Returns slices and labels, those first whose recall is surely low: by the upper end of its interval."""
    bounds = {
        (bound.slice, bound.label): float(bound.bound) for bound in evaluation.bounds if bound.metric == "slice_recall"
    }
    lines = [
        (rates.recall_interval[1], SliceLine(each.name, each.rows, label, rates, bounds.get((each.name, label))))
        for each in evaluation.slices
        for label, rates in each.labels.items()
        if rates.recall_interval is not None
    ]
    return [line for _, line in sorted(lines, key=lambda pair: (pair[0], pair[1].name, pair[1].label))]


def bias_lines(evaluation: Evaluation) -> list[BiasLine]:
    """Returns the bias measures by label: the means, then the identities, the lowest value of any measure first."""
    lines: list[BiasLine] = []
    for label, means in evaluation.bias.items():
        of_label = [BiasLine(each.name, label, each.bias[label]) for each in evaluation.slices if label in each.bias]
        lines += [BiasLine(None, label, means), *sorted(of_label, key=_lowest)]
    return lines


def _lowest(line: BiasLine) -> float:
    areas = line.areas
    return min((area for area in (areas.subgroup, areas.bpsn, areas.bnsp) if area is not None), default=1.0)


def _context(report: Report) -> Mapping[str, Any] | None:
    evaluation = report.evaluation
    if not evaluation.slices:
        return None
    return {
        "lines": slice_lines(evaluation),
        "bias": bias_lines(evaluation),
        "notes": evaluation.slice_notes,
        "first": MANY_CLASSES,
        "most": MOST_LINES,
    }


SECTION = Section(_context, "Slices", "slices")
