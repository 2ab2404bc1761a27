"""Reads CSV files."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import itemgetter
from typing import Any, BinaryIO

from fullbake.components.data.columns import find_columns
from fullbake.components.data.data_files import Opened
from fullbake.components.data.file_kinds import named
from fullbake.components.data.quoting import QUOTINGS, STANDARD, Quoting
from fullbake.components.data.readers.csv_quoting import FieldsJudge, find_quoting
from fullbake.components.data.readers.csv_records import CsvRecord, read_records
from fullbake.components.data.readers.pattern_lines import read_pattern_lines
from fullbake.components.data.row_format import MOST_LABELS, RowFormat
from fullbake.components.data.row_judge import row_judge
from fullbake.components.data.rows import NOTHING_TO_LEARN, BadRow, LineCount, Record, Row
from fullbake.components.data.text_encoding import UNDECODABLE, undecodable
from fullbake.contract.errors import InputError


def read_csv(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    """Reads the records below the header, one at a time: memory does not grow with the file.

    Lines may end in LF, CRLF or CR; fields may span lines; blank lines are skipped. A record whose quoting is broken is
    as long as its quotes make it, so each physical line of it comes out as a bad row of its own: a stray quote that
    swallows half a file is then half a file of bad rows, not one.

    Args: As of `formats.ReadRecords`.

    Raises:
        InputError: The file is empty, has a header only, lacks a column or has two of its name, or is no CSV.
    """
    if fmt.dialect.line_pattern is not None:
        yield from read_pattern_lines(stream, name, fmt, source, quoting, count)
        return
    with named(name, source):
        records = read_records(stream, fmt.dialect, quoting, count)
        columns, records = _find_columns(records, name, fmt, source)
        if fmt.dialect.columns is None:
            count.header = count.total - count.blank
    rows = 0
    for record in records:
        rows += 1
        yield record if isinstance(record, BadRow) else columns.record(*record)
    if not rows:
        raise InputError("{file} has a header but no rows; add rows, or take it away", field=source, file=name)


def find_file_quoting(opened: Opened, name: str, fmt: RowFormat, source: str) -> Quoting:
    """Returns what the quotes of a file mean: what the format says, or with "auto" what `find_quoting` finds.

    Args:
        opened: Opens the file's bytes. It is called twice or, where the format lists no labels, three times; with a
            quoting other than "auto" not at all.
        name: What to call the file in errors.
        fmt: How it is written. Where it lists no labels, those that standard quoting finds stand in for them.
        source: The setting that names the file's folder, for errors.

    Raises:
        InputError: As `read_csv`, but for a file without rows.
    """
    given = STANDARD if fmt.dialect.line_pattern else QUOTINGS[fmt.dialect.quoting]
    if given is not None:
        return given
    with named(name, source):
        if fmt.labelled and not fmt.labels:
            with opened() as stream:
                fmt = replace(fmt, labels=_labels_found(stream, name, fmt, source))
        # A line that quotes may have joined looks like a row only if its label is listed, whatever becomes of others.
        judge = row_judge(replace(fmt, rare_classes="fail"))

        def judge_below(header: list[str]) -> FieldsJudge:
            columns = _Columns(header, name, fmt, source)

            def is_row(fields: list[str]) -> bool:
                record = columns.record(0, fields, 1)
                row = judge(*record) if isinstance(record, Record) else record
                return isinstance(row, Row) or row.kind in NOTHING_TO_LEARN

            return is_row

        judges_labels = fmt.labelled and bool(fmt.labels)
        return find_quoting(opened, fmt.dialect, judge_below, judges_labels=judges_labels)


def _labels_found(stream: BinaryIO, name: str, fmt: RowFormat, source: str) -> tuple[str, ...]:
    columns, records = _find_columns(read_records(stream, fmt.dialect), name, fmt, source)
    judge = row_judge(fmt)
    labels: set[str] = set()
    for found in records:
        record = found if isinstance(found, BadRow) else columns.record(*found)
        row = record if isinstance(record, BadRow) else judge(*record)
        if isinstance(row, Row):
            labels.update(row.labels)
            if len(labels) > MOST_LABELS:
                return ()
    return tuple(labels)


def _find_columns(
    records: Iterator[CsvRecord | BadRow], name: str, fmt: RowFormat, source: str
) -> tuple["_Columns", Iterator[CsvRecord | BadRow]]:
    """Returns the columns, by the header or as the dialect has them, and the records below."""
    first = next(records, None)
    if first is None:
        wanted = "a header line and rows" if fmt.dialect.columns is None else "rows"
        raise InputError("{file} is empty; give it {wanted}, or take it away", field=source, file=name, wanted=wanted)
    if fmt.dialect.columns:
        return _Columns(list(fmt.dialect.columns), name, fmt, source), itertools.chain([first], records)
    if isinstance(first, BadRow):
        raise InputError(
            "the {first} of {file} (line {line}) cannot be read: {reason}",
            first="header" if fmt.dialect.columns is None else "first row",
            field=source,
            file=name,
            line=first.line,
            reason=first.reason,
        )
    if fmt.dialect.columns is None:
        return _Columns(first.fields, name, fmt, source), records
    numbers = [str(number) for number in range(1, len(first.fields) + 1)]
    return _Columns(numbers, name, fmt, source), itertools.chain([first], records)


class _Columns:
    """Knows where in the fields of a record the wanted columns are."""

    def __init__(self, header: list[str], name: str, fmt: RowFormat, source: str):
        self._header = [title.strip() for title in header]
        self._width = len(header)
        self._encoding = fmt.dialect.encoding
        self._filled = fmt.dialect.short_rows == "fill"
        self._trailing = fmt.dialect.trailing_delimiter
        self._advice = f"; is {fmt.names['encoding']} right?"
        advice = f"; does {fmt.names['delimiter']} {fmt.dialect.delimiter!r} fit the file?" if self._width == 1 else ""
        places = find_columns(self._header, fmt, name, source, advice)
        self._names = tuple(places)
        self._pick: Callable[[list[str]], Any] = itemgetter(*places.values())
        self._one = len(places) == 1  # of one place, itemgetter makes no tuple

    def record(self, line: int, fields: list[str], lines: int) -> Record | BadRow:
        for index, value in enumerate(fields):
            # Whether a string is ASCII is known without looking at its characters.
            if value.isascii():
                continue
            if reason := undecodable(value, self._title(index), self._encoding, self._advice):
                return BadRow(line, reason, fields, UNDECODABLE, lines)
        if len(fields) != self._width:
            found = self._as_wide(fields)
            if found is None:
                reason = f"{len(fields)} fields where the header has {self._width}"
                return BadRow(line, reason, fields, "wrong number of fields", lines)
            fields = found
        picked = self._pick(fields)
        return Record(line, dict(zip(self._names, (picked,) if self._one else picked, strict=True)), fields, lines)

    def _as_wide(self, fields: list[str]) -> list[str] | None:
        if self._trailing and len(fields) == self._width + 1 and not fields[-1].strip():
            return fields[:-1]
        if self._filled and len(fields) < self._width:
            return [*fields, *("" for _ in range(self._width - len(fields)))]
        return None

    def _title(self, index: int) -> str:
        return f"column {self._header[index]!r}" if index < self._width else f"column number {index + 1}"
