"""How CSV files are written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fullbake.components.data.quoting import QUOTINGS
from fullbake.components.data.text_encoding import is_file_encoding
from fullbake.contract.errors import InputError

SHORT_ROWS = ("reject", "fill")
"""What becomes of rows that end before the last column: they are bad rows, or what is missing is empty."""

NUMBERED: tuple[str, ...] = ()
"""As the columns of a dialect: there is no header, and the columns are called `1`, `2` and so on."""

IGNORED_COLUMN = "_"
"""The name of a column of files without a header that nobody wants; several may have it."""

_LINE_ENDS = "\r\n"


def _is_mark(given: str, taken: str) -> bool:
    return len(given) == 1 and given not in " \0" + _LINE_ENDS and given not in taken


@dataclass(frozen=True)
class Dialect:
    r"""How CSV files are written; by default as RFC 4180 has it. It checks itself when made.

    A first line such as `sep=;`, which Excel takes for an instruction, is no part of the table in any dialect.

    Attributes:
        delimiter: What is between fields: one character, or several.
        encoding: Any text encoding Python knows. A byte-order mark at the start of a file precedes it.
        quoting: What quote characters mean: "standard" (they quote fields, which may span lines, and a doubled one
            stands for one), "none" (they are characters like any other) or "auto" (found out for each file, see
            `readers.csv_quoting`).
        quote_character: The character that quotes fields.
        escape_character: What takes its meaning from the character that follows, a quote or a delimiter above all; an
            `n`, `t` or `r` after it stands for a line feed, a tab or a carriage return, as databases write them (MySQL
            8.4 manual, "LOAD DATA"; PostgreSQL 17, "COPY"). None: there is no such character.
        skip_initial_space: Whether spaces at the start of a field are no part of it, nor keep a quote from opening it.
        comment_prefix: What lines before the header begin with that are no part of the table; None: there are none.
        short_rows: One of `SHORT_ROWS`.
        trailing_delimiter: Whether rows end in a delimiter, so that they have an empty field more than the header.
        columns: The names of the columns where the files have no header, or `NUMBERED`; None: the first line has them.
        line_pattern: A regular expression that a whole line fits, with a named group for each column, for files
            whose lines are not parted by a delimiter alone. There is no header then, and nothing above but the encoding
            matters. None: the files are CSV.

    Raises:
        InputError: A value with which no file could be read.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    quoting: str = "auto"
    quote_character: str = '"'
    escape_character: str | None = None
    skip_initial_space: bool = False
    comment_prefix: str | None = None
    short_rows: str = "reject"
    trailing_delimiter: bool = False
    columns: tuple[str, ...] | None = None
    line_pattern: str | None = None

    def __post_init__(self) -> None:
        """Refuses what no file could be read with."""
        several = len(self.delimiter) > 1
        if not self.delimiter or set(self.delimiter) & {self.quote_character, "\0", *_LINE_ENDS, *("\\" * several)}:
            raise InputError(
                "{given!r} cannot stand between fields, for it is empty or has a quote, a backslash or a line end; "
                'use ",", ";", "|" or, for tab-separated files, a tab: "\\t" in double quotes, or $\'\\t\' in a shell',
                field="delimiter",
                given=self.delimiter,
            )
        if not is_file_encoding(self.encoding):
            raise InputError(
                "{given!r} is not a text encoding Python reads files in; use utf-8, cp1252, ...",
                field="encoding",
                given=self.encoding,
            )
        if self.quoting not in QUOTINGS:
            raise InputError(
                "{given!r} is not one of {known}", field="quoting", given=self.quoting, known=", ".join(QUOTINGS)
            )
        if self.short_rows not in SHORT_ROWS:
            raise InputError(
                "{given!r} is not one of {known}",
                field="short_rows",
                given=self.short_rows,
                known=", ".join(SHORT_ROWS),
            )
        taken = self.delimiter
        if not _is_mark(self.quote_character, taken):
            raise InputError(
                "{given!r} is not one character with no other meaning in the file",
                field="quote_character",
                given=self.quote_character,
            )
        taken += self.quote_character
        if self.escape_character is not None and not _is_mark(self.escape_character, taken):
            raise InputError(
                "{given!r} is not one character with no other meaning in the file",
                field="escape_character",
                given=self.escape_character,
            )
        self._check_pattern()

    def _check_pattern(self) -> None:
        if self.line_pattern is None:
            return
        try:
            groups = re.compile(self.line_pattern).groupindex
        except re.error as error:
            raise InputError(
                "{given!r} is no regular expression: {reason}",
                field="line_pattern",
                given=self.line_pattern,
                reason=str(error),
            ) from error
        if not groups:
            raise InputError(
                "{given!r} names no group; name one for each column, such as (?P<label>[^:]*):(?P<text>.*)",
                field="line_pattern",
                given=self.line_pattern,
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Dialect":
        """Returns the dialect of which `dataclasses.asdict` gave these values, also after a trip through JSON."""
        columns = values.get("columns")
        return cls(**{**values, "columns": tuple(columns) if isinstance(columns, list | tuple) else None})  # type: ignore[arg-type]


RFC_4180 = Dialect()
"""What CSV is by its standard, in UTF-8."""
