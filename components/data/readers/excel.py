"""Reads Excel workbooks: the one sheet that has cells, row by row."""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

from fullbake.components.data.columns import find_columns, shorten
from fullbake.components.data.compression import check_uncompressed
from fullbake.components.data.file_kinds import WrongKindError, check_kind, named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import LineCount, Record
from fullbake.contract.errors import InputError

FORMAT = "an Excel workbook"
_MAGIC = b"PK\x03\x04"
_LOOKED_AT = 2**16
# A character that XML cannot hold, or the underscore of what would stand for one, as Office Open XML writes it
# (ECMA-376 part 1, 22.9.2.19).
_ESCAPED = re.compile("_x(00[01][0-9A-Fa-f]|005[Ff]|[Ff]{3}[EeFf])_")
_DIGITS = 15  # that Excel keeps and shows of a number


class SheetRow(NamedTuple):
    """A row that has cells.

    Attributes:
        number: Its number in the sheet, from 1.
        values: Of its cells from the first column on, up to the last one that has one: None, text, numbers, truth
            values, dates and times.
    """

    number: int
    values: list[Any]


class Sheet:
    """The sheet of a workbook.

    Args:
        rows: Its rows, as openpyxl reads them.
        count: Where its rows are counted.

    Attributes:
        header: The names of its columns, from its first row with cells; empty where a cell is.
    """

    def __init__(self, rows: Iterator[Any], count: LineCount):
        self._rows = rows
        self._count = count
        self.header = [text_of_cell(value) for value in next(self._filled()).values]
        count.header = 1

    def rows(self) -> Iterator[SheetRow]:
        """Yields the rows below the header that have cells.

        Raises:
            WrongKindError: The file is damaged.
        """
        yield from self._filled()

    def _filled(self) -> Iterator[SheetRow]:
        while True:
            with _damage_told():
                cells = next(self._rows, None)
            if cells is None:
                return
            self._count.total += 1
            values = [_value(cell) for cell in cells]
            while values and values[-1] is None:
                values.pop()
            if values:
                yield SheetRow(self._count.total, values)
            else:
                self._count.blank += 1


def open_sheet(stream: BinaryIO, name: str, count: LineCount) -> Sheet:
    """Opens the sheet of a workbook; hidden and empty ones do not count.

    Its texts are held in memory where the workbook has them in a table of their own, as Excel writes it; rows are not.

    Args:
        stream: The file's bytes; it is read here and there, and not closed.
        name: The file's name.
        count: Where the rows of the sheet are counted.

    Raises:
        WrongKindError: The file is no workbook, or damaged, compressed or empty; or it has several sheets with cells.
    """
    import openpyxl  # here, for it takes a quarter of a second to import

    check_uncompressed(name, "a workbook")
    start = stream.read(_LOOKED_AT)
    if not start:
        raise WrongKindError("is empty; take it away")
    check_kind(start, FORMAT)
    if not start.startswith(_MAGIC):
        raise WrongKindError("is no Excel workbook; let its name say what it is")
    stream.seek(0)
    # Of what a workbook has besides cells, which is not wanted here.
    warnings.filterwarnings("ignore", module="openpyxl")
    with _damage_told():
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for sheet in visible:
            sheet.reset_dimensions()  # what a file says of them may be wrong, and would cut it off
        filled = [sheet for sheet in visible if _has_cells(sheet)]
    if not filled:
        raise WrongKindError("has no visible sheet with cells; take it away")
    if len(filled) > 1:
        titles = ", ".join(sheet.title for sheet in filled)
        raise WrongKindError(
            f"has {len(filled)} sheets with cells ({shorten(titles)}); hide or delete all but one, or save that as CSV"
        )
    return Sheet(iter(filled[0].rows), count)


def _has_cells(sheet: Any) -> bool:
    return any(_value(cell) is not None for row in sheet.rows for cell in row)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # openpyxl says damage by whatever fails first inside it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WrongKindError(f"is not a whole Excel workbook ({shorten(reason)}); copy it here again") from error


def _value(cell: Any) -> Any:
    """Returns the value of a cell; None if it is empty or an error."""
    value = cell.value
    if isinstance(value, str):
        if cell.data_type == "e" or not value:
            return None
        return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), value) if "_x" in value else value
    if isinstance(value, float):
        rounded = float(f"{value:.{_DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 10**_DIGITS else rounded
    return value


def text_of_cell(value: Any) -> str:
    """Returns a value as people see it: 1 and not 1.0, true and false, dates as ISO 8601 has them, nothing for None."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)


def read_excel(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record]:
    """Reads the records below the header, which is the first row with cells; rows without cells are skipped.

    Args: As of `formats.ReadRecords`. A row of the sheet counts as a line.

    Raises:
        InputError: As of `open_sheet`; or the sheet lacks a wanted column, or has two of its name, or no rows.
    """
    with named(name, source):
        sheet = open_sheet(stream, name, count)
        places = find_columns([title.strip() for title in sheet.header], fmt, name, source)
        rows = 0
        for number, values in sheet.rows():
            rows += 1
            texts = [text_of_cell(value) for value in values]
            picked = {column: texts[place] if place < len(texts) else "" for column, place in places.items()}
            yield Record(number, picked, texts)
        if not rows:
            raise InputError("{file} has a header but no rows; add rows, or take it away", field=source, file=name)
