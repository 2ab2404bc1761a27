"""Labelled text out of CSV files: every row comes out as a `Row` or, with the reason, as a `BadRow`."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, BinaryIO

from fullbake.components.data.csv_quoting import QUOTINGS, STANDARD, Judge, find_quoting
from fullbake.components.data.csv_records import (
    LONE_SURROGATE,
    BadRow,
    LineCount,
    Quoting,
    Record,
    WrongKindError,
    is_file_encoding,
    read_records,
    undecodable,
)
from fullbake.contract.errors import InputError

INPUT_BASE = "data.input_base"
"""The config key that names the folder of the labelled files, for errors."""

TEST_BASE = "data.test_base"
"""The config key of a folder with a test set of its own."""

CORPUS_BASE = "pretraining.corpus_base"
"""The config key of a folder of unlabelled text."""

MOST_LABELS = 1000
"""A column with more distinct values is no class: ImageNet's thousand is as many as classifiers are commonly given."""


@dataclass(frozen=True)
class CsvFormat:
    """How the CSV files are written and which of their columns are wanted; it checks itself when made.

    Attributes:
        text_column: Header of the column with the text.
        label_column: Header of the column with the label.
        labels: The classes, in the order of their index. Empty: any label that is not empty is taken as it stands.
        text_pair_column: Header of the column with the second text of a pair; None for single texts.
        label_map: Value in the file -> label. It is asked before `labels`.
        delimiter: The one character between fields.
        encoding: Any text encoding Python knows. A byte-order mark at the start of a file goes before it.
        labelled: Whether there are labels. If not, the label column need not be there.
        quoting: What double quotes mean: "standard" (they quote fields, which may span lines), "none" (they are
            characters like any other) or "auto" (found out for each file, see `quoting_of`).

    Raises:
        InputError: A delimiter that is not one character, an unknown encoding, a map to a label that is not listed.
    """

    text_column: str
    label_column: str
    labels: tuple[str, ...]
    text_pair_column: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"
    labelled: bool = True
    quoting: str = "auto"

    def __post_init__(self) -> None:
        """Refuses what no file could be read with."""
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n\0':
            raise InputError(
                f"data.delimiter: {self.delimiter!r} is not one character that can stand between fields; "
                'use ",", ";", "|" or, for tab-separated files, "\\t" in double quotes'
            )
        if not is_file_encoding(self.encoding):
            raise InputError(
                f"data.encoding: {self.encoding!r} is not a text encoding Python reads files in; use utf-8, cp1252, ..."
            )
        if self.quoting not in QUOTINGS:
            raise InputError(f"data.quoting: {self.quoting!r} is not one of {', '.join(QUOTINGS)}")
        for value, label in self.label_map.items():
            if self.labels and label not in self.labels:
                raise InputError(
                    f"data.label_map: {value!r} maps to {label!r}, which is not in data.labels"
                    f"{_did_you_mean(label, self.labels)}"
                )

    def to_dict(self) -> dict[str, Any]:
        """Returns the format as a dictionary that JSON can hold."""
        return asdict(self)

    def unlabelled(self) -> "CsvFormat":
        """Returns the same dialect for files of which the text column alone is wanted."""
        return replace(self, labelled=False, text_pair_column=None)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CsvFormat":
        """Returns the format that `to_dict` gave these values for, also after a trip through JSON."""
        return cls(**{**values, "labels": tuple(values["labels"])})


@dataclass(frozen=True, slots=True)
class Row:
    """A text and its label.

    Attributes:
        line: Physical line, from 1, on which the record starts.
        text: The text as it stands in the file, white space and all; never blank.
        text_pair: The second text likewise, or None where the format has no such column.
        label: One of the format's labels; empty where the format has none.
        lines: How many physical lines the record is on.
    """

    line: int
    text: str
    text_pair: str | None
    label: str
    lines: int = 1


def check_header(stream: BinaryIO, name: str, fmt: CsvFormat, source: str = INPUT_BASE) -> None:
    """Checks that the file has the wanted columns, each once, and something below them.

    Args:
        stream: The file's bytes, from their start; it is left somewhere after the first row, and open.
        name: What to call the file in errors.
        fmt: The columns, delimiter and encoding.
        source: The config key of the file's folder, for errors.

    Raises:
        InputError: The file is empty, has a header only, lacks a column or has two of its name, or is no CSV.
    """
    with _named(name, source):
        records = read_records(stream, fmt.delimiter, fmt.encoding, QUOTINGS[fmt.quoting] or STANDARD)
        _read_header(records, name, fmt, source)
        if next(records, None) is None:
            raise _header_only(name, source)


def quoting_of(
    opened: Callable[[], AbstractContextManager[BinaryIO]], name: str, fmt: CsvFormat, source: str = INPUT_BASE
) -> Quoting:
    """Returns what the quotes of a file mean: what the format says, or with "auto" what `find_quoting` finds.

    Args:
        opened: Opens the file's bytes, from their start. It is called twice or, where the format lists no labels,
            three times; with a quoting other than "auto" not at all.
        name: What to call the file in errors.
        fmt: How it is written. Where it lists no labels, those that standard quoting finds stand in for them.
        source: The config key of the file's folder, for errors.

    Raises:
        InputError: As `check_header`.
    """
    given = QUOTINGS[fmt.quoting]
    if given is not None:
        return given
    with _named(name, source):
        if fmt.labelled and not fmt.labels:
            with opened() as stream:
                fmt = replace(fmt, labels=_labels_found(stream, name, fmt, source))

        def judge_below(header: list[str]) -> Judge:
            columns = _Columns(header, name, fmt, source)
            return lambda fields: isinstance(columns.judge(0, fields), Row)

        judges_labels = fmt.labelled and bool(fmt.labels)
        return find_quoting(opened, fmt.delimiter, fmt.encoding, judge_below, judges_labels=judges_labels)


def _labels_found(stream: BinaryIO, name: str, fmt: CsvFormat, source: str) -> tuple[str, ...]:
    records = read_records(stream, fmt.delimiter, fmt.encoding)
    columns = _read_header(records, name, fmt, source)
    labels: set[str] = set()
    for record in records:
        row = record if isinstance(record, BadRow) else columns.judge(*record)
        if isinstance(row, Row):
            labels.add(row.label)
            if len(labels) > MOST_LABELS:
                return ()
    return tuple(labels)


def read_rows(
    stream: BinaryIO,
    name: str,
    fmt: CsvFormat,
    source: str = INPUT_BASE,
    *,
    quoting: Quoting = STANDARD,
    count: LineCount | None = None,
) -> Iterator[Row | BadRow]:
    r"""Reads the rows below the header, one at a time: memory does not grow with the file.

    Lines may end in LF, CRLF or CR; fields may span lines; blank lines are skipped. A record whose quoting is broken is
    as long as its quotes make it, so each physical line of it comes out as a bad row of its own: a stray quote that
    swallows half a file is then half a file of bad rows, not one.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        name: What to call the file in errors.
        fmt: The columns, labels, delimiter and encoding.
        source: The config key of the file's folder, for errors.
        quoting: What the file's quotes mean, as `quoting_of` found out; by default RFC 4180's.
        count: Where its lines are counted; nowhere by default. At the end of the file the total is the header's lines,
            the blank ones and the `lines` of all rows, good and bad.

    Yields:
        In the file's order, a `Row` for each record that can be used and a `BadRow` for each that cannot.

    Raises:
        InputError: As `check_header`, when the first row is asked for.

    Example:
        >>> file = io.BytesIO(b"id,text,label\n1,so kind,good\n2,,bad\n")
        >>> for row in read_rows(file, "train.csv", CsvFormat("text", "label", ("good", "bad"))):
        ...     print(row)
        Row(line=2, text='so kind', text_pair=None, label='good', lines=1)
        BadRow(line=3, reason="no text in column 'text'", fields=['2', '', 'bad'], kind='missing text', lines=1)
    """
    count = LineCount() if count is None else count
    with _named(name, source):
        records = read_records(stream, fmt.delimiter, fmt.encoding, quoting, count)
        columns = _read_header(records, name, fmt, source)
        count.header = count.total - count.blank
    rows = 0
    for record in records:
        rows += 1
        yield record if isinstance(record, BadRow) else columns.judge(*record)
    if not rows:
        raise _header_only(name, source)


@contextmanager
def _named(name: str, source: str) -> Iterator[None]:
    """Lets an error about a file's bytes begin with whose file it is."""
    try:
        yield
    except WrongKindError as error:
        raise InputError(f"{source}: {name} {error}") from None


def _read_header(records: Iterator[Record | BadRow], name: str, fmt: CsvFormat, source: str) -> "_Columns":
    header = next(records, None)
    if header is None:
        raise InputError(f"{source}: {name} is empty; give it a header line and rows, or take it away")
    if isinstance(header, BadRow):
        raise InputError(f"{source}: the header of {name} (line {header.line}) cannot be read: {header.reason}")
    return _Columns(header.fields, name, fmt, source)


def _header_only(name: str, source: str) -> InputError:
    return InputError(f"{source}: {name} has a header but no rows; add rows, or take it away")


class _Columns:
    """Knows where in a record the text and the label are, and whether they can be used."""

    def __init__(self, header: list[str], name: str, fmt: CsvFormat, source: str):
        self._fmt = fmt
        self._name = name
        self._source = source
        self._header = [column.strip() for column in header]
        self._text = self._find("text_column", fmt.text_column)
        self._label = self._find("label_column", fmt.label_column) if fmt.labelled else None
        self._text_pair = None if fmt.text_pair_column is None else self._find("text_pair_column", fmt.text_pair_column)
        self._labels = {label: label for label in fmt.labels}
        self._labels.update((value.strip(), label) for value, label in fmt.label_map.items())

    def _find(self, key: str, column: str) -> int:
        found = [index for index, title in enumerate(self._header) if title == column.strip()]
        if len(found) == 1:
            return found[0]
        # The columns are named for input_base's files; where another folder's differ, the folder is the likelier fault.
        if self._source == INPUT_BASE:
            where, wanted = f"data.{key}", repr(column)
        else:
            where, wanted = self._source, f"{column!r} (data.{key})"
        if found:
            raise InputError(
                f"{where}: {self._name} has {len(found)} columns named {wanted}; rename the others in its header"
            )
        # One printable line, also of a header that spans lines or does not decode.
        titles = ", ".join(
            LONE_SURROGATE.sub("\ufffd", " ".join(title.split())) or "(no name)" for title in self._header
        )
        advice = _did_you_mean(column, self._header)
        if len(self._header) == 1:
            advice += f"; does data.delimiter {self._fmt.delimiter!r} fit the file?"
        raise InputError(f"{where}: {wanted} is not a column of {self._name} (it has: {_shorten(titles)}){advice}")

    def judge(self, line: int, fields: list[str], lines: int = 1) -> Row | BadRow:
        for index, value in enumerate(fields):
            # Whether a string is ASCII is known without looking at its characters.
            if not value.isascii() and (reason := undecodable(value, self._title(index), self._fmt.encoding)):
                return BadRow(line, reason, fields, "undecodable bytes", lines)
        if len(fields) != len(self._header):
            reason = f"{len(fields)} fields where the header has {len(self._header)}"
            return BadRow(line, reason, fields, "wrong number of fields", lines)
        text = fields[self._text]
        if not text.strip():
            return BadRow(line, f"no text in column {self._fmt.text_column!r}", fields, "missing text", lines)
        text_pair = None if self._text_pair is None else fields[self._text_pair]
        if text_pair is not None and not text_pair.strip():
            return BadRow(line, f"no text in column {self._fmt.text_pair_column!r}", fields, "missing text pair", lines)
        if self._label is None:
            return Row(line, text, text_pair, "", lines)
        value = fields[self._label].strip()
        label = self._labels.get(value) or ("" if self._fmt.labels else value)
        if label:
            return Row(line, text, text_pair, label, lines)
        if not value:
            return BadRow(line, f"no label in column {self._fmt.label_column!r}", fields, "missing label", lines)
        reason = f"label {_shorten(repr(value))} is neither in data.labels nor in data.label_map"
        return BadRow(line, reason, fields, "unknown label", lines)

    def _title(self, index: int) -> str:
        return f"column {self._header[index]!r}" if index < len(self._header) else f"column number {index + 1}"


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _shorten(text: str, longest: int = 200) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
