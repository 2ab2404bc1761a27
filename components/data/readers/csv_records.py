"""The records of CSV files as they stand: text to fields, and what breaks between."""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from fullbake.components.data.dialect import RFC_4180, Dialect
from fullbake.components.data.quoting import STANDARD, Quoting
from fullbake.components.data.rows import EXCERPT_CHARACTERS, MAX_TEXT_CHARACTERS, BadRow, LineCount
from fullbake.components.data.text_encoding import decoded

JOINED_LINES = "lines joined by a quote"
"""The kind of bad row that a quote made one record of, with others, although it looks like a row of its own."""

# What the csv module does not take as it is, it sees as a lone surrogate, which no text has (those of undecodable bytes
# begin at U+DC00): U+0000 (refused by Python 3.10), a delimiter of several characters, and what escapes stand for.
_NUL_STAND_IN = "\ud800"
_DELIMITER_STAND_IN = "\ud801"
_ESCAPED = {"n": ("\ud802", "\n"), "t": ("\ud803", "\t"), "r": ("\ud804", "\r")}

_EXCEL_LINE = re.compile("sep=[^\r\n]\r?\n?")


class CsvRecord(NamedTuple):
    """A record.

    Attributes:
        line: Physical line, from 1, on which it starts.
        fields: Its fields; a byte that does not decode stands as `text_encoding.KEEP_UNDECODABLE` makes it.
        lines: How many physical lines it is on.
    """

    line: int
    fields: list[str]
    lines: int


class Broken(NamedTuple):
    """What a `RecordReader` yields in place of the fields of a record that has none; see `BadRow`."""

    problem: str
    kind: str


class RecordReader:
    """Yields the fields of each record, none of a blank line, and `Broken` where they cannot be told apart.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        dialect: How the file is written; its quoting does not matter.
        ordinary_quotes: Whether quotes are characters like any other.

    Attributes:
        held: The physical lines of the record it is at, line ends and all.
        line: The number of the first of them.
        lines_read: How many there were so far.
        preamble: How many of them stood before the table.

    Raises:
        WrongKindError: The file is no text.
    """

    def __init__(self, stream: BinaryIO, dialect: Dialect, *, ordinary_quotes: bool = False):
        # The limit is the process's; its default of 131,072 characters would refuse long documents.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_TEXT_CHARACTERS))
        self.held: list[str] = []
        self.line = 1
        self.lines_read = 0
        self.preamble = 0
        self._dialect = dialect
        self._in_preamble = True
        self._held_characters = 0
        self._stands_in = False
        self._at_end = False
        self._text = decoded(stream, dialect.encoding)
        self._stand_ins = {_NUL_STAND_IN: "\0"}
        self._delimiter = dialect.delimiter if len(dialect.delimiter) > 1 else None
        if self._delimiter is not None:
            self._stand_ins[_DELIMITER_STAND_IN] = self._delimiter
        self._escape = None
        if dialect.escape_character is not None:
            escape = re.escape(dialect.escape_character)
            self._escape = re.compile(f"{escape}([{''.join(_ESCAPED)}])|{escape}.", re.DOTALL)
            self._stand_ins.update(_ESCAPED.values())
        self._between = dialect.delimiter if self._delimiter is None else _DELIMITER_STAND_IN
        self._reader = csv.reader(
            _Lines(self),
            delimiter=self._between,
            quotechar=dialect.quote_character,
            escapechar=dialect.escape_character,
            skipinitialspace=dialect.skip_initial_space,
            quoting=csv.QUOTE_NONE if ordinary_quotes else csv.QUOTE_MINIMAL,
            strict=True,
        )

    def __iter__(self) -> Iterator[list[str] | Broken]:
        """Yields record after record; the attributes are about the last one yielded."""
        while True:
            self._begin_record()
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except _TooLongError:
                yield Broken(f"is longer than {MAX_TEXT_CHARACTERS:,} characters; is a quote not closed?", "too long")
            except csv.Error as error:
                said = str(error).replace(f"'{self._between}'", repr(self._dialect.delimiter))  # a tab, for one
                problem = "opens a quote that is never closed" if self._at_end else f"has malformed quoting: {said}"
                yield Broken(problem, "malformed quoting")
            else:
                yield self._restored(fields)

    def next_line(self) -> str:
        """Reads a physical line, for the csv module."""
        while True:
            line = self._read_line()
            if not self._in_preamble:
                break
            if not self._is_preamble(line):
                self._in_preamble = not line.rstrip("\r\n")
                break
            self.preamble += 1
            self._begin_record()
        seen = line.replace("\0", _NUL_STAND_IN)
        if self._delimiter is not None:
            seen = seen.replace(self._delimiter, _DELIMITER_STAND_IN)
        if self._escape is not None:
            seen = self._escape.sub(lambda found: _ESCAPED[found[1]][0] if found[1] else found[0], seen)
        self._stands_in = self._stands_in or seen is not line
        return seen

    def _begin_record(self) -> None:
        self.held.clear()
        self._held_characters = 0
        self._stands_in = False
        self.line = self.lines_read + 1

    def _read_line(self) -> str:
        room = MAX_TEXT_CHARACTERS - self._held_characters
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
        return line

    def _is_preamble(self, line: str) -> bool:
        if self.lines_read == 1 and _EXCEL_LINE.fullmatch(line):
            return True
        prefix = self._dialect.comment_prefix
        return prefix is not None and line.lstrip().startswith(prefix)

    def _restored(self, fields: list[str]) -> list[str]:
        if not self._stands_in:
            return fields
        for stand_in, meant in self._stand_ins.items():
            fields = [value.replace(stand_in, meant) for value in fields]
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
    """A record grew beyond `MAX_TEXT_CHARACTERS`."""


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
    dialect: Dialect = RFC_4180,
    quoting: Quoting = STANDARD,
    count: LineCount | None = None,
) -> Iterator[CsvRecord | BadRow]:
    """Reads the records of a CSV file as they stand, the header among them; what rows are made of.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        dialect: How the file is written; by default as RFC 4180 has it, in UTF-8.
        quoting: What its quotes mean; by default RFC 4180's.
        count: Where the lines are counted, all of them, the blank ones and, as header lines, those before the table;
            nowhere by default.

    Yields:
        Each record that is not blank; a `BadRow` for each line of a record with broken quoting, of one beyond
        `MAX_TEXT_CHARACTERS`, and of one that `quoting` gives up.

    Raises:
        WrongKindError: The file is no text.
    """
    reader = RecordReader(stream, dialect, ordinary_quotes=quoting.ordinary)
    count = LineCount() if count is None else count
    for found in reader:
        count.total = reader.lines_read
        count.header = count.header or reader.preamble
        if found and not isinstance(found, Broken) and reader.line not in quoting.joined:
            yield CsvRecord(reader.line, found, len(reader.held))
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
