"""Labelled text out of CSV files: every row comes out as a `Row` or, with the reason, as a `BadRow`."""

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, BinaryIO

from trainer.errors import InputError

INPUT_BASE = "data.input_base"
"""The config key that names the folder of the labelled files, for errors."""

TEST_BASE = "data.test_base"
"""The config key of a folder with a test set of its own."""

CORPUS_BASE = "pretraining.corpus_base"
"""The config key of a folder of unlabelled text."""

MAX_RECORD_CHARACTERS = 64 * 2**20
"""The longest record (all its fields, quotes and line ends), in characters: 64 Mi.

A quote that is never closed makes the rest of the file one record; this bound keeps it from taking the memory too.
It is ours, thousands of times longer than any encoder reads, and at four bytes a character a quarter of a gigabyte.
"""

EXCERPT_CHARACTERS = 1000
"""What is kept of a record that is too long to keep."""

KEEP_UNDECODABLE = "fullbake.keep_undecodable"
"""Codec error handler: a byte that does not decode becomes the lone surrogate U+DC00 + byte, and back on encoding.

No good bytes decode to a lone surrogate. Python's `surrogateescape` is the same for bytes from 128 on, and refuses
those below, which a broken UTF-16 file can have.
"""

_UNDECODABLE_ORIGIN = 0xDC00
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# Python 3.10's csv module refuses U+0000 (3.11 takes it), so it sees this lone surrogate in its place.
_NUL_STAND_IN = "\ud800"

# A byte-order mark says the encoding more surely than a config does. UTF-32's begins with UTF-16's: longest first.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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

    Raises:
        InputError: a delimiter that is not one character, an unknown encoding, a map to a label that is not listed.
    """

    text_column: str
    label_column: str
    labels: tuple[str, ...]
    text_pair_column: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"
    labelled: bool = True

    def __post_init__(self) -> None:
        """Refuses what no file could be read with."""
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n\0':
            raise InputError(
                f"data.delimiter: {self.delimiter!r} is not one character that can stand between fields; "
                'use ",", ";", "|" or, for tab-separated files, "\\t" in double quotes'
            )
        try:
            "".encode(self.encoding)
        except LookupError:
            raise InputError(
                f"data.encoding: {self.encoding!r} is not a text encoding Python knows; use utf-8, cp1252, ..."
            ) from None
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
    """

    line: int
    text: str
    text_pair: str | None
    label: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used.

    Attributes:
        line: Physical line, from 1, on which the record starts.
        reason: What is wrong, with the value, in one line.
        fields: The row's fields; where they cannot be told apart, the whole line as one. A byte that does not decode
            stands as `KEEP_UNDECODABLE` makes it. Of a record longer than `MAX_RECORD_CHARACTERS`, its start.
        kind: The reason without the particulars, for counting: "missing text", "missing text pair", "missing label",
            "unknown label", "wrong number of fields", "undecodable bytes", "malformed quoting" or "too long".
    """

    line: int
    reason: str
    fields: list[str]
    kind: str


def check_header(stream: BinaryIO, name: str, fmt: CsvFormat, source: str = INPUT_BASE) -> None:
    """Checks that the file has the wanted columns, each once, and something below them.

    Args:
        stream: The file's bytes, from their start; it is left somewhere after the first row, and open.
        name: What to call the file in errors.
        fmt: The columns, delimiter and encoding.
        source: The config key of the file's folder, for errors.

    Raises:
        InputError: the file is empty, has a header only, or lacks a column or has two of its name.
    """
    records = read_records(stream, fmt.delimiter, fmt.encoding)
    _read_header(records, name, fmt, source)
    if next(records, None) is None:
        raise _header_only(name, source)


def read_rows(stream: BinaryIO, name: str, fmt: CsvFormat, source: str = INPUT_BASE) -> Iterator[Row | BadRow]:
    r"""Reads the rows below the header, one at a time: memory does not grow with the file.

    Lines may end in LF, CRLF or CR; fields may span lines; blank lines are skipped. A record whose quoting is broken is
    as long as its quotes make it, so each physical line of it comes out as a bad row of its own: a stray quote that
    swallows half a file is then half a file of bad rows, not one.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        name: What to call the file in errors.
        fmt: The columns, labels, delimiter and encoding.
        source: The config key of the file's folder, for errors.

    Yields:
        In the file's order, a `Row` for each record that can be used and a `BadRow` for each that cannot.

    Raises:
        InputError: as `check_header`, when the first row is asked for.

    Example:
        >>> file = io.BytesIO(b"id,text,label\n1,so kind,good\n2,,bad\n")
        >>> for row in read_rows(file, "train.csv", CsvFormat("text", "label", ("good", "bad"))):
        ...     print(row)
        Row(line=2, text='so kind', text_pair=None, label='good')
        BadRow(line=3, reason="no text in column 'text'", fields=['2', '', 'bad'], kind='missing text')
    """
    records = read_records(stream, fmt.delimiter, fmt.encoding)
    columns = _read_header(records, name, fmt, source)
    rows = 0
    for record in records:
        rows += 1
        yield record if isinstance(record, BadRow) else columns.judge(*record)
    if not rows:
        raise _header_only(name, source)


def _read_header(
    records: "Iterator[tuple[int, list[str]] | BadRow]", name: str, fmt: CsvFormat, source: str
) -> "_Columns":
    header = next(records, None)
    if header is None:
        raise InputError(f"{source}: {name} is empty; give it a header line and rows, or take it away")
    if isinstance(header, BadRow):
        raise InputError(f"{source}: the header of {name} (line {header.line}) cannot be read: {header.reason}")
    return _Columns(header[1], name, fmt, source)


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
            _LONE_SURROGATE.sub("\ufffd", " ".join(title.split())) or "(no name)" for title in self._header
        )
        advice = _did_you_mean(column, self._header)
        if len(self._header) == 1:
            advice += f"; does data.delimiter {self._fmt.delimiter!r} fit the file?"
        raise InputError(f"{where}: {wanted} is not a column of {self._name} (it has: {_shorten(titles)}){advice}")

    def judge(self, line: int, fields: list[str]) -> Row | BadRow:
        for index, value in enumerate(fields):
            # Whether a string is ASCII is known without looking at its characters.
            if not value.isascii() and (reason := undecodable(value, self._title(index), self._fmt.encoding)):
                return BadRow(line, reason, fields, "undecodable bytes")
        if len(fields) != len(self._header):
            reason = f"{len(fields)} fields where the header has {len(self._header)}"
            return BadRow(line, reason, fields, "wrong number of fields")
        text = fields[self._text]
        if not text.strip():
            return BadRow(line, f"no text in column {self._fmt.text_column!r}", fields, "missing text")
        text_pair = None if self._text_pair is None else fields[self._text_pair]
        if text_pair is not None and not text_pair.strip():
            return BadRow(line, f"no text in column {self._fmt.text_pair_column!r}", fields, "missing text pair")
        if self._label is None:
            return Row(line, text, text_pair, "")
        value = fields[self._label].strip()
        label = self._labels.get(value) or ("" if self._fmt.labels else value)
        if label:
            return Row(line, text, text_pair, label)
        if not value:
            return BadRow(line, f"no label in column {self._fmt.label_column!r}", fields, "missing label")
        reason = f"label {_shorten(repr(value))} is neither in data.labels nor in data.label_map"
        return BadRow(line, reason, fields, "unknown label")

    def _title(self, index: int) -> str:
        return f"column {self._header[index]!r}" if index < len(self._header) else f"column number {index + 1}"


def undecodable(text: str, where: str, encoding: str) -> str | None:
    """Says which byte of a text from `decoded` was not in the encoding; None if all were.

    Args:
        text: The text.
        where: What to call its place.
        encoding: The encoding that was asked for.
    """
    found = _LONE_SURROGATE.search(text)
    if found is None:
        return None
    byte = ord(found.group()) - _UNDECODABLE_ORIGIN
    what = f"byte 0x{byte:02x}" if 0 <= byte <= 0xFF else f"lone surrogate U+{ord(found.group()):04X}"
    return f"{what} in {where} is not {encoding}; is data.encoding right?"


def read_records(
    stream: BinaryIO, delimiter: str = ",", encoding: str = "utf-8"
) -> Iterator[tuple[int, list[str]] | BadRow]:
    """Reads the records of a CSV file as they stand, the header among them; what `read_rows` is made of.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        delimiter: The one character between fields.
        encoding: Any text encoding Python knows. A byte-order mark at the start of the file goes before it.

    Yields:
        The line and the fields of each record that is not blank, with bytes that do not decode as `KEEP_UNDECODABLE`
        makes them; a `BadRow` for each line of a record with broken quoting or beyond `MAX_RECORD_CHARACTERS`.
    """
    # The limit is the process's; its default of 131,072 characters would refuse long documents.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_CHARACTERS))
    lines = _Lines(decoded(stream, encoding))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.start_record()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except _TooLongError:
            problem = f"is longer than {MAX_RECORD_CHARACTERS:,} characters; is a quote not closed?"
            yield from lines.as_bad_rows(problem, "too long")
        except csv.Error as error:
            problem = "opens a quote that is never closed" if lines.at_end else f"has malformed quoting: {error}"
            yield from lines.as_bad_rows(problem, "malformed quoting")
        else:
            if fields:
                yield lines.record_line, lines.restore_nuls(fields)


class _TooLongError(Exception):
    """A record grew beyond `MAX_RECORD_CHARACTERS`."""


class _Lines:
    """Feeds physical lines to the csv module, and remembers those of the record it is at."""

    def __init__(self, text: io.TextIOWrapper):
        self._text = text
        self._held: list[str] = []
        self._held_characters = 0
        self._next_line = 1
        self.record_line = 1
        self.at_end = False

    def start_record(self) -> None:
        self._held.clear()
        self._held_characters = 0
        self.record_line = self._next_line

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        room = MAX_RECORD_CHARACTERS - self._held_characters
        line = self._text.readline(room + 1)
        if not line:
            self.at_end = True
            raise StopIteration
        self._held.append(line)
        self._held_characters += len(line)
        self._next_line += 1
        if len(line) > room:
            while line and line[-1] not in "\r\n":
                line = self._text.readline(2**20)
            raise _TooLongError
        return line.replace("\0", _NUL_STAND_IN)

    def restore_nuls(self, fields: list[str]) -> list[str]:
        if any("\0" in line for line in self._held):
            return [value.replace(_NUL_STAND_IN, "\0") for value in fields]
        return fields

    def as_bad_rows(self, problem: str, kind: str) -> Iterator[BadRow]:
        for number, line in enumerate(self._held, self.record_line):
            content = line.rstrip("\r\n")
            if not content:
                continue
            if kind == "too long":
                content = content[:EXCERPT_CHARACTERS]
            yield BadRow(number, f"the row that starts on line {self.record_line} {problem}", [content], kind)


def decoded(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Opens a file's bytes as text, line ends left as they are and undecodable bytes as `KEEP_UNDECODABLE` makes them.

    Args:
        stream: The bytes, from their start. It is not closed.
        encoding: Any text encoding Python knows. A byte-order mark at the start of the file goes before it.
    """
    buffered = io.BufferedReader(_Borrowed(stream), buffer_size=2**16)
    start = buffered.peek(4)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), encoding)
    return io.TextIOWrapper(buffered, marked, errors=KEEP_UNDECODABLE, newline="")


class _Borrowed(io.RawIOBase):
    """Reads another's stream of bytes, of which it asks `read(size)` alone, and does not close it."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        filled = 0
        while filled < len(buffer) and (chunk := self._stream.read(len(buffer) - filled)):
            buffer[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        return filled


def _keep_undecodable(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(_UNDECODABLE_ORIGIN + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        byte = ord(error.object[error.start]) - _UNDECODABLE_ORIGIN
        if 0 <= byte <= 0xFF:
            return bytes([byte]), error.start + 1
    raise error


codecs.register_error(KEEP_UNDECODABLE, _keep_undecodable)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _shorten(text: str, longest: int = 200) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
