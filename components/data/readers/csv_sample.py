"""The start of a CSV file, read under one dialect or another, and what each reading of it loses."""

import io
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fullbake.components.data.data_files import Opened
from fullbake.components.data.dialect import Dialect
from fullbake.components.data.readers.csv_records import Broken, RecordReader
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE, decoded

_CHARACTERS = 2**20  # of the start of a file; a few thousand rows
_LONGEST_TEXT = 100  # lines, of a text that the end of the sample may cut


class Sample(NamedTuple):
    """The start of a file.

    Attributes:
        text: Whole lines, ends and all, without a byte-order mark.
        whole: Whether that is all of the file.
        encoding: That of the file.
    """

    text: str
    whole: bool
    encoding: str

    def lines(self) -> list[str]:
        """Returns the lines that are not blank, without their ends."""
        lines = (line.rstrip("\r\n") for line in io.StringIO(self.text, newline=""))
        return [line for line in lines if line.strip()]


def read_sample(opened: Opened, encoding: str) -> Sample:
    """Reads the start of a file.

    Args:
        opened: Opens the file's bytes.
        encoding: The file's.
    """
    with opened() as stream:
        text = decoded(stream, encoding).read(_CHARACTERS + 1)
    if len(text) <= _CHARACTERS:
        return Sample(text, True, encoding)
    end = max(text.rfind("\n"), text.rfind("\r", 0, -1))
    return Sample(text[: end + 1] or text, False, encoding)


@dataclass
class Reading:
    """What a sample holds when it is read under a dialect.

    Attributes:
        dialect: The dialect.
        ordinary_quotes: Whether quotes were read as characters like any other.
        labelled: Whether the last of the wanted columns has labels.
        titles: Of the columns, stripped; empty if the first record cannot be read.
        places: Of the wanted columns, by the order in which they are wanted.
        rows: The values of the wanted columns, row by row.
        fields: Of each row all fields, as many as there are titles.
        lost: Lines that make no row, or are swallowed by one.
        short: Rows that end early, after the last wanted column.
        trailing: Rows with an empty field too many.
    """

    dialect: Dialect
    ordinary_quotes: bool
    labelled: bool
    titles: list[str] = field(default_factory=list)
    places: tuple[int, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    fields: list[list[str]] = field(default_factory=list)
    lost: int = 0
    short: int = 0
    trailing: int = 0

    @property
    def odd(self) -> int:
        """Rows whose label no other row has."""
        counts = Counter(row[-1].strip() for row in self.rows)
        return sum(count == 1 for count in counts.values()) if self.labelled else 0

    def completed(self) -> Dialect:
        """Returns the dialect with what is to become of rows that end early or with a delimiter."""
        dialect = self.dialect
        if self.short:
            dialect = replace(dialect, short_rows="fill")
        if self._ends_in_delimiters():
            dialect = replace(dialect, trailing_delimiter=True)
        return dialect

    @property
    def loss(self) -> int:
        """Lines that are lost under the completed dialect, and rows whose label is odd."""
        return self.lost + (0 if self._ends_in_delimiters() else self.trailing) + self.odd

    def same_rows(self, other: "Reading") -> bool:
        """Says whether another reading found the same texts and labels; white space around a label does not count."""
        mine, others = ([(*row[:-1], row[-1].strip()) for row in reading.rows] for reading in (self, other))
        return mine == others

    def doubled_quotes(self, plain: "Reading") -> int:
        """Counts the fields with a quote in quotes, that stands doubled in a reading with ordinary quotes."""
        quote = self.dialect.quote_character
        both = zip(self.fields, plain.fields, strict=False)
        return sum(quote in mine and mine != its for row, other in both for mine, its in zip(row, other, strict=False))

    def _ends_in_delimiters(self) -> bool:
        return 2 * self.trailing > len(self.rows)


def read_under(
    sample: Sample, dialect: Dialect, wanted: list[str], *, labelled: bool, ordinary_quotes: bool = False
) -> Reading:
    """Reads a sample.

    Args:
        sample: The sample.
        dialect: How to read it, but for its encoding.
        wanted: The titles of the wanted columns, stripped; if labelled, that of the labels is the last.
        labelled: Whether there are labels, by which a row is known.
        ordinary_quotes: Whether quotes are characters like any other.

    Returns:
        The reading; without places where a wanted column is not there.
    """
    reading = Reading(dialect, ordinary_quotes, labelled)
    stream = io.BytesIO(sample.text.encode("utf-8", KEEP_UNDECODABLE))
    reader = RecordReader(stream, replace(dialect, encoding="utf-8"), ordinary_quotes=ordinary_quotes)
    records = iter(reader)
    first = next((found for found in records if found), None)
    if first is None or isinstance(first, Broken):
        return reading
    reading.titles = [title.strip() for title in _titles(dialect, first)]
    if any(reading.titles.count(title) != 1 for title in wanted):
        return reading
    reading.places = tuple(reading.titles.index(title) for title in wanted)
    joined: list[tuple[list[str], list[str]]] = []
    if dialect.columns is not None:
        _add(reading, first, len(reader.held))
    for found in records:
        lines = [line for line in reader.held if line.strip("\r\n")]
        if isinstance(found, Broken):
            if sample.whole or reader.lines_read < sample.text.count("\n") or len(lines) > _LONGEST_TEXT:
                reading.lost += len(lines)
        elif len(lines) > 1:
            joined.append((found, lines))
        elif found:
            _add(reading, found, 1)
    labels = {row[-1].strip() for row in reading.rows} if labelled else None
    for found, lines in joined:
        swallowed = sum(_is_row(line, reading, labels) for line in lines)
        if 2 * swallowed > len(lines):
            reading.lost += len(lines)
        else:
            _add(reading, found, len(lines))
    return reading


def _titles(dialect: Dialect, first: list[str]) -> list[str]:
    if dialect.columns is None:
        return first
    return list(dialect.columns) or [str(number) for number in range(1, len(first) + 1)]


def _add(reading: Reading, fields: list[str], lines: int) -> None:
    width = len(reading.titles)
    if len(fields) == width:
        reading.fields.append(fields)
    elif len(fields) == width + 1 and not fields[-1].strip():
        reading.trailing += 1
        reading.fields.append(fields[:-1])
    elif len(fields) < width and len(fields) > max(reading.places):
        reading.short += 1
        fields = [*fields, *("" for _ in range(width - len(fields)))]
        reading.fields.append(fields)
    else:
        reading.lost += lines
        return
    row = tuple(fields[place] for place in reading.places)
    if all(value and not value.isspace() for value in row):
        reading.rows.append(row)
    else:
        reading.lost += lines


def _is_row(line: str, reading: Reading, labels: set[str] | None) -> bool:
    fields = line.rstrip("\r\n").split(reading.dialect.delimiter)
    if len(fields) != len(reading.titles) or len(fields) == 1:
        return False
    row = [fields[place].strip() for place in reading.places]
    return all(row) and (labels is None or row[-1] in labels)
