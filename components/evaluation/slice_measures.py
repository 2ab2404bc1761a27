"""What is measured of the slices of a test split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fullbake.components.evaluation.bias import bias_aucs, mean_bias_aucs
from fullbake.components.evaluation.judged_rows import JudgedRows
from fullbake.components.evaluation.wilson import CONFIDENCE, wilson
from fullbake.contract.results.slices import BiasAucs, Slice, SliceLabel

SLICES = "slices"
"""The name of the metric; its value is JSON."""


class SliceMeasures(NamedTuple):
    """What is measured of slices.

    Attributes:
        slices: All slices, by name.
        bias: By label, the means of the bias measures over identities; empty without identities.
    """

    slices: list[Slice]
    bias: dict[str, BiasAucs]

    def to_json(self) -> str:
        """Returns it as a metric has it."""
        bias = {label: areas.to_dict() for label, areas in self.bias.items()}
        return json.dumps({"slices": [each.to_dict() for each in self.slices], "bias": bias})

    @classmethod
    def from_json(cls, text: str | bytes) -> SliceMeasures:
        """Returns what `to_json` wrote."""
        values = json.loads(text)
        bias = {label: BiasAucs(**areas) for label, areas in values["bias"].items()}
        return cls([Slice(**each) for each in values["slices"]], bias)


def measure_slices(
    rows: JudgedRows, labels: Sequence[str], identities: Sequence[str], confidence: float | None = None
) -> SliceMeasures:
    """Measures each slice that a row is in, and each identity.

    Args:
        rows: All rows; with identities, scores are among them.
        labels: The labels in the order of their class index.
        identities: The names of the slices that are identities. One without a row is a slice all the same.
        confidence: Of the intervals; None: 95%.
    """
    names = [*sorted({*rows.slice_names, *identities})]
    members, places = rows.slice_members()
    numbers = {name: number for number, name in enumerate(names)}
    of_name = np.array([numbers[name] for name in rows.slice_names], int)
    places = of_name[places]
    truth, decided = rows.truth, rows.decided & rows.known

    def counted(flags: np.ndarray) -> list[list[int]]:
        """Returns how many rows of each slice have a flag, by label and slice."""
        by_label = (np.bincount(places[flags[members, label]], minlength=len(names)) for label in range(len(labels)))
        return [counts.tolist() for counts in by_label]

    sizes = np.bincount(places, minlength=len(names)).tolist()
    has, given, hits = counted(truth), counted(decided), counted(truth & decided)
    bias = {name: _bias_of(rows, labels, name) for name in identities}
    slices = [
        Slice(
            name=name,
            rows=sizes[number],
            labels={
                label: _rates(hits[index][number], has[index][number], given[index][number], confidence or CONFIDENCE)
                for index, label in enumerate(labels)
                if has[index][number] or given[index][number]
            },
            bias=bias.get(name, {}),
        )
        for number, name in enumerate(names)
    ]
    measured = measured_of_bias(labels, multi_label=rows.multi_label) if identities else []
    return SliceMeasures(
        slices, {label: mean_bias_aucs([bias[name][label] for name in identities]) for label in measured}
    )


def measured_of_bias(labels: Sequence[str], *, multi_label: bool) -> list[str]:
    """Returns the labels of which bias is measured.

    Args:
        labels: The labels in the order of their class index. Of two classes, the scores of one say all of the other's.
        multi_label: Whether a row can have any number of them.
    """
    return list(labels[1:] if len(labels) == 2 and not multi_label else labels)


def _bias_of(rows: JudgedRows, labels: Sequence[str], identity: str) -> dict[str, BiasAucs]:
    subgroup, truth, known, scores = rows.in_slice(identity), rows.truth, rows.known, rows.scores
    found = {}
    for label in measured_of_bias(labels, multi_label=rows.multi_label):
        index = labels.index(label)
        which = known[:, index]
        found[label] = bias_aucs(scores[which, index], truth[which, index], subgroup[which])
    return found


def _rates(hits: int, rows: int, decided: int, confidence: float) -> SliceLabel:
    return SliceLabel(
        rows=rows,
        recall=hits / rows if rows else None,
        recall_interval=wilson(hits, rows, confidence),
        decided=decided,
        found=hits,
        precision=hits / decided if decided else None,
        precision_interval=wilson(hits, decided, confidence),
    )
