"""Labels the rows of a CSV file with a model; free of TensorFlow, so that what is wrong with a file is said at once."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fullbake.components.data.csv_quoting import QUOTINGS, STANDARD, find_quoting
from fullbake.components.data.csv_records import (
    JOINED_LINES,
    KEEP_UNDECODABLE,
    BadRow,
    LineCount,
    Quoting,
    Record,
    WrongKindError,
    is_file_encoding,
    read_records,
)
from fullbake.contract.errors import InputError
from fullbake.contract.names import SLAB_ROWS
from fullbake.pipeline.output_file import check_output, writing

if TYPE_CHECKING:
    from fullbake.pipeline.prediction.predictor import Predictor

# Rows that are read, labelled and written at once, so that a file larger than memory passes through.
BATCH_ROWS = SLAB_ROWS


@dataclass
class Labelled:
    """What became of the rows of a file.

    Attributes:
        rows: How many came back.
        unlabelled: By kind of reason, the rows that came back without a label.
        first: By kind of reason, the first of them: line and reason.
        ordinary_quotes: Whether the quotes were found to be characters like any other.
    """

    rows: int = 0
    unlabelled: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    ordinary_quotes: bool = False


def predict_csv(
    predictor: Predictor,
    source: Path,
    target: Path,
    *,
    delimiter: str,
    encoding: str,
    quoting: str = "auto",
    escape_formulas: bool = False,
) -> Labelled:
    """Labels a CSV file: every row and column comes back, with `label` and `p_<label>` for each label added.

    A column of the input that has one of these names is kept as `input_<name>`. A row that cannot be read comes back
    without a label, in its place: with fewer fields than the header it is filled up with empty ones, of more the last
    hold together what is too much, delimiters and all, and a line whose quoting is broken is parted at its delimiters.
    The file may be larger than memory. The output is UTF-8; bytes of a field that do not decode come back as they were.

    Args:
        predictor: Labels the texts.
        source: Has the columns the model was trained on.
        target: Appears when it is complete.
        delimiter: Of both files.
        encoding: Of the source, unless it starts with a byte-order mark.
        quoting: What double quotes mean in the source: "standard", "none" or "auto" (see `data.quoting`). In the target
            they quote fields.
        escape_formulas: Whether an apostrophe goes before what a spreadsheet would take for a formula (OWASP's advice
            against CSV injection). The file then no longer holds the very texts.

    Raises:
        InputError: The file, a column or the target's folder is not there, an option is no good, or the source has no
            header or is no CSV.
    """
    check_files(source, target, delimiter=delimiter, encoding=encoding, quoting=quoting)
    done = Labelled()
    write = partial(_line, delimiter=delimiter, escape_formulas=escape_formulas)
    with open_rows(source, delimiter=delimiter, encoding=encoding, quoting=quoting) as found:
        done.ordinary_quotes = found.quoting.ordinary and quoting == "auto"
        positions = {name: _position(found.header, predictor, name, source) for name in predictor.text_features}
        added = ["label", *(f"p_{label}" for label in predictor.labels)]
        with writing(target, "--output", errors=KEEP_UNDECODABLE, newline="") as sink:
            sink.write(write(_kept_names(found.header, added) + added))
            while batch := list(itertools.islice(found.rows, BATCH_ROWS)):
                _label_batch(predictor, batch, positions, done, lambda fields: sink.write(write(fields)))
    return done


class RowBack(NamedTuple):
    """A row as it comes back.

    Attributes:
        fields: As many as the header has.
        lines: How many physical lines it was on.
        bad: Why it gets no label; None if it gets one.
    """

    fields: list[str]
    lines: int
    bad: BadRow | None


class RowsFound(NamedTuple):
    """A file's header, its rows as they are read, what its quotes mean, and its lines, counted as they are read."""

    header: list[str]
    rows: Iterator[RowBack]
    quoting: Quoting
    line_count: LineCount


@contextmanager
def open_rows(source: Path, *, delimiter: str, encoding: str, quoting: str) -> Iterator[RowsFound]:
    """Opens a file whose rows are to be labelled.

    Args:
        source: The file.
        delimiter: As for `predict_csv`.
        encoding: Likewise.
        quoting: Likewise.

    Raises:
        InputError: It has no header, cannot be read or is no CSV.
    """
    with _reading(source):
        meaning = QUOTINGS[quoting] or find_quoting(
            lambda: source.open("rb"), delimiter, encoding, _as_wide_as, judges_labels=False
        )
        with source.open("rb") as stream:
            count = LineCount()
            records = read_records(stream, delimiter, encoding, meaning, count)
            header = _header(records, source)
            count.header = count.total - count.blank
            yield RowsFound(header, (_as_row(record, len(header), delimiter) for record in records), meaning, count)


def _label_batch(
    predictor: Predictor,
    batch: list[RowBack],
    positions: dict[str, int],
    done: Labelled,
    write: Callable[[list[str]], object],
) -> None:
    texts = {
        name: [row.fields[position].encode("utf-8", KEEP_UNDECODABLE) for row in batch if row.bad is None]
        for name, position in positions.items()
    }
    predictions = iter(predictor.predict(texts) if any(texts.values()) else ())
    for row in batch:
        done.rows += 1
        if row.bad is None:
            prediction = next(predictions)
            write([*row.fields, prediction.label, *(f"{p:.6f}" for p in prediction.probabilities)])
            continue
        done.unlabelled[row.bad.kind] += 1
        done.first.setdefault(row.bad.kind, f"line {row.bad.line}: {row.bad.reason}")
        write([*row.fields, "", *("" for _ in predictor.labels)])


def _as_row(record: Record | BadRow, width: int, delimiter: str) -> RowBack:
    if isinstance(record, Record):
        fields = record.fields
        if len(fields) == width:
            return RowBack(fields, record.lines, None)
        reason = f"{len(fields)} fields where the header has {width}"
        bad = BadRow(record.line, reason, fields, "wrong number of fields")
    else:
        fields = record.fields[0].split(delimiter)
        bad = record
        if record.kind == JOINED_LINES and len(fields) == width:
            return RowBack(fields, record.lines, None)
    if len(fields) > width:
        fields = [*fields[: width - 1], delimiter.join(fields[width - 1 :])]
    return RowBack([*fields, *("" for _ in range(width - len(fields)))], record.lines, bad)


def _as_wide_as(header: list[str]) -> Callable[[list[str]], bool]:
    return lambda fields: len(fields) == len(header)


def check_files(source: Path, target: Path, *, delimiter: str, encoding: str, quoting: str) -> None:
    """Finds what can be found wrong with the arguments of `predict_csv` before a model is opened.

    Raises:
        InputError: As `predict_csv`, but for the columns.
    """
    if source.is_dir():
        raise InputError(f"--input: {source} is a folder; name a file")
    if not source.is_file():
        raise InputError(f"--input: there is no file {source}")
    check_output(target, "--output")
    if target.exists() and target.samefile(source):
        raise InputError(f"--output: {target} is the input; name another file, for its rows are not to be lost")
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise InputError(
            f"--delimiter: {delimiter!r} is not one character that can stand between fields; a tab is $'\\t' in a shell"
        )
    if not is_file_encoding(encoding):
        raise InputError(f"--encoding: {encoding!r} is not an encoding of files; use utf-8, cp1252, ...")
    if quoting not in QUOTINGS:
        raise InputError(f"--quoting: {quoting!r} is not one of {', '.join(QUOTINGS)}")
    with _reading(source), source.open("rb") as stream:
        _header(read_records(stream, delimiter, encoding, QUOTINGS[quoting] or STANDARD), source)


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except WrongKindError as error:
        raise InputError(f"--input: {source} {error}") from None
    except OSError as error:
        raise InputError(f"--input: {source} cannot be read: {error.strerror}") from error


def _header(records: Iterator[Record | BadRow], source: Path) -> list[str]:
    header = next(records, None)
    if header is None:
        raise InputError(f"--input: {source} is empty; give it a header line")
    if isinstance(header, BadRow):
        raise InputError(f"--input: {source}, line {header.line}: the header cannot be read: {header.reason}")
    return header.fields


def _position(header: list[str], predictor: Predictor, feature: str, source: Path) -> int:
    names = [name.strip() for name in header]
    for column in (predictor.text_columns.get(feature, feature), feature):
        if column in names:
            return names.index(column)
    column = predictor.text_columns.get(feature, feature)
    raise InputError(
        f"--input: {column!r} is not a column of {source} (it has: {', '.join(names)}); "
        "the model was trained on a column of that name: rename yours"
    )


# What spreadsheets begin a formula with, or skip before one (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def _line(fields: list[str], *, delimiter: str, escape_formulas: bool) -> str:
    # Python 3.10's csv.writer refuses U+0000 and leaves a lone carriage return unquoted, where readers end the row.
    needs_quotes = re.compile(f'["\r\n{re.escape(delimiter)}]').search
    if escape_formulas:
        fields = [f"'{field}" if field.startswith(_FORMULA) else field for field in fields]
    quoted = ['"' + field.replace('"', '""') + '"' if needs_quotes(field) else field for field in fields]
    return delimiter.join(quoted) + "\n"


def _kept_names(header: list[str], added: list[str]) -> list[str]:
    # A column of the input is never lost to one of ours: it keeps its place and is called input_<name>.
    kept = []
    for name in header:
        if name in added:
            name = f"input_{name}"
            while name in header:
                name = f"input_{name}"
        kept.append(name)
    return kept
