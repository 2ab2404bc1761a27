"""What a file whose rows are to be labelled is, and one to which they go, whatever their formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.rows import BadRow


class CsvOptions(NamedTuple):
    """How files are written that are CSV.

    Attributes:
        dialect: How the source is written; the target has its delimiter, and double quotes that quote fields.
        escape_formulas: Whether an apostrophe is put before what a spreadsheet would take for a formula (OWASP's advice
            against CSV injection). The target then no longer holds the very texts.
    """

    dialect: Dialect
    escape_formulas: bool = False


class Batch(NamedTuple):
    """Some rows of a table.

    Attributes:
        bad: Of each row, why it gets no label; None if it gets one.
        texts: By feature, the texts of the rows that get one, as UTF-8.
        rows: The rows as the table's own format has them.
        values: Returns the rows as values, in the order of the table's columns: None, truth values, numbers, text,
            bytes, dates and times, and lists and dictionaries of these.
    """

    bad: list[BadRow | None]
    texts: dict[str, list[bytes]]
    rows: Any
    values: Callable[[], list[list[Any]]]


class Table(Protocol):
    """A file whose rows are to be labelled, opened.

    Attributes:
        columns: The names of its columns.
        types: Of each column, what its values are but for None: bool, int or float, or str for all else.
        ordinary_quotes: Whether its quotes were found to be characters like any other.
    """

    columns: list[str]
    types: list[type]
    ordinary_quotes: bool

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
    """

    label: str
    probabilities: tuple[float, ...]


Write = Callable[[Batch, list[Answer | None]], None]
"""Writes a batch with what is added to each row, None to one without a label."""
