"""The mistakes of which a model was surest, label by label."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam

from fullbake.contract.names import TEXT, TEXT_PAIR
from fullbake.contract.results.mistakes import JudgedText, LabelMistakes, Mistakes

MOST_TEXTS = 20
"""Of a label."""
ALL_TEXTS = 240
"""Of all labels together; with many of them each shows fewer, but never less than `LEAST_TEXTS`."""
LEAST_TEXTS = 3

# Beside the labels' lists, what changed against the model in production.
_BROKEN, _FIXED = ("", True), ("", False)


@dataclass
class _Found:
    """Mistakes so far: by label and kind how many, and the hardest; rows by label."""

    counts: Counter[tuple[str, bool]] = field(default_factory=Counter)
    hardest: dict[tuple[str, bool], list[tuple[float, JudgedText]]] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    compared: bool = False


class CollectMistakes(beam.CombineFn):
    """Collects the hardest mistakes of `judged_texts.TextRow`s into `Mistakes`, with whole texts.

    Kept are at most `ALL_TEXTS` texts, or `LEAST_TEXTS` of each label, however many rows there are.

    Args:
        labels: The labels in the order of their class index.
        bounded: Those of them with a bound on their recall.
        multi_label: Whether a row can have any number of them.
    """

    def __init__(self, labels: Sequence[str], bounded: Sequence[str], multi_label: bool):
        self._index = {label: index for index, label in enumerate(labels)}
        self._bounded = frozenset(bounded)
        self._multi_label = multi_label
        lists = len(labels) * (2 if multi_label else 1) + 2
        self._most = max(LEAST_TEXTS, min(MOST_TEXTS, ALL_TEXTS // lists))

    def create_accumulator(self) -> _Found:
        """Returns no mistakes yet."""
        return _Found()

    def add_input(self, found: _Found, row: Any) -> _Found:
        """Adds a row."""
        found.rows.update(row.truth)
        wrong = self._about(row, row.decided)
        for label in wrong:
            missed = label in row.truth
            found.counts[label, missed] += 1
            self._keep(found, (label, missed), row, label)
        if row.production is not None:
            found.compared = True
            was_wrong = self._about(row, row.production)
            if bool(wrong) != bool(was_wrong):
                changed = _BROKEN if wrong else _FIXED
                found.counts[changed] += 1
                self._keep(found, changed, row, (wrong or was_wrong)[0])
        return found

    def merge_accumulators(self, parts: Iterable[_Found]) -> _Found:
        """Puts mistakes together."""
        total = _Found()
        for part in parts:
            total.counts.update(part.counts)
            total.rows.update(part.rows)
            total.compared |= part.compared
            for key, texts in part.hardest.items():
                total.hardest[key] = self._hardest([*total.hardest.get(key, ()), *texts])
        return total

    def extract_output(self, found: _Found) -> Mistakes:
        """Returns the mistakes, those of the label that matters first first."""
        keys = sorted(found.counts.keys() - {_BROKEN, _FIXED}, key=lambda key: self._place(found, *key))
        listed = tuple(
            LabelMistakes(label=key[0], missed=key[1], count=found.counts[key], texts=self._texts(found, key))
            for key in keys
        )
        return Mistakes(
            labels=listed,
            fixed=found.counts[_FIXED] if found.compared else None,
            broken=found.counts[_BROKEN] if found.compared else None,
            fixed_texts=self._texts(found, _FIXED),
            broken_texts=self._texts(found, _BROKEN),
        )

    def _about(self, row: Any, decided: Sequence[str]) -> list[str]:
        """The labels about which such a decision is a mistake: the true one, or of several all that are wrong."""
        if not self._multi_label:
            return [label for label in row.truth if label not in decided]
        wrong = set(row.truth) ^ set(decided)
        return [label for label in self._index if label in wrong and label not in row.masked]

    def _place(self, found: _Found, label: str, missed: bool) -> tuple[Any, ...]:
        return label not in self._bounded, found.rows[label], self._index[label], not missed

    def _keep(self, found: _Found, key: tuple[str, bool], row: Any, label: str) -> None:
        probability = row.scores[self._index[label]]
        sure_of = None if self._multi_label else row.scores[self._index[row.decided[0]]]
        text = JudgedText(
            text=row.texts[TEXT],
            text_pair=row.texts.get(TEXT_PAIR),
            truth=row.truth,
            decided=row.decided,
            label=label,
            probability=probability,
            decided_probability=sure_of,
            in_production=row.production if key in (_BROKEN, _FIXED) else None,
        )
        # What is wrong is the harder, the surer the model is of it.
        surest = probability if label in row.decided else 1 - probability
        kept = [*found.hardest.get(key, ()), (surest, text)]
        found.hardest[key] = kept if len(kept) < 2 * self._most else self._hardest(kept)

    def _hardest(self, texts: list[tuple[float, JudgedText]]) -> list[tuple[float, JudgedText]]:
        # By text where two are alike, so that it does not hang on the order of the rows.
        return heapq.nsmallest(self._most, texts, key=lambda one: (-one[0], one[1].text))

    def _texts(self, found: _Found, key: tuple[str, bool]) -> tuple[JudgedText, ...]:
        return tuple(text for _, text in self._hardest(found.hardest.get(key, [])))
