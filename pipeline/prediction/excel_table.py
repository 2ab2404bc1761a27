"""Excel workbooks whose rows are labelled."""

from __future__ import annotations

import datetime
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fullbake.components.data.compression import compression_of
from fullbake.components.data.data_files import opened
from fullbake.components.data.readers.excel import SheetRow, open_sheet, text_of_cell
from fullbake.components.data.rows import LineCount
from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import writing_bytes
from fullbake.pipeline.prediction.plain_values import as_text
from fullbake.pipeline.prediction.table import Answer, Batch, Table, TextOptions, Write

# Excel's own limits ("Excel specifications and limits"); a cell's are UTF-16 units.
_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384
_MOST_CHARACTERS = 32_767
_MOST_DIGITS = 15
_REMEDY = "name a .csv, .jsonl or .parquet file"

# What XML cannot hold, or changes, and what would be read as such; see `readers.excel`.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_NUMBERS = {frozenset([int]): int, frozenset([float]): float, frozenset([int, float]): float, frozenset([bool]): bool}


class ExcelTable:
    """A workbook, opened.

    Args:
        columns: The names of its columns.
        kinds: Of each column, the types of its values.
        rows: Its rows.
        count: How many there are.
    """

    encoding: str | None = None
    notes: Sequence[str] = ()

    def __init__(self, columns: list[str], kinds: list[set[type]], rows: Iterator[SheetRow], count: int):
        self.columns = columns
        self.types: list[type] = [_NUMBERS.get(frozenset(found), str) for found in kinds]
        self.part_read: Callable[[int], float] = lambda done: done / max(1, count)
        self._rows = rows

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows, as `Table.batches`; an empty cell has no text."""
        while rows := list(itertools.islice(self._rows, size)):
            texts = {
                feature: [text_of_cell(values[place]) if place < len(values) else "" for _, values in rows]
                for feature, place in places.items()
            }
            yield Batch([row.number for row in rows], [None] * len(rows), texts, rows, partial(self._values, rows))

    def _values(self, rows: list[SheetRow]) -> list[list[Any]]:
        width = len(self.columns)
        return [[_plain(value) for value in row.values] + [None] * (width - len(row.values)) for row in rows]


def _plain(value: Any) -> Any:
    return text_of_cell(value) if isinstance(value, datetime.datetime) else value


@contextmanager
def open_excel(source: Path, options: TextOptions) -> Iterator[ExcelTable]:
    """Opens a file whose rows are to be labelled; it is read once to know its columns.

    A column without a name is called by its letter, as `column D`.

    Args:
        source: The file.
        options: Of no matter.

    Raises:
        WrongKindError: It is no workbook, or has not one sheet with cells.
    """
    from openpyxl.utils import get_column_letter

    kinds: list[set[type]] = []
    count = 0
    with opened(str(source)) as stream:
        sheet = open_sheet(stream, source.name, LineCount())
        for _, values in sheet.rows():
            count += 1
            kinds.extend(set() for _ in range(len(values) - len(kinds)))
            for found, value in zip(kinds, values, strict=False):
                if value is not None:
                    found.add(type(value))
    kinds.extend(set() for _ in range(len(sheet.header) - len(kinds)))
    names = itertools.zip_longest(sheet.header, kinds, fillvalue="")
    columns = [str(name) or f"column {get_column_letter(place)}" for place, (name, _) in enumerate(names, 1)]
    with opened(str(source)) as stream:
        yield ExcelTable(columns, kinds, open_sheet(stream, source.name, LineCount()).rows(), count)


def check_excel(source: Path, options: TextOptions) -> None:
    """Looks whether a file has one sheet with cells.

    Raises:
        WrongKindError: It has not.
    """
    with opened(str(source)) as stream:
        open_sheet(stream, source.name, LineCount())


@contextmanager
def write_excel(target: Path, table: Table, columns: list[str], options: TextOptions) -> Iterator[Write]:
    """Opens a workbook for labelled rows; it appears when all is written.

    Text is text, also where a spreadsheet would take it for a formula. Probabilities are numbers with six decimals.

    Args:
        target: The file.
        table: Where the rows come from.
        columns: The names of all columns: those of the table, then those that are added.
        options: Of no matter.

    Raises:
        InputError: It cannot be written, or a sheet cannot hold it.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    if compression_of(target.name):
        raise InputError(f"--output: {target} would be compressed twice; let its name end in .xlsx")
    if len(columns) > _MOST_COLUMNS:
        raise InputError(
            f"--output: {target} would have {len(columns):,} columns, and a sheet holds {_MOST_COLUMNS:,}; {_REMEDY}"
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("labelled")
    added, written = len(columns) - len(table.columns), 0

    def cell(place: int, value: Any) -> Any:
        value = _as_cell(value)
        if not isinstance(value, str):
            return value
        text = _UNWRITABLE.sub(lambda found: f"_x{ord(found.group()):04X}_", value)
        if len(text.encode("utf-16-le")) // 2 > _MOST_CHARACTERS:
            raise InputError(
                f"--output: {target} cannot hold the text in row {written}, column {columns[place]!r}: it has "
                f"{len(text):,} characters, and a cell holds {_MOST_CHARACTERS:,}; {_REMEDY}"
            )
        if not text.startswith(("=", "#")):
            return text
        found = WriteOnlyCell(sheet, text)
        found.data_type = "s"  # openpyxl would take it for a formula, or an error
        return found

    def append(row: list[Any]) -> None:
        nonlocal written
        written += 1
        if written > _MOST_ROWS:
            raise InputError(f"--output: {target} cannot hold more than {_MOST_ROWS:,} rows; {_REMEDY}")
        sheet.append([cell(place, value) for place, value in enumerate(row)])

    def write(batch: Batch, answers: list[Answer | None]) -> None:
        for row, answer in zip(batch.values(), answers, strict=True):
            append([*row, *([None] * added if answer is None else answer.values())])

    try:
        append(list(columns))
        with writing_bytes(target, "--output") as sink:
            yield write
            book.save(sink)
    finally:
        if not sheet.closed:
            sheet.close()


def _as_cell(value: Any) -> Any:
    """Returns a value as a cell holds it: numbers that it can hold, truth values, and text for all else."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 10**_MOST_DIGITS:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return as_text(value)
