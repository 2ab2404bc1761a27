"""What the quotes of a CSV file mean, found out from the whole of it.

A quote that opens a field and does not close it makes one record of all lines up to the next quote, and nothing in the
grammar of CSV tells that record from a text of many lines. Two things do: its lines look like rows of their own, and,
in a file whose quotes are ordinary characters (most TSV), so does every other line.
"""

import csv
from array import array
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.quoting import ORDINARY, STANDARD, Quoting
from fullbake.components.data.readers.csv_records import Broken, RecordReader
from fullbake.components.data.text_encoding import decoded

FieldsJudge = Callable[[list[str]], bool]
"""Says whether fields make a row that can be used."""

_SURELY = 0.9  # of a record's lines are rows: bad rows there may be, and a list of numbers is less like rows
_MOST_COLUMNS = 62  # that are looked at for numbers: bits of a machine word


def find_quoting(
    opened: Callable[[], AbstractContextManager[BinaryIO]],
    dialect: Dialect,
    judge_below: Callable[[list[str]], FieldsJudge],
    *,
    judges_labels: bool,
) -> Quoting:
    r"""Finds out whether a file's quotes quote fields, and if so which records they make of lines that are rows.

    A record on several lines is suspicious when most of its lines, with quotes as ordinary characters, are rows that
    can be used, with a number in each column that holds nothing else elsewhere. Where a row is known by its label that
    is proof enough; without labels it takes such a column of numbers, or tabs between fields, which texts hardly have.

    Quotes are ordinary if nine tenths of the lines of a suspicious record are such rows, or there is one that is no CSV
    but would be such rows, and no row is lost by it: every row that can be used with quoting can be used without, none
    holds a doubled quote, and at most half of the rows hold a field in quotes (a file that quotes every text would keep
    its quotes). A text of several lines, or one with a delimiter in quotes, is such a loss; so the files that need
    quoting are read with it.

    Args:
        opened: Opens the file's bytes, from their start; it is called twice.
        dialect: How the file is written; its quoting does not matter.
        judge_below: Makes the judge of the rows below a header. It gets, of a file without one, fields as many as
            a row has.
        judges_labels: Whether the judge knows rows by their labels.

    Raises:
        InputError: What `judge_below` raises; `WrongKindError` if the file is no text.
    """
    with opened() as stream:
        text = decoded(stream, dialect.encoding)
        if not any(dialect.quote_character in chunk for chunk in iter(lambda: text.read(2**20), "")):
            return STANDARD
    with opened() as stream:
        reader = RecordReader(stream, dialect)
        records = iter(reader)
        header: list[str] | Broken = list(dialect.columns or ()) or next((found for found in records if found), [])
        if isinstance(header, Broken) or not header:
            return STANDARD
        evidence = _Evidence(header, dialect, judge_below(header), judges_labels)
        for found in records:
            if isinstance(found, Broken):
                evidence.see_broken(reader.held)
            elif len(reader.held) > 1:
                evidence.see_joined(found, reader.line, reader.held)
            elif found:
                evidence.see_line(found, reader.held[0])
        return evidence.verdict()


class _Evidence:
    """What the records of a file say of its quotes; memory is some bytes for each that spans lines."""

    def __init__(self, header: list[str], dialect: Dialect, judge: FieldsJudge, judges_labels: bool):
        self._width = len(header)
        self._dialect = dialect
        self._quote = dialect.quote_character
        self._judge = judge
        self._judges_labels = judges_labels
        self._numbers = (1 << min(self._width, _MOST_COLUMNS)) - 1  # a bit for each column of numbers only
        self._rows = 0  # on a line of their own
        self._quoted_rows = 0
        self._loses = False
        # Of each record that may be rows: where it starts (0: it is broken; negative: some of its lines are no rows),
        # and the columns of numbers in all of them.
        self._starts = array("q")
        self._in_numbers = array("q")

    def see_line(self, fields: list[str], line: str) -> None:
        self._rows += 1
        if self._numbers and len(fields) == self._width:
            self._numbers &= self._columns_of_numbers(fields)
        if self._quote not in line or self._loses:
            return
        unquoted = self._split(line)
        self._quoted_rows += unquoted != fields
        doubled = any(value != raw and self._quote in value for value, raw in zip(fields, unquoted, strict=False))
        self._loses = doubled or (self._judge(fields) and not self._judge(unquoted))

    def see_joined(self, fields: list[str], start: int, lines: list[str]) -> None:
        if not self._see_rows(start, lines) and self._judge(fields):
            self._loses = True

    def see_broken(self, lines: list[str]) -> None:
        if any("\\" + self._quote in line for line in lines):
            self._loses = True  # quotes are escaped by backslashes here, so they are no ordinary characters
        self._see_rows(0, lines)

    def _see_rows(self, start: int, lines: list[str]) -> bool:
        in_numbers, rows, blank = -1, 0, 0
        for line in lines:
            fields = self._split(line)
            if fields == [""]:
                blank += 1
            elif self._judge(fields):
                rows += 1
                in_numbers &= self._columns_of_numbers(fields)
        # A file of one column has a row on every line.
        found = 2 * rows > len(lines) - blank and (self._width > 1 or not start)
        if found:
            surely = rows >= _SURELY * (len(lines) - blank)
            self._starts.append(start if surely else -start)
            self._in_numbers.append(in_numbers)
        return found

    def verdict(self) -> Quoting:
        numbers = self._numbers if self._rows else 0
        proof = bool(self._judges_labels or numbers or self._dialect.delimiter == "\t")
        joined = {
            start
            for start, in_numbers in zip(self._starts, self._in_numbers, strict=True)
            if in_numbers & numbers == numbers and (proof or not start)
        }
        loses = self._loses or len(joined - {0}) < len(self._starts) - self._starts.count(0)
        if joined and max(joined) >= 0 and not loses and 2 * self._quoted_rows <= self._rows:
            return ORDINARY
        return Quoting(joined=frozenset(abs(start) for start in joined if start))

    def _split(self, line: str) -> list[str]:
        line = line.rstrip("\r\n")
        if self._dialect.escape_character is not None:
            return self._split_escaped(line)
        fields = line.split(self._dialect.delimiter, self._width + 1)  # two fields too many are enough
        return [field.lstrip(" ") for field in fields] if self._dialect.skip_initial_space else fields

    def _split_escaped(self, line: str) -> list[str]:
        try:
            return next(
                csv.reader(
                    [line.replace(self._dialect.delimiter, "\ud801").replace("\0", "")],
                    delimiter="\ud801",
                    escapechar=self._dialect.escape_character,
                    skipinitialspace=self._dialect.skip_initial_space,
                    quoting=csv.QUOTE_NONE,
                ),
                [""],
            )
        except csv.Error:
            return [line]

    def _columns_of_numbers(self, fields: list[str]) -> int:
        return sum(1 << column for column, value in enumerate(fields[:_MOST_COLUMNS]) if value.strip().isdecimal())
