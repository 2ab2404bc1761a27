"""CSV files whose rows are labelled."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.readers.csv_records import JOINED_LINES, CsvRecord
from fullbake.components.data.rows import BadRow, LineCount
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE
from fullbake.contract.names import LABELS_SEPARATOR
from fullbake.pipeline.output_file import writing
from fullbake.pipeline.prediction.column_names import EXPLANATION
from fullbake.pipeline.prediction.plain_values import as_text
from fullbake.pipeline.prediction.table import Answer, Batch, Table, TextOptions, Write

# What spreadsheets begin a formula with, or skip before one (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class CsvTable:
    """A CSV file, opened.

    A row that cannot be read stays in its place: with fewer fields than the header it is filled up with empty ones, of
    more the last hold together what is too much, delimiters and all, and a line whose quoting is broken is parted at
    its delimiters.

    Args:
        columns: The names of its columns.
        records: What it holds below the header, as it is read.
        dialect: How it is written.
        unquoted: Whether its quotes are characters like any other, and no field needs others.
        notes: As of `Table`.
        line_count: Its lines, counted as they are read.
        part_read: As of `Table`.
    """

    def __init__(
        self,
        columns: list[str],
        records: Iterator[CsvRecord | BadRow],
        dialect: Dialect,
        unquoted: bool,
        notes: Sequence[str],
        line_count: LineCount,
        part_read: Callable[[int], float],
    ):
        self.columns = columns
        self.types: list[type] = [str] * len(columns)
        self.encoding: str | None = dialect.encoding
        self.notes = notes
        self.dialect = dialect
        self.unquoted = unquoted
        self.records = records
        self.line_count = line_count
        self.part_read = part_read

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows, as `Table.batches`."""
        needed = max(places.values(), default=-1) + 1
        while records := list(itertools.islice(self.records, size)):
            bad: list[BadRow | None] = []
            rows: list[list[Any]] = []
            for record in records:
                fields, fault = self._row(record, needed)
                bad.append(fault)
                rows.append(fields)
            texts = {feature: [row[place] for row in rows] for feature, place in places.items()}
            yield Batch([record.line for record in records], bad, texts, rows, partial(list, rows))

    def _row(self, record: CsvRecord | BadRow, needed: int) -> tuple[list[str], BadRow | None]:
        """Returns the fields of a row, as many as there are columns, and why it gets no label, if it gets none."""
        width, delimiter, bad = len(self.columns), self.dialect.delimiter, None
        if isinstance(record, CsvRecord):
            fields = as_wide(record.fields, width, self.dialect)
            if len(fields) != width and not (self.dialect.short_rows == "fill" and needed <= len(fields) < width):
                reason = f"{len(fields)} fields where the header has {width}"
                bad = BadRow(record.line, reason, fields, "wrong number of fields")
        else:
            fields = record.fields[0].split(delimiter)
            bad = None if record.kind == JOINED_LINES and len(fields) == width else record
        if len(fields) > width:
            fields = [*fields[: width - 1], delimiter.join(fields[width - 1 :])]
        return [*fields, *("" for _ in range(width - len(fields)))], bad


def as_wide(fields: list[str], width: int, dialect: Dialect) -> list[str]:
    """Returns the fields of a row without the empty one that a delimiter at its end makes, where the dialect has it."""
    one_more = dialect.trailing_delimiter and len(fields) == width + 1 and not fields[-1].strip()
    return fields[:-1] if one_more else fields


@contextmanager
def write_csv(target: Path, table: Table, columns: list[str], options: TextOptions) -> Iterator[Write]:
    """Opens a file for labelled rows; it appears when all is written. Probabilities have six decimals.

    The rows of CSV come back with their own delimiter, and without quotes around fields where theirs had none.

    Args:
        target: The file.
        table: Where the rows come from.
        columns: The names of all columns: those of the table, then those that are added.
        options: How it is written.

    Raises:
        InputError: It cannot be written.
    """
    added = len(columns) - len(table.columns)
    delimiter = options.said.get("delimiter", ",")
    unquoted = False
    if isinstance(table, CsvTable):
        delimiter = table.dialect.delimiter if len(table.columns) > 1 else options.known.delimiter
        delimiter = options.said.get("delimiter", delimiter)
        # An explanation has commas, and so have the labels of a multi-label model.
        texts = [*columns, LABELS_SEPARATOR] if columns[-1] != EXPLANATION else ['"', delimiter]
        unquoted = table.unquoted and not any(re.search(_ends_field(delimiter), text) for text in texts)
    needs_quotes = re.compile('"|' + _ends_field(delimiter)).search

    def line(fields: list[str]) -> str:
        # Python 3.10's csv.writer refuses U+0000 and leaves a lone carriage return unquoted, where readers end the row.
        if options.escape_formulas:
            fields = [f"'{field}" if field.startswith(_FORMULA) else field for field in fields]
        if not unquoted:
            fields = ['"' + field.replace('"', '""') + '"' if needs_quotes(field) else field for field in fields]
        return delimiter.join(fields) + "\n"

    with writing(target, "--output", errors=KEEP_UNDECODABLE, newline="") as sink:
        sink.write(line(columns))

        def write(batch: Batch, answers: list[Answer | None]) -> None:
            rows = batch.rows if isinstance(table, CsvTable) else [list(map(as_text, row)) for row in batch.values()]
            for row, answer in zip(rows, answers, strict=True):
                values = [""] * added if answer is None else answer.values()
                own = [f"{value:.6f}" if isinstance(value, float) else value for value in values]
                sink.write(line([*row, *own]))

        yield write


def _ends_field(delimiter: str) -> str:
    """Returns a pattern of what would end a field, or with a delimiter of several characters could be a part of it."""
    parts = [f"{re.escape(delimiter[:size])}\\Z|\\A{re.escape(delimiter[-size:])}" for size in range(1, len(delimiter))]
    return "|".join(["[\r\n]", re.escape(delimiter), *parts])
