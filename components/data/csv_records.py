"""The records of CSV files, as they stand: bytes to text, text to fields, and what breaks between."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from fullbake.contract.errors import InputError

MAX_RECORD_CHARACTERS = 16 * 2**20
"""The longest record (all its fields, quotes and line ends), in characters: 16 Mi.

A quote that is never closed makes the rest of the file one record; this bound keeps it from taking the memory too.
It is ours, thousands of times longer than any encoder reads. The csv module holds a field at four bytes a character and
doubles that room as the field grows: 128 MB at most, beside the lines themselves.
"""

EXCERPT_CHARACTERS = 1000
"""What is kept of a line that is too long to keep."""

KEEP_UNDECODABLE = "fullbake.keep_undecodable"
"""Codec error handler: a byte that does not decode becomes the lone surrogate U+DC00 + byte, and back on encoding.

No good bytes decode to a lone surrogate. Python's `surrogateescape` is the same for bytes from 128 on, and refuses
those below, which a broken UTF-16 file can have.
"""

JOINED_LINES = "lines joined by a quote"
"""The kind of bad row that a quote made one record of, with others, although it looks like a row of its own."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_UNDECODABLE_ORIGIN = 0xDC00

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

_LOOKED_AT = 2**16  # bytes of the start of a file by which its kind is known; what a workbook is, its first entries say

_TO_CSV = "convert it to CSV first"
# By their first bytes, as each format's specification has them. What is printable could begin a CSV file too, so a
# control character must be near (see `_CONTROL`).
_KINDS = (
    (b"PAR1", "a Parquet file", _TO_CSV),
    (b"ARROW1", "an Arrow file", _TO_CSV),
    (b"FEA1", "a Feather file", _TO_CSV),
    (b"ORC", "an ORC file", _TO_CSV),
    (b"Obj\x01", "an Avro file", _TO_CSV),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file", "save it as CSV first"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _TO_CSV),
    (b"\x93NUMPY", "a NumPy file", _TO_CSV),
    (b"%PDF-", "a PDF file", _TO_CSV),
    (b"\x1f\x8b", "compressed with gzip", "let its name end in .gz"),
    (b"BZh", "compressed with bzip2", "decompress it first"),
    (b"\xfd7zXZ\0", "compressed with xz", "decompress it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "decompress it first"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_MARKUP = (
    (re.compile(rb'\s*\{\s*("|\})'), "JSON"),
    (re.compile(rb'\s*\[\s*[\[{"]'), "JSON"),
    (re.compile(rb"\s*<(!doctype\s+html|html|head|body|table)\b", re.IGNORECASE), "HTML"),
    (re.compile(rb"\s*<\?xml\b"), "XML"),
)


class WrongKindError(InputError):
    """A file is not CSV, or not in the encoding that was asked for; its text goes on after the file's name."""


class Record(NamedTuple):
    """A record.

    Attributes:
        line: Physical line, from 1, on which it starts.
        fields: Its fields; a byte that does not decode stands as `KEEP_UNDECODABLE` makes it.
        lines: How many physical lines it is on.
    """

    line: int
    fields: list[str]
    lines: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used.

    Attributes:
        line: Physical line, from 1, on which the record starts.
        reason: What is wrong, with the value, in one line.
        fields: The row's fields; where they cannot be told apart, the whole line as one. A byte that does not decode
            stands as `KEEP_UNDECODABLE` makes it. Of a line longer than `MAX_RECORD_CHARACTERS`, its start.
        kind: The reason without the particulars, for counting: "missing text", "missing text pair", "missing label",
            "unknown label", "wrong number of fields", "undecodable bytes", "malformed quoting", `JOINED_LINES` or
            "too long".
        lines: How many physical lines it is on.
    """

    line: int
    reason: str
    fields: list[str]
    kind: str
    lines: int = 1


@dataclass
class LineCount:
    """The physical lines of a file, or of several, that are no rows.

    Attributes:
        total: All lines, rows among them.
        header: Those of the header.
        blank: Those with nothing on them, outside of quotes.
    """

    total: int = 0
    header: int = 0
    blank: int = 0

    def add(self, other: "LineCount") -> None:
        """Adds the lines of another."""
        self.total += other.total
        self.header += other.header
        self.blank += other.blank


@dataclass(frozen=True)
class Quoting:
    """What the double quotes of one file mean.

    Attributes:
        ordinary: Whether they are characters like any other, as in most TSV; otherwise they quote fields, which may
            then span lines (RFC 4180).
        joined: Where they quote fields: the first lines of those records that are to be given up, because their lines
            look like rows of their own.
    """

    ordinary: bool = False
    joined: frozenset[int] = frozenset()


class Broken(NamedTuple):
    """What a `RecordReader` yields in place of the fields of a record that has none; see `BadRow`."""

    problem: str
    kind: str


class RecordReader:
    """Yields the fields of each record, none of a blank line, and `Broken` where they cannot be told apart.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        delimiter: The one character between fields.
        encoding: Any text encoding Python knows. A byte-order mark at the start of the file goes before it.
        ordinary_quotes: Whether quotes are characters like any other.

    Attributes:
        held: The physical lines of the record it is at, line ends and all.
        line: The number of the first of them.
        lines_read: How many there were so far.

    Raises:
        WrongKindError: The file is no text.
    """

    def __init__(self, stream: BinaryIO, delimiter: str, encoding: str, *, ordinary_quotes: bool = False):
        # The limit is the process's; its default of 131,072 characters would refuse long documents.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_CHARACTERS))
        self.held: list[str] = []
        self.line = 1
        self.lines_read = 0
        self._delimiter = delimiter
        self._held_characters = 0
        self._at_end = False
        self._text = decoded(stream, encoding)
        self._reader = csv.reader(
            _Lines(self),
            delimiter=delimiter,
            quoting=csv.QUOTE_NONE if ordinary_quotes else csv.QUOTE_MINIMAL,
            strict=True,
        )

    def __iter__(self) -> Iterator[list[str] | Broken]:
        """Yields record after record; of each the attributes tell until the next."""
        while True:
            self.held.clear()
            self._held_characters = 0
            self.line = self.lines_read + 1
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except _TooLongError:
                yield Broken(f"is longer than {MAX_RECORD_CHARACTERS:,} characters; is a quote not closed?", "too long")
            except csv.Error as error:
                said = str(error).replace(f"'{self._delimiter}'", repr(self._delimiter))  # a tab, for one
                problem = "opens a quote that is never closed" if self._at_end else f"has malformed quoting: {said}"
                yield Broken(problem, "malformed quoting")
            else:
                yield self._restore_nuls(fields)

    def next_line(self) -> str:
        """Reads a physical line, for the csv module."""
        room = MAX_RECORD_CHARACTERS - self._held_characters
        line = self._text.readline(room + 1)
        if not line:
            self._at_end = True
            raise StopIteration
        self.held.append(line)
        self._held_characters += len(line)
        self.lines_read += 1
        if len(line) > room:
            while line and line[-1] not in "\r\n":
                line = self._text.readline(2**20)
            raise _TooLongError
        return line.replace("\0", _NUL_STAND_IN)

    def _restore_nuls(self, fields: list[str]) -> list[str]:
        if any("\0" in line for line in self.held):
            return [value.replace(_NUL_STAND_IN, "\0") for value in fields]
        return fields

    def bad_rows(self, broken: Broken) -> Iterator[BadRow]:
        """Yields a bad row for each line of the record it is at that is not blank."""
        for number, line in enumerate(self.held, self.line):
            content = line.rstrip("\r\n")
            if not content:
                continue
            if len(content) == len(line) and len(content) > EXCERPT_CHARACTERS and broken.kind == "too long":
                content = content[:EXCERPT_CHARACTERS]  # its end was not kept
            yield BadRow(number, f"the row that starts on line {self.line} {broken.problem}", [content], broken.kind)


class _TooLongError(Exception):
    """A record grew beyond `MAX_RECORD_CHARACTERS`."""


class _Lines:
    """What the csv module asks for lines; no generator, for it goes on after an error."""

    def __init__(self, reader: RecordReader):
        self._reader = reader

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        return self._reader.next_line()


def read_records(
    stream: BinaryIO,
    delimiter: str = ",",
    encoding: str = "utf-8",
    quoting: Quoting = Quoting(),
    count: LineCount | None = None,
) -> Iterator[Record | BadRow]:
    """Reads the records of a CSV file as they stand, the header among them; what `read_rows` is made of.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        delimiter: The one character between fields.
        encoding: Any text encoding Python knows. A byte-order mark at the start of the file goes before it.
        quoting: What its quotes mean; by default RFC 4180's.
        count: Where the lines are counted, all of them and the blank ones; nowhere by default.

    Yields:
        Each record that is not blank; a `BadRow` for each line of a record with broken quoting, of one beyond
        `MAX_RECORD_CHARACTERS`, and of one that `quoting` gives up.

    Raises:
        WrongKindError: The file is no text.
    """
    reader = RecordReader(stream, delimiter, encoding, ordinary_quotes=quoting.ordinary)
    count = LineCount() if count is None else count
    for found in reader:
        count.total = reader.lines_read
        if found and not isinstance(found, Broken) and reader.line not in quoting.joined:
            yield Record(reader.line, found, len(reader.held))
            continue
        count.blank += sum(not line.rstrip("\r\n") for line in reader.held)
        if isinstance(found, Broken):
            yield from reader.bad_rows(found)
        elif found:
            last = reader.line + len(reader.held) - 1
            yield from reader.bad_rows(
                Broken(
                    f"goes on to line {last} by its quotes, but its lines look like rows of their own; repair the "
                    "quotes, or say what they mean: none if they are characters like any other, standard if not",
                    JOINED_LINES,
                )
            )


def decoded(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """Opens a file's bytes as text, line ends left as they are and undecodable bytes as `KEEP_UNDECODABLE` makes them.

    Args:
        stream: The bytes, from their start. It is not closed.
        encoding: Any text encoding Python knows. A byte-order mark at the start of the file goes before it.

    Raises:
        WrongKindError: The bytes are of another format, or nothing says in what order those of UTF-16 stand.
    """
    buffered = io.BufferedReader(_Borrowed(stream), buffer_size=_LOOKED_AT)
    start = buffered.peek(_LOOKED_AT)
    _check_kind(start)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), encoding)
    name = codecs.lookup(marked).name
    if marked is encoding and start and name in ("utf-16", "utf-32"):
        raise WrongKindError(
            f"has no byte-order mark, without which {encoding} does not say how its bytes are ordered; "
            f"set the encoding to {name}-le or {name}-be, or, if it is not {name}, to what it is"
        )
    return io.TextIOWrapper(buffered, marked, errors=KEEP_UNDECODABLE, newline="")


def _check_kind(start: bytes) -> None:
    for magic, kind, remedy in _KINDS:
        if start.startswith(magic) and _CONTROL.search(start):
            raise WrongKindError(f"is {kind}, not CSV; {remedy}")
    if start.startswith(b"PK\x03\x04"):
        if b"xl/" in start or b"[Content_Types].xml" in start:
            raise WrongKindError("is an Excel workbook, not CSV; save it as CSV (UTF-8) first")
        if b"opendocument.spreadsheet" in start:
            raise WrongKindError("is an OpenDocument spreadsheet, not CSV; save it as CSV (UTF-8) first")
        raise WrongKindError("is a zip archive, not CSV; unpack it first")
    unmarked = start.removeprefix(codecs.BOM_UTF8)
    for pattern, kind in _MARKUP:
        if pattern.match(unmarked):
            raise WrongKindError(f"is {kind}, not CSV; convert it to CSV with a header line first")


def is_file_encoding(encoding: str) -> bool:
    """Says whether Python can read files in an encoding, whatever bytes they hold: rot13, idna and hex are no such."""
    sample = 'a,"b"\r\n'
    try:
        encoded = sample.encode(encoding)  # raises LookupError too where it is no text encoding
        # Read in pieces, a long run of what is not ASCII ends in a MemoryError (seen in Python 3.10).
        if codecs.lookup(encoding).name == "utf-7":
            return False
        return codecs.getincrementaldecoder(encoding)(KEEP_UNDECODABLE).decode(encoded, True) == sample
    except (LookupError, ValueError):
        return False


def undecodable(text: str, where: str, encoding: str) -> str | None:
    """Says which byte of a text from `decoded` was not in the encoding; None if all were.

    Args:
        text: The text.
        where: What to call its place.
        encoding: The encoding that was asked for.
    """
    found = LONE_SURROGATE.search(text)
    if found is None:
        return None
    byte = ord(found.group()) - _UNDECODABLE_ORIGIN
    what = f"byte 0x{byte:02x}" if 0 <= byte <= 0xFF else f"lone surrogate U+{ord(found.group()):04X}"
    return f"{what} in {where} is not {encoding}; is data.encoding right?"


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
