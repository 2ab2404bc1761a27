"""Counts which of two models is right, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam

from fullbake.contract.results.pairs import PairCounts, Pairs

_ALL_ROWS = ""  # no label has this name

_KINDS = {(True, True): "both", (True, False): "fixed", (False, True): "broken", (False, False): "neither"}

_Counts = Counter[tuple[str, str]]
"""Rows by label and kind."""


class CountPairs(beam.CombineFn):
    """Counts `judged_texts.TextRow`s of two models into `Pairs`.

    Args:
        labels: The labels in the order of their class index.
        multi_label: Whether a row can have any number of them. One of which no label is known counts for nothing.
    """

    def __init__(self, labels: Sequence[str], multi_label: bool):
        self._labels = list(labels)
        self._multi_label = multi_label

    def create_accumulator(self) -> _Counts:
        """Returns counts of nothing yet."""
        return Counter()

    def add_input(self, counts: _Counts, row: Any) -> _Counts:
        """Counts a row."""
        if not self._multi_label or set(self._labels) - set(row.masked):
            counts[_ALL_ROWS, _KINDS[row.is_right(row.decided), row.is_right(row.production)]] += 1
        for label in row.truth:
            if label not in row.masked:
                counts[label, _KINDS[label in row.decided, label in row.production]] += 1
        return counts

    def merge_accumulators(self, parts: Iterable[_Counts]) -> _Counts:
        """Adds counts up."""
        total: _Counts = Counter()
        for part in parts:
            total.update(part)
        return total

    def extract_output(self, counts: _Counts) -> Pairs:
        """Returns the counts."""

        def of(label: str) -> PairCounts:
            return PairCounts(**{kind: counts[label, kind] for kind in _KINDS.values()})

        return Pairs(rows=of(_ALL_ROWS), labels={label: of(label) for label in self._labels})
