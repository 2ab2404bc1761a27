"""How far the newest span of the data has moved from the one before it: in shares of labels, in lengths of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fullbake.components.data.rows import Row
from fullbake.contract.results.ingest import Drift


@dataclass
class Profile:
    """What is compared of a span.

    Attributes:
        labels: Label -> rows that have it.
        lengths: Characters of a text, its second one included -> rows. There are few of them: n different lengths take
            at least n²/2 characters of text.
    """

    labels: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)

    def count(self, row: Row) -> None:
        """Counts a row."""
        for label in row.labels:
            self.labels[label] += 1
        self.lengths[len(row.text) + len(row.text_pair or "")] += 1

    def add(self, other: Profile) -> None:
        """Adds the rows of another."""
        self.labels.update(other.labels)
        self.lengths.update(other.lengths)

    @property
    def rows(self) -> int:
        """Rows counted."""
        return self.lengths.total()

    def to_dict(self) -> dict[str, Any]:
        """Returns it as values that JSON keeps."""
        return {"labels": dict(self.labels), "lengths": list(self.lengths.items())}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Profile:
        """Makes it of what `to_dict` returned."""
        return cls(Counter(values["labels"]), Counter(dict(values["lengths"])))


def measure_drift(labels: Sequence[str], number_before: int, before: Profile, now: Profile) -> Drift:
    """Compares two spans, neither of them empty.

    Args:
        labels: All labels; of several that changed alike the one that was rarest is named.
        number_before: The number of the span before.
        before: That span.
        now: The newest span.

    Example:
        >>> from collections import Counter
        >>> before = Profile(Counter(good=9, bad=1), Counter({10: 5, 20: 5}))
        >>> now = Profile(Counter(good=6, bad=4), Counter({20: 5, 30: 5}))
        >>> print(measure_drift(["good", "bad"], 1, before, now))
        labels 0.300 (share of 'bad' 0.100, now 0.400); text lengths 0.500 (median 10, now 20 characters)
    """
    shares_before = {label: before.labels[label] / before.rows for label in labels}
    shares = {label: now.labels[label] / now.rows for label in labels}
    # Of two labels both change alike, but for the last bits.
    moved = max(labels, key=lambda name: (round(abs(shares[name] - shares_before[name]), 12), -shares_before[name]))
    lengths = np.array(sorted({*before.lengths, *now.lengths}))
    up_to_before, up_to = (_shares_up_to(lengths, profile) for profile in (before, now))
    return Drift(
        before=number_before,
        rows_before=before.rows,
        label_distance=abs(shares[moved] - shares_before[moved]),
        label=moved,
        share_before=shares_before[moved],
        share=shares[moved],
        length_distance=float(np.abs(up_to - up_to_before).max()),
        median_length_before=int(lengths[np.searchsorted(up_to_before, 0.5)]),
        median_length=int(lengths[np.searchsorted(up_to, 0.5)]),
    )


def _shares_up_to(lengths: np.ndarray, profile: Profile) -> np.ndarray:
    """Returns the share of the texts that are at most so long, for each of the sorted lengths."""
    return np.cumsum([profile.lengths[length] for length in lengths.tolist()]) / profile.rows
