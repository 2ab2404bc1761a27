"""What a file whose rows are to be labelled is, and one to which they go, whatever their formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from fullbake.components.data.dialect import RFC_4180, Dialect
from fullbake.components.data.rows import BadRow


@dataclass(frozen=True)
class TextOptions:
    """How files are written that are text.

    Attributes:
        said: By the name of its setting of `Dialect`, what was said of the source. A target of CSV has its delimiter.
        known: How the files of training were written.
        known_from: What says so: the start of a sentence.
        columns: By feature, the names that its column may have, the best first.
        escape_formulas: Whether an apostrophe is put before what a spreadsheet would take for a formula (OWASP's advice
            against CSV injection). The target then no longer holds the very texts.
    """

    said: Mapping[str, str] = field(default_factory=dict)
    known: Dialect = RFC_4180
    known_from: str = "the default is"
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    escape_formulas: bool = False


class Batch(NamedTuple):
    """Some rows of a table.

    Attributes:
        lines: Of each row, its place in the file, as of `Record`.
        bad: Of each row, why it cannot be read; None if it can.
        texts: By feature, the text of each row, empty of one that cannot be read. A byte that does not decode stands as
            `text_encoding.KEEP_UNDECODABLE` makes it.
        rows: The rows as the table's own format has them.
        values: Returns the rows as values, in the order of the table's columns: None, truth values, numbers, text,
            bytes, dates and times, and lists and dictionaries of these.
    """

    lines: list[int]
    bad: list[BadRow | None]
    texts: dict[str, list[str]]
    rows: Any
    values: Callable[[], list[list[Any]]]


class Table(Protocol):
    """A file whose rows are to be labelled, opened.

    Attributes:
        columns: The names of its columns.
        types: Of each column, what its values are but for None: bool, int or float, or str for all else.
        encoding: That of its texts, if it may be another than UTF-8.
        notes: What people should know of how it is read, a sentence each, without its stop.
        part_read: Returns how much of it has been read, from 0 to 1, once so many of its rows have been.
    """

    columns: list[str]
    types: list[type]
    encoding: str | None
    notes: Sequence[str]
    part_read: Callable[[int], float]

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows.

        Args:
            places: By feature, the place of its column among the columns.
            size: Rows of a batch, at most.
        """


class Answer(NamedTuple):
    """What is added to a row.

    Attributes:
        label: The label.
        probabilities: Of each label in the model's order.
        explanation: Which words pushed the decision; None where nobody asked.
    """

    label: str
    probabilities: tuple[float, ...]
    explanation: str | None = None

    def values(self) -> list[Any]:
        """Returns the values of the added columns, in their order; probabilities have six decimals."""
        explanation = [] if self.explanation is None else [self.explanation]
        return [self.label, *(round(p, 6) for p in self.probabilities), *explanation]


Write = Callable[[Batch, list[Answer | None]], None]
"""Writes a batch with what is added to each row, None to one without a label."""
