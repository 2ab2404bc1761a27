"""What is read of data files: records, the rows made of them, and the lines that are neither."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_TEXT_CHARACTERS = 16 * 2**20
"""The longest record of a CSV file (all its fields, quotes and line ends), line, or text, in characters: 16 Mi.

A quote that is never closed makes the rest of the file one record; this bound keeps it from taking the memory too.
It is ours, thousands of times longer than any encoder reads. The csv module holds a field at four bytes a character and
doubles that room as the field grows: 128 MB at most, beside the lines themselves.
"""

EXCERPT_CHARACTERS = 1000
"""What is kept of a line that is too long to keep."""


class Record(NamedTuple):
    """What a reader finds in a file, whatever its format; a judge makes a `Row` or a `BadRow` of it.

    Attributes:
        line: Physical line, from 1, on which it starts; of a file without lines, the number of the row.
        values: By the name of a wanted column, its text; empty where the file has no value.
        fields: What is kept of it if it cannot be used.
        lines: How many physical lines it is on.
    """

    line: int
    values: Mapping[str, str]
    fields: list[str]
    lines: int = 1


UNLISTED = "label not listed"
"""The kind of a row that is left out because its label is not listed. It is no fault of the row."""

ALL_MASKED = "no label is known"
"""The kind of a row of which all labels are masked, as in test sets that hide theirs. It is no fault of the row."""

UNDECIDED = "votes without a winner"
"""The kind of a row whose votes are tied, or that has none. It is no fault of the row."""

NOTHING_TO_LEARN = (ALL_MASKED, UNDECIDED)
"""The kinds of rows that are whole, and yet have no label to learn."""


class LabelSet(NamedTuple):
    """The labels of a row that can have any number of them.

    Attributes:
        present: Those that it has, in the format's order.
        masked: Those of which nobody knows whether it has them, likewise.
    """

    present: tuple[str, ...]
    masked: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """All of it in a line: the labels that it has, and with a question mark those that are masked."""
        return ", ".join([*self.present, *(f"{label}?" for label in self.masked)])


@dataclass(frozen=True, slots=True)
class Row:
    """A text and its label, or its labels.

    Attributes:
        line: As of `Record`.
        text: The text as it stands in the file, white space and all; never blank.
        text_pair: The second text likewise, or None where the format has no such column.
        label: One of the format's labels; empty where the format has none. Of a multi-label format, `label_set` in
            words.
        lines: As of `Record`.
        unlisted: Its label as the file has it, where that is not listed and counts as another.
        label_set: Of a multi-label format, its labels; None of any other.
        slices: The names of the slices that it is in.
    """

    line: int
    text: str
    text_pair: str | None
    label: str
    lines: int = 1
    unlisted: str = field(default="", repr=False)
    label_set: LabelSet | None = field(default=None, repr=False)
    slices: tuple[str, ...] = field(default=(), repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it has: of a single-label format one."""
        return (self.label,) if self.label_set is None else self.label_set.present


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used.

    Attributes:
        line: As of `Record`.
        reason: What is wrong, with the value, in one line.
        fields: The row's fields; where they cannot be told apart, the whole line as one. A byte that does not decode
            stands as `text_encoding.KEEP_UNDECODABLE` makes it. Of a line longer than `MAX_TEXT_CHARACTERS`, its start.
        kind: The reason without the particulars, for counting, such as "missing text" or "unknown label".
        lines: As of `Record`.
        unlisted: Of the kind `UNLISTED`, its label.
    """

    line: int
    reason: str
    fields: list[str]
    kind: str
    lines: int = 1
    unlisted: str = field(default="", repr=False)


@dataclass
class LineCount:
    """The physical lines of a file, or of several, that are no rows; of a file without lines, its rows.

    Attributes:
        total: All lines, rows among them.
        header: Those of the header.
        blank: Those with nothing on them, outside of quotes.
    """

    total: int = 0
    header: int = 0
    blank: int = 0

    def add(self, other: "LineCount") -> None:
        """Adds the lines of another."""
        self.total += other.total
        self.header += other.header
        self.blank += other.blank
