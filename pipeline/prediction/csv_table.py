"""CSV files whose rows are labelled."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fullbake.components.data.data_files import opened
from fullbake.components.data.quoting import QUOTINGS, STANDARD, Quoting
from fullbake.components.data.readers.csv_quoting import find_quoting
from fullbake.components.data.readers.csv_records import JOINED_LINES, CsvRecord, read_records
from fullbake.components.data.rows import BadRow, LineCount
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE
from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import writing
from fullbake.pipeline.prediction.plain_values import as_text
from fullbake.pipeline.prediction.table import Answer, Batch, CsvOptions, Table, Write

# What spreadsheets begin a formula with, or skip before one (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class RowBack(NamedTuple):
    """A row as it comes back.

    Attributes:
        fields: As many as the header has.
        lines: How many physical lines it was on.
        bad: Why it gets no label; None if it gets one.
    """

    fields: list[str]
    lines: int
    bad: BadRow | None


class CsvTable:
    """A CSV file, opened.

    Args:
        columns: Its header.
        rows: Its rows, as they are read.
        quoting: What its quotes mean.
        found_out: Whether that was found out.
        line_count: Its lines, counted as they are read.
    """

    def __init__(
        self, columns: list[str], rows: Iterator[RowBack], quoting: Quoting, found_out: bool, line_count: LineCount
    ):
        self.columns = columns
        self.types: list[type] = [str] * len(columns)
        self.rows = rows
        self.ordinary_quotes = quoting.ordinary and found_out
        self.line_count = line_count

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows, as `Table.batches`. Bytes of a text that do not decode come to the model as they were."""
        while batch := list(itertools.islice(self.rows, size)):
            fields: list[list[Any]] = [row.fields for row in batch]
            texts = {
                feature: [row.fields[place].encode("utf-8", KEEP_UNDECODABLE) for row in batch if row.bad is None]
                for feature, place in places.items()
            }
            yield Batch([row.bad for row in batch], texts, fields, partial(list, fields))


@contextmanager
def open_csv(source: Path, options: CsvOptions) -> Iterator[CsvTable]:
    """Opens a file whose rows are to be labelled.

    A row that cannot be read stays in its place: with fewer fields than the header it is filled up with empty ones, of
    more the last hold together what is too much, delimiters and all, and a line whose quoting is broken is parted at
    its delimiters.

    Args:
        source: The file.
        options: How it is written.

    Raises:
        InputError: It has no header.
        WrongKindError: It is no CSV.
    """
    dialect = options.dialect
    meaning = QUOTINGS[dialect.quoting] or find_quoting(
        lambda: opened(str(source)), dialect, _as_wide_as, judges_labels=False
    )
    with opened(str(source)) as stream:
        count = LineCount()
        records = read_records(stream, dialect, meaning, count)
        header = _header(records, source)
        count.header = count.total - count.blank
        rows = (_as_row(record, len(header), dialect.delimiter) for record in records)
        yield CsvTable(header, rows, meaning, dialect.quoting == "auto", count)


def check_csv(source: Path, options: CsvOptions) -> None:
    """Looks whether a file has a header.

    Raises:
        InputError: It has none.
        WrongKindError: It is no CSV.
    """
    with opened(str(source)) as stream:
        _header(
            read_records(stream, options.dialect, QUOTINGS[options.dialect.quoting] or STANDARD),
            source,
        )


@contextmanager
def write_csv(target: Path, table: Table, columns: list[str], options: CsvOptions) -> Iterator[Write]:
    """Opens a file for labelled rows; it appears when all is written. Probabilities have six decimals.

    Args:
        target: The file.
        table: Where the rows come from.
        columns: The names of all columns: those of the table, then those that are added.
        options: How it is written.

    Raises:
        InputError: It cannot be written.
    """
    needs_quotes = re.compile(f'["\r\n{re.escape(options.dialect.delimiter)}]').search
    added = len(columns) - len(table.columns)

    def line(fields: list[str]) -> str:
        # Python 3.10's csv.writer refuses U+0000 and leaves a lone carriage return unquoted, where readers end the row.
        if options.escape_formulas:
            fields = [f"'{field}" if field.startswith(_FORMULA) else field for field in fields]
        quoted = ['"' + field.replace('"', '""') + '"' if needs_quotes(field) else field for field in fields]
        return options.dialect.delimiter.join(quoted) + "\n"

    with writing(target, "--output", errors=KEEP_UNDECODABLE, newline="") as sink:
        sink.write(line(columns))

        def write(batch: Batch, answers: list[Answer | None]) -> None:
            rows = batch.rows if isinstance(table, CsvTable) else [list(map(as_text, row)) for row in batch.values()]
            for row, answer in zip(rows, answers, strict=True):
                own = [""] * added if answer is None else [answer.label, *(f"{p:.6f}" for p in answer.probabilities)]
                sink.write(line([*row, *own]))

        yield write


def _as_row(record: CsvRecord | BadRow, width: int, delimiter: str) -> RowBack:
    if isinstance(record, CsvRecord):
        fields = record.fields
        if len(fields) == width:
            return RowBack(fields, record.lines, None)
        reason = f"{len(fields)} fields where the header has {width}"
        bad = BadRow(record.line, reason, fields, "wrong number of fields")
    else:
        fields = record.fields[0].split(delimiter)
        bad = record
        if record.kind == JOINED_LINES and len(fields) == width:
            return RowBack(fields, record.lines, None)
    if len(fields) > width:
        fields = [*fields[: width - 1], delimiter.join(fields[width - 1 :])]
    return RowBack([*fields, *("" for _ in range(width - len(fields)))], record.lines, bad)


def _as_wide_as(header: list[str]) -> Callable[[list[str]], bool]:
    return lambda fields: len(fields) == len(header)


def _header(records: Iterator[CsvRecord | BadRow], source: Path) -> list[str]:
    header = next(records, None)
    if header is None:
        raise InputError(f"--input: {source} is empty; give it a header line")
    if isinstance(header, BadRow):
        raise InputError(f"--input: {source}, line {header.line}: the header cannot be read: {header.reason}")
    return header.fields
