"""Finds columns that each say of one class whether a text has it."""

import itertools
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from fullbake.components.data.numbers import finite_number
from fullbake.components.data.row_format import RowFormat
from fullbake.pipeline.prediction.table import TextOptions
from fullbake.pipeline.prediction.tables import table_format

_ROWS, _BATCHES = 1000, 10  # looked at, at the start of the file

_TRUTHS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
_UNKNOWN = ("", "-1", "-1.0")


@dataclass
class Cells:
    """What the cells of a column hold.

    Attributes:
        truths: Truth values, of 0 and 1 or false and true.
        masked: Whether some are empty, -1, or words for a missing value.
        numbers: The least and the greatest of all numbers, if some are others than 0 and 1.
        others: Whether there is anything else.
    """

    truths: set[bool] = field(default_factory=set)
    masked: bool = False
    numbers: tuple[float, float] | None = None
    others: bool = False

    @property
    def are_truths(self) -> bool:
        """Whether all cells are truth values, but for those that are masked."""
        return not self.others and self.numbers is None

    def add(self, values: Collection[str], nulls: Collection[str]) -> None:
        """Adds different cells; `nulls` are words for a missing value."""
        numbers = [*(self.numbers or ())]
        for value in values:
            truth = _TRUTHS.get(value.lower())
            if truth is not None:
                self.truths.add(truth)
            elif value in _UNKNOWN or value in nulls:
                self.masked = True
            elif (number := finite_number(value)) is not None:
                numbers.append(number)
            else:
                self.others = True
        if numbers:
            numbers += map(float, self.truths)
            self.numbers = min(numbers), max(numbers)


def look_at_columns(
    path: str, fmt: RowFormat, *, wanted: Collection[str] | None = None, whole: bool = True
) -> dict[str, Cells]:
    """Returns what the columns of a file hold, by their names.

    Args:
        path: The file.
        fmt: How it is written. Columns of texts are left out.
        wanted: The names of the columns; None: all, each until something else than truth values is seen in it.
        whole: Whether all rows are looked at, or those at the start of the file.
    """
    texts = {column.strip() for column in (fmt.text_column, fmt.text_pair_column) if column is not None}
    options = TextOptions(known=fmt.dialect, columns={column: [column] for column in texts})
    nulls = {word.strip() for word in fmt.null_values}
    with table_format(Path(path)).open(Path(path), options) as table:
        columns = [column.strip() for column in table.columns]
        found = {
            place: Cells()
            for place, column in enumerate(columns)
            if column not in texts and (wanted is None or column in wanted)
        }
        batches = table.batches({}, _ROWS)
        for batch in batches if whole else itertools.islice(batches, _BATCHES):
            rows = [row for row, bad in zip(batch.values(), batch.bad, strict=True) if bad is None]
            for place, cells in found.items():
                if wanted is not None or cells.are_truths:
                    values = {row[place] if isinstance(row[place], str) else _text(row[place]) for row in rows}
                    cells.add({value.strip() for value in values}, nulls)
    return {columns[place]: cells for place, cells in found.items()}


def find_class_columns(path: str, fmt: RowFormat, *, whole: bool = False) -> list[str]:
    """Returns the columns that hold 0 and 1 alone (or false and true), where there are several.

    Args:
        path: The file.
        fmt: How it is written. Columns of texts are left out.
        whole: Whether the whole file is looked at, in which labels may be rare or masked, or the first rows alone.
    """
    columns = look_at_columns(path, fmt, whole=whole)
    found = [
        column
        for column, cells in columns.items()
        if cells.are_truths and cells.truths == {False, True} and (whole or not cells.masked)
    ]
    return found if len(found) > 1 else []


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)
