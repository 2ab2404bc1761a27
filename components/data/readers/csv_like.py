"""Finds out how a CSV file is written that is to be read like others before it."""

import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from fullbake.components.data.data_files import Opened
from fullbake.components.data.dialect import NUMBERED, Dialect
from fullbake.components.data.readers.csv_dialect import (
    DELIMITERS,
    FoundDialect,
    best_choice,
    found_dialect,
    known_delimiters,
)
from fullbake.components.data.readers.csv_quoting import find_quoting
from fullbake.components.data.readers.csv_sample import Reading, Sample, read_sample, read_under
from fullbake.components.data.readers.line_patterns import fits_pattern
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE, decoded, find_encoding
from fullbake.contract.errors import InputError

_SURE = 3  # rows without a header that another delimiter parts alike; fewer may be chance


class LikeFile(NamedTuple):
    """A file that is to be read like others.

    Attributes:
        sample: Its start.
        columns: Of each text that is wanted, the names that its column may have, the best first.
        known: How the others are written, with the file's own encoding and what was said of it.
        said: Of the settings of its dialect, those that were said.
    """

    sample: Sample
    columns: Sequence[Sequence[str]]
    known: Dialect
    said: Mapping[str, str]


def open_like(opened: Opened, columns: Sequence[Sequence[str]], known: Dialect, said: Mapping[str, str]) -> LikeFile:
    """Reads the start of a file.

    Args:
        opened: Opens the file's bytes; it is called several times.
        columns: Of each text that is wanted, the names that its column may have, the best first.
        known: How the other files are written.
        said: By the name of its setting, what was said of this file; the encoding is found out if it was not.

    Raises:
        WrongKindError: The file is no CSV.
    """
    with opened() as stream:
        decoded(stream, said.get("encoding", "utf-8"))  # says if it is of another format
    with opened() as stream:
        encoding = said.get("encoding") or find_encoding(stream, known.encoding)
    known = replace(known, **{**said, "encoding": encoding})  # type: ignore[arg-type]
    return LikeFile(read_sample(opened, encoding), columns, known, said)


def find_like(file: LikeFile) -> FoundDialect | None:
    """Returns how a file is written: as the others if that loses no more of it than any other way; None if no way fits.

    The first line has names of the wanted columns, or the columns are those of the others; which of both shows in the
    names. A line pattern of the others is kept if half of the lines fit it.
    """
    if file.known.line_pattern is not None and fits_pattern(file.sample, file.known.line_pattern):
        return FoundDialect(_format([names[0] for names in file.columns], file.known))
    numbered = file.known.columns == NUMBERED  # a number in the first line is a value
    for wanted in itertools.product(*(names[1:] if numbered else names for names in file.columns)):
        if (found := _with_header(file, list(dict.fromkeys(wanted)))) is not None:
            return found
    return _without_header(file)


def single_column(file: LikeFile) -> FoundDialect:
    """Returns the dialect of a file without a header that has texts alone, one a record."""
    delimiter = next((delimiter for delimiter in DELIMITERS[::-1] if delimiter not in file.sample.text), "\x01")
    name = file.columns[0][0]
    return FoundDialect(_format([name], replace(file.known, delimiter=delimiter, columns=(name,), line_pattern=None)))


def _format(wanted: Sequence[str], dialect: Dialect) -> RowFormat:
    return RowFormat(wanted[0], "", (), wanted[1] if len(wanted) > 1 else None, dialect=dialect, labelled=False)


def _with_header(file: LikeFile, wanted: list[str]) -> FoundDialect | None:
    known = _usual(file, replace(file.known, columns=None, line_pattern=None), wanted)
    if known is not None and not known.loss:
        return FoundDialect(_format(wanted, known.dialect))
    base = Dialect(**{**file.said, "encoding": file.known.encoding})  # type: ignore[arg-type]
    choice = best_choice(file.sample, base, wanted, labelled=False, delimiters=_delimiters(file, wanted))
    if choice is None or (known is not None and known.loss <= choice.best.loss):
        return None if known is None else FoundDialect(_format(wanted, known.dialect))
    found = found_dialect(file.sample, choice, _format(wanted, base))
    often = 2 * choice.best.short > len(choice.best.rows)
    short_rows = file.known.short_rows if not often else found.fmt.dialect.short_rows
    dialect = replace(found.fmt.dialect, short_rows=short_rows)
    return FoundDialect(replace(found.fmt, dialect=dialect), found.notes)


def _usual(file: LikeFile, dialect: Dialect, wanted: list[str]) -> Reading | None:
    """Returns the file as the others are read, its dialect completed; None if a wanted column is not there."""
    reading = read_under(
        file.sample, dialect, wanted, labelled=False, ordinary_quotes=_has_ordinary_quotes(file.sample, dialect)
    )
    if not reading.places:
        return None
    often = 2 * reading.short > len(reading.rows)
    reading.dialect = replace(reading.completed(), short_rows="fill" if often else dialect.short_rows)
    return reading


def _has_ordinary_quotes(sample: Sample, dialect: Dialect) -> bool:
    """Says what `find_quoting` will make of the quotes, by the start of the file."""
    if dialect.quoting != "auto":
        return dialect.quoting == "none"
    content = sample.text.encode("utf-8", KEEP_UNDECODABLE)
    quoting = find_quoting(
        lambda: io.BytesIO(content),
        replace(dialect, encoding="utf-8"),
        lambda header: lambda fields: len(fields) == len(header),
        judges_labels=False,
    )
    return quoting.ordinary


def _delimiters(file: LikeFile, wanted: Sequence[str]) -> list[str]:
    """Returns what may part fields: that of the others first, then one that is nowhere, for a file of one column."""
    if "delimiter" in file.said:
        return [file.known.delimiter]
    text = file.sample.text
    everything = dict.fromkeys([file.known.delimiter, *known_delimiters(file.sample, wanted)])
    nowhere = [delimiter for delimiter in everything if delimiter not in text][:1]
    return list(dict.fromkeys([file.known.delimiter, *nowhere, *(found for found in everything if found in text)]))


def _without_header(file: LikeFile) -> FoundDialect | None:
    """Returns the dialect of a file whose columns are those of the others, who had no header; None if it has others."""
    if file.known.columns is None:
        return None
    wanted = [names[0] for names in file.columns]
    if _fits(file, known := file.known, wanted):
        return FoundDialect(_format(wanted, known))
    for delimiter in _delimiters(file, wanted)[1:]:
        try:
            dialect = replace(known, delimiter=delimiter)
        except InputError:  # another mark of the others is in it
            continue
        if _fits(file, dialect, wanted, whole=True):
            return FoundDialect(_format(wanted, dialect))
    return None


def _fits(file: LikeFile, dialect: Dialect, wanted: list[str], *, whole: bool = False) -> bool:
    """Says whether most rows, or all of several, have all the columns."""
    reading = _usual(file, dialect, wanted)
    if reading is None:
        return False
    short = reading.short if dialect.short_rows == "reject" else 0
    fit = len(reading.fields) - short
    misfit = reading.loss + short
    if whole:
        return fit >= _SURE and not misfit and len(reading.titles) > 1
    # What misfits beside a single column are texts with a delimiter in them.
    return fit > misfit and (len(reading.titles) > 1 or not misfit)
