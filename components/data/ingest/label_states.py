"""The different label sets of the rows of all files, by number: what rows of multi-label formats are compared by."""

from collections.abc import Iterable, Sequence

import numpy as np

from fullbake.components.data.ingest.stratify import LEAST, count_texts, stratify
from fullbake.components.data.rows import LabelSet

FEW = 1000
"""Rows that are known not to have a label, up to which the split sees to it that each part has some of them.

It is our choice: of more, the hash alone gives each part enough, and to look after them takes memory.
"""


class LabelStates:
    """Label sets, numbered in the order in which they are first seen; there are far fewer than rows."""

    def __init__(self) -> None:
        self._numbers: dict[LabelSet, int] = {}

    def number(self, labels: LabelSet) -> int:
        """Returns the number of a label set. Two are equal if all labels are, and all masks."""
        return self._numbers.setdefault(labels, len(self._numbers))

    def numbers(self, sets: Iterable[LabelSet]) -> np.ndarray:
        """Returns the numbers of several label sets, uint32 (sets,)."""
        return np.array([self.number(labels) for labels in sets], np.uint32)

    @property
    def sets(self) -> list[LabelSet]:
        """The label sets, in the order of their numbers."""
        return list(self._numbers)

    def names(self) -> list[str]:
        """Returns what people are told the label sets are."""
        return [repr(labels.in_words) if labels.in_words else "no label" for labels in self._numbers]


class LabelPairs:
    """Texts, once for each label that they have, and for what else each part of a split must have of.

    That is: each label, having no label, and not to have a label of which few rows are known not to have it. A row is
    of at least one of these classes.

    Args:
        texts: Digests of the rows' texts, uint64 (rows,).
        states: Numbers of the rows' label sets, unsigned (rows,).
        sets: The label sets, in the order of their numbers.
        labels: The labels.
    """

    def __init__(self, texts: np.ndarray, states: np.ndarray, sets: Sequence[LabelSet], labels: Sequence[str]):
        self._labels = len(labels)
        of_states = _classes_of(np.bincount(states, minlength=len(sets)), sets, labels)
        sizes = np.array([len(classes) for classes in of_states], np.int64)
        flat = np.array([number for classes in of_states for number in classes], np.uint32)
        starts = np.cumsum(sizes) - sizes
        of_rows = sizes[states]
        self._first = np.cumsum(of_rows) - of_rows
        within = np.arange(of_rows.sum()) - np.repeat(self._first, of_rows)
        self._classes = flat[np.repeat(starts[states], of_rows) + within]
        self._texts = np.repeat(texts, of_rows)

    def texts_of_labels(self) -> np.ndarray:
        """Returns how many different texts have each label, int64 (labels,)."""
        return count_texts(self._texts, self._classes, self._most)[: self._labels]

    def split(self, split: dict[str, int], least_in_test: np.ndarray) -> np.ndarray:
        """Returns the split of each row, as `stratify` does; all rows of a text have the same.

        Args:
            split: As of `stratify`.
            least_in_test: The least number of texts in test, int (labels,).

        Returns:
            Places in `split`, uint8 (rows,).
        """
        least = np.full(self._most, LEAST)
        least[: self._labels] = least_in_test
        return stratify(self._texts, self._classes, split, least)[self._first]

    @property
    def _most(self) -> int:
        return 2 * self._labels + 1


def _classes_of(rows: np.ndarray, sets: Sequence[LabelSet], labels: Sequence[str]) -> list[list[int]]:
    """Returns of each label set the classes that its rows are of: the labels', then that of none, then those without.

    Args:
        rows: How many rows have each label set, (sets,).
        sets: The label sets.
        labels: The labels.
    """
    place = {label: number for number, label in enumerate(labels)}
    lacking = {label: int(rows.sum()) for label in labels}
    for count, (present, masked) in zip(rows.tolist(), sets, strict=True):
        for label in (*present, *masked):
            lacking[label] -= count
    few = [label for label in labels if lacking[label] <= FEW]
    found = []
    for present, masked in sets:
        classes = [place[label] for label in present] or [len(labels)]
        without = (label for label in few if label not in present and label not in masked)
        found.append([*classes, *(len(labels) + 1 + place[label] for label in without)])
    return found
