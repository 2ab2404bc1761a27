"""The account of what became of the rows of data files."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from fullbake.components.data.columns import shorten
from fullbake.components.data.drift import Profile
from fullbake.components.data.ingest import refusal
from fullbake.components.data.row_format import MOST_LABELS
from fullbake.components.data.rows import LineCount
from fullbake.components.data.text_encoding import printable
from fullbake.contract.errors import InputError


@dataclass
class Tally:
    """What became of the rows of one file, or of several.

    Attributes:
        read: Rows found.
        examples: Split -> examples written.
        labels: Split -> label -> those that have it.
        masked: Split -> label -> those of which nobody knows whether they have it.
        reasons: Kind of reason -> rows rejected.
        rare: Label -> rows of rare classes, not used or of the class `row_format.OTHER`; beyond so many labels, the
            rows of all others under an empty one.
        first: Kind of reason -> the first row rejected for it: file, line and reason.
        slices: Name of a slice -> examples written that are in it.
        profile: Of all rows that can be used, those kept out of training among them.
        error: Why a file cannot be read at all, if so.
        lines: Physical lines, in all and those that are no rows.
        used_lines: Lines of the examples written.
        rejected_lines: Lines of the rows rejected.
        ordinary_quotes: The files whose quotes were found to be characters like any other.
    """

    read: int = 0
    examples: Counter[str] = field(default_factory=Counter)
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    masked: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    rare: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    slices: Counter[str] = field(default_factory=Counter)
    profile: Profile = field(default_factory=Profile)
    error: InputError | None = None
    lines: LineCount = field(default_factory=LineCount)
    used_lines: int = 0
    rejected_lines: int = 0
    ordinary_quotes: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Adds the rows of another; of the first rows and the errors, its own precede."""
        self.read += other.read
        self.examples.update(other.examples)
        for split, labels in other.labels.items():
            self.labels.setdefault(split, Counter()).update(labels)
        for split, labels in other.masked.items():
            self.masked.setdefault(split, Counter()).update(labels)
        self.reasons.update(other.reasons)
        for label, rows in other.rare.items():
            self.count_rare(label, rows)
        for kind, row in other.first.items():
            self.first.setdefault(kind, row)
        self.slices.update(other.slices)
        self.profile.add(other.profile)
        self.error = self.error or other.error
        self.lines.add(other.lines)
        self.used_lines += other.used_lines
        self.rejected_lines += other.rejected_lines
        self.ordinary_quotes += other.ordinary_quotes

    def count_example(self, split: str, labels: Iterable[str], masked: Iterable[str] = ()) -> None:
        """Counts an example written: its split, the labels that it has, and those of which nobody knows."""
        self.examples[split] += 1
        counts = self.labels.setdefault(split, Counter())
        for label in labels:
            counts[label] += 1
        for label in masked:
            self.masked.setdefault(split, Counter())[label] += 1

    def count_rare(self, label: str, rows: int = 1) -> None:
        """Counts rows of a rare class; a wrong column may hold as many labels as there are rows."""
        label = printable(shorten(label))
        self.rare[label if label in self.rare or len(self.rare) < MOST_LABELS else ""] += rows

    def to_json(self) -> str:
        """Returns it as JSON."""
        error = self.error and self.error.to_dict()
        whole = {**vars(self), "profile": self.profile.to_dict(), "lines": asdict(self.lines), "error": error}
        return json.dumps(whole)

    @classmethod
    def from_json(cls, text: str) -> "Tally":
        """Returns the tally of which `to_json` returned this."""
        values = json.loads(text)
        profile, lines = Profile.from_dict(values["profile"]), LineCount(**values["lines"])
        error = values["error"] and InputError.from_dict(values["error"])
        return cls(**{**values, "profile": profile, "lines": lines, "error": error})

    @property
    def used(self) -> int:
        """Examples written, in all splits."""
        return self.examples.total()

    @property
    def rejected(self) -> int:
        """Rows rejected, for any reason."""
        return sum(self.reasons.values())

    @property
    def bad(self) -> Counter[str]:
        """Kind of reason -> rows that cannot be used; not those that are only kept out of training."""
        return Counter({kind: count for kind, count in self.reasons.items() if kind not in refusal.NOT_USED})

    def line_account(self) -> dict[str, int]:
        """Returns what every line read was: the parts add up to the total.

        Raises:
            RuntimeError: They do not.
        """
        parts = {**asdict(self.lines), "used": self.used_lines, "rejected": self.rejected_lines}
        total = parts.pop("total")
        if total != sum(parts.values()):
            raise RuntimeError(f"{total} lines were read, but they are {parts}")
        return {"total": total, **parts}
