"""The rows of a test split, each with its labels and what a model said of it: what exact measures are made of."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

_TRUE, _KNOWN, _DECIDED = 1, 2, 4


@dataclass
class JudgedRows:
    """Rows in the order in which they were added.

    A row takes a byte for each label, four more for each label whose scores are kept, and eight for each slice it is
    in: 30 MB for a million rows of six labels.

    Attributes:
        labels: How many labels there are.
        multi_label: Whether a row can have any number of them.
        with_scores: Whether scores are kept.
        slice_names: The slices, in the order in which they were met.
    """

    labels: int
    multi_label: bool = True
    with_scores: bool = True
    slice_names: dict[str, int] = field(default_factory=dict)
    _flags: bytearray = field(default_factory=bytearray, repr=False)
    _scores: bytearray = field(default_factory=bytearray, repr=False)
    _in_slice: array[int] = field(default_factory=lambda: array("I"), repr=False)
    _slice_rows: array[int] = field(default_factory=lambda: array("I"), repr=False)

    def __len__(self) -> int:
        return len(self._flags) // self.labels

    def append(
        self,
        truth: np.ndarray,
        known: np.ndarray,
        decided: np.ndarray,
        scores: np.ndarray,
        slices: Iterable[str] = (),
    ) -> None:
        """Adds a row.

        Args:
            truth: Whether it has each label, bool `(labels,)`; of labels that are not known it is not looked at.
            known: Whether that is known, bool `(labels,)`.
            decided: Whether the model gave it the label, bool `(labels,)`.
            scores: The label's probability, `(labels,)`.
            slices: The names of the slices that it is in.
        """
        row = len(self)
        self._flags += ((truth & known) * _TRUE + known * _KNOWN + decided * _DECIDED).astype(np.uint8).tobytes()
        if self.with_scores:
            self._scores += scores.astype(np.float32).tobytes()
        for name in slices:
            self._in_slice.append(self.slice_names.setdefault(name, len(self.slice_names)))
            self._slice_rows.append(row)

    def extend(self, other: JudgedRows) -> None:
        """Adds the rows of another."""
        before = len(self)
        self._flags += other._flags
        self._scores += other._scores
        numbers = [self.slice_names.setdefault(name, len(self.slice_names)) for name in other.slice_names]
        self._in_slice.extend(numbers[number] for number in other._in_slice)
        self._slice_rows.extend(before + row for row in other._slice_rows)

    @property
    def truth(self) -> np.ndarray:
        """Whether each row has each label, bool `(rows, labels)`; False where it is not known."""
        return self._flag(_TRUE)

    @property
    def known(self) -> np.ndarray:
        """Whether it is known if each row has each label, bool `(rows, labels)`."""
        return self._flag(_KNOWN)

    @property
    def decided(self) -> np.ndarray:
        """Whether each row was given each label, bool `(rows, labels)`."""
        return self._flag(_DECIDED)

    @property
    def scores(self) -> np.ndarray:
        """The probabilities, float32 `(rows, labels)`."""
        return np.frombuffer(self._scores, np.float32).reshape(len(self), self.labels)

    def slice_members(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns for each row and slice that it is in the number of the row, and that of the slice: `(members,)`."""
        return np.array(self._slice_rows, np.intp), np.array(self._in_slice, np.intp)

    def in_slice(self, name: str) -> np.ndarray:
        """Returns whether each row is in a slice, bool `(rows,)`."""
        rows, slices = self.slice_members()
        inside = np.zeros(len(self), bool)
        if name in self.slice_names:
            inside[rows[slices == self.slice_names[name]]] = True
        return inside

    def _flag(self, flag: int) -> np.ndarray:
        return (np.frombuffer(self._flags, np.uint8).reshape(len(self), self.labels) & flag).astype(bool)
