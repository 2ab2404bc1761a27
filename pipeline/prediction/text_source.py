"""Opens text files whose rows are to be labelled: CSV, and lines; how each is written is found out."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from fullbake.components.data.compression import decompressed
from fullbake.components.data.data_files import Opened, opened
from fullbake.components.data.dialect import IGNORED_COLUMN, Dialect
from fullbake.components.data.quoting import QUOTINGS, Quoting
from fullbake.components.data.readers.bounded_lines import bounded_lines
from fullbake.components.data.readers.csv_dialect import FoundDialect, likeliest_delimiter
from fullbake.components.data.readers.csv_like import LikeFile, find_like, open_like, single_column
from fullbake.components.data.readers.csv_quoting import find_quoting
from fullbake.components.data.readers.csv_records import CsvRecord, read_records
from fullbake.components.data.rows import BadRow, LineCount
from fullbake.components.data.text_encoding import decoded
from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction.csv_table import CsvTable, as_wide
from fullbake.pipeline.prediction.lines_table import LinesTable
from fullbake.pipeline.prediction.table import Table, TextOptions

ADVICE = "; is --encoding right?"
"""What a text that does not decode is asked for."""

_ORDINARY = "double quotes are characters like any other in {file}, for else they join rows (--quoting)"
_SAME_ENCODING = re.compile(r"[-_](sig|le|be)$")  # but for the mark at its start


def open_csv(source: Path, options: TextOptions) -> AbstractContextManager[Table]:
    """Opens a file whose rows are to be labelled.

    It is read as the files of training were, or where that loses rows as it is found to be written. A file without a
    header is read by their columns, or as texts alone, if theirs had none.

    Args:
        source: The file.
        options: How it is written.

    Raises:
        InputError: It has no header, or has none of the columns.
        WrongKindError: It is no CSV.
    """
    return _open(source, options, of_lines=False)


def open_text(source: Path, options: TextOptions) -> AbstractContextManager[Table]:
    """Opens a file whose rows are to be labelled, as `open_csv` if it has the columns, else with a text to a line.

    Raises:
        InputError: It is empty, or the model takes pairs of texts and it has not both columns.
        WrongKindError: It is no text.
    """
    return _open(source, options, of_lines="delimiter" not in options.said)


def check_text(source: Path, options: TextOptions) -> None:
    """Looks whether a file has anything in it.

    Raises:
        InputError: It has not.
        WrongKindError: It is no text.
    """
    with opened(str(source)) as stream:
        if not decoded(stream, options.said.get("encoding", "utf-8")).read(1):
            raise InputError(f"--input: {source} is empty; give it a header line")


def _open(source: Path, options: TextOptions, *, of_lines: bool) -> AbstractContextManager[Table]:
    known, single = options.known, len(options.columns) == 1
    file = open_like(lambda: opened(str(source)), list(options.columns.values()), known, options.said)
    found = find_like(file)
    if found is not None and found.fmt.dialect.line_pattern is not None:
        return _open_lines(source, options, file, re.compile(found.fmt.dialect.line_pattern))
    if found is None and single and (of_lines or known.line_pattern is not None):
        return _open_lines(source, options, file, None)
    if found is None and single and known.columns is not None:
        found = single_column(file)
    return _open_table(source, options, found or _likeliest(file))


def _likeliest(file: LikeFile) -> FoundDialect:
    """Returns a dialect that shows, in an error, which columns a file has."""
    found = single_column(file)
    titles = [name for names in file.columns for name in names]
    delimiter = file.said.get("delimiter") or likeliest_delimiter(file.sample, titles)
    dialect = replace(Dialect(delimiter, file.known.encoding), quoting=file.known.quoting)
    return FoundDialect(replace(found.fmt, dialect=dialect))


@contextmanager
def _open_lines(
    source: Path, options: TextOptions, file: LikeFile, pattern: re.Pattern[str] | None
) -> Iterator[LinesTable]:
    encoding = file.known.encoding
    columns = [file.columns[0][0]] if pattern is None else list(pattern.groupindex)
    known = _traits(options.known)
    told = {"layout": "a text to a line" if pattern is None else known["layout"], "encoding": encoding}
    with _measured(source) as (stream, part_read):
        text = decoded(stream, encoding)
        lines = bounded_lines(text, encoding, ADVICE, LineCount(), blank=pattern is None)
        yield LinesTable(columns, lines, pattern, encoding, _told(source, told, options), part_read)


@contextmanager
def _open_table(source: Path, options: TextOptions, found: FoundDialect) -> Iterator[CsvTable]:
    dialect = found.fmt.dialect

    def open_source() -> AbstractContextManager[BinaryIO]:
        return opened(str(source))

    meaning = QUOTINGS[dialect.quoting] or find_quoting(open_source, dialect, _as_wide_as, judges_labels=False)
    with _measured(source) as (stream, part_read):
        count = LineCount()
        columns, records = _columns(read_records(stream, dialect, meaning, count), source, dialect)
        if dialect.columns is None:
            count.header = count.total - count.blank
        told = _traits(dialect)
        if len(columns) == 1:
            del told["delimiter"]
            if dialect.columns is not None:
                told["layout"] = "a text to a row"
        notes = [*_told(source, told, options), *(f"{source.name}: {note}" for note in found.notes)]
        if meaning.ordinary and dialect.quoting == "auto":
            notes.append(_ORDINARY.format(file=source))
        unquoted = (
            meaning.ordinary and dialect.escape_character is None and _fits(open_source, dialect, meaning, columns)
        )
        yield CsvTable(columns, records, dialect, unquoted, notes, count, part_read)


@contextmanager
def _measured(source: Path) -> Iterator[tuple[BinaryIO, Callable[[int], float]]]:
    """Opens a file; the second says how much of it has been read, as `Table.part_read`, by its bytes."""
    size = max(1, source.stat().st_size)
    with source.open("rb") as stream:
        yield decompressed(stream, str(source)), lambda rows: stream.tell() / size


def _as_wide_as(header: list[str]) -> Callable[[list[str]], bool]:
    return lambda fields: len(fields) == len(header)


def _fits(open_source: Opened, dialect: Dialect, meaning: Quoting, columns: list[str]) -> bool:
    """Says whether no row has more fields than there are columns, which only quotes could hold together."""
    with open_source() as stream:
        return all(
            isinstance(record, CsvRecord) and len(as_wide(record.fields, len(columns), dialect)) <= len(columns)
            for record in read_records(stream, dialect, meaning)
        )


def _columns(
    records: Iterator[CsvRecord | BadRow], source: Path, dialect: Dialect
) -> tuple[list[str], Iterator[CsvRecord | BadRow]]:
    """Returns the names of the columns, of those without one their numbers, and the records below the header."""
    first = next(records, None)
    if first is None:
        raise InputError(f"--input: {source} is empty; give it a header line")
    if dialect.columns:
        names = [str(n) if name == IGNORED_COLUMN else name for n, name in enumerate(dialect.columns, 1)]
        return names, itertools.chain([first], records)
    if isinstance(first, BadRow):
        raise InputError(f"--input: {source}, line {first.line}: the header cannot be read: {first.reason}")
    if dialect.columns is None:
        return first.fields, records
    return [str(n + 1) for n in range(len(first.fields))], itertools.chain([first], records)


def _traits(dialect: Dialect) -> dict[str, str]:
    """Returns how files are written, in words."""
    layout = "a header" if dialect.columns is None else "no header"
    plain = {
        "layout": layout if dialect.line_pattern is None else "lines of a pattern",
        "delimiter": repr(dialect.delimiter),
        "encoding": dialect.encoding,
        "quote_character": dialect.quote_character,
        "escape_character": dialect.escape_character or "none",
        "comment_prefix": dialect.comment_prefix or "none",
    }
    others = ("quoting", "skip_initial_space", "short_rows", "trailing_delimiter")
    return plain | {name: str(getattr(dialect, name)).lower() for name in others}


def _told(source: Path, found: dict[str, str], options: TextOptions) -> list[str]:
    """Returns the line that says how a file is read other than those of training, if it is."""
    known = _traits(options.known)
    changed = {
        name: value
        for name, value in found.items()
        if name not in options.said and value != known[name] and not (name == "encoding" and _same(value, known[name]))
    }
    if not changed:
        return []
    now = ", ".join(value if name == "layout" else f"{name} {value}" for name, value in changed.items())
    return [f"{source.name} is read as: {now}; {options.known_from} {', '.join(known[name] for name in changed)}"]


def _same(one: str, other: str) -> bool:
    names = [_SAME_ENCODING.sub("", codecs.lookup(encoding).name) for encoding in (one, other)]
    return names[0] == names[1]
