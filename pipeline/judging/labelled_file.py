"""How a labelled file is read on which a model is judged; found without TensorFlow."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_files import opened
from fullbake.components.data.dialect import Dialect
from fullbake.components.data.file_kinds import named
from fullbake.components.data.file_rows import check_data_file
from fullbake.components.data.formats import format_of
from fullbake.components.data.readers.csv_dialect import likeliest_delimiter
from fullbake.components.data.readers.csv_like import find_like, open_like
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError


@dataclass(frozen=True)
class ColumnNames:
    """The names that columns may have in a file, the best first.

    Attributes:
        text: That of the text.
        label: That of the label; empty where it is in several columns.
        text_pair: That of the second text; empty of single texts.
    """

    text: Sequence[str]
    label: Sequence[str] = ()
    text_pair: Sequence[str] = ()


def find_format(file: Path, fmt: RowFormat, columns: ColumnNames, said: dict[str, str]) -> tuple[RowFormat, list[str]]:
    """Finds out how a file is read.

    CSV is read as the files of training were, or where that loses rows as it is found to be written.

    Args:
        file: The file.
        fmt: How the files of training were read.
        columns: What its columns may be called.
        said: By the name of its setting of `Dialect`, what was said of the file.

    Returns:
        How it is read, and what people should know of that.

    Raises:
        InputError: The file is not there, is of another format than its name says, has none of a wanted column, or no
            rows.
    """
    if file.is_dir():
        raise InputError("{file} is a folder; name one of its files", field="input_base", file=str(file))
    if not file.is_file():
        raise InputError("there is no file {file}", field="input_base", file=str(file))
    notes: list[str] = []
    with named(file.name, "input_base"):
        if format_of(file.name, labelled=True).find_quoting is not None:
            fmt, columns, notes = _as_csv(file, fmt, columns, said)
        wanted = [_with_columns(fmt, *names) for names in _choices(columns)]
        for choice in wanted:
            try:
                check_data_file(_data_file(file), choice)
            except InputError:
                continue
            return choice, notes
        check_data_file(_data_file(file), wanted[0])
    raise AssertionError


def _data_file(file: Path) -> DataFile:
    return DataFile(0, str(file), file.name)


def _choices(columns: ColumnNames) -> list[tuple[str, str | None, str | None]]:
    pairs: list[str | None] = [*columns.text_pair] or [None]
    labels: list[str | None] = [*columns.label] or [None]
    return list(itertools.product(columns.text, pairs, labels))


def _with_columns(fmt: RowFormat, text: str, text_pair: str | None, label: str | None) -> RowFormat:
    changed = replace(fmt, text_column=text, text_pair_column=text_pair)
    return changed if label is None else replace(changed, label_column=label)


def _as_csv(
    file: Path, fmt: RowFormat, columns: ColumnNames, said: dict[str, str]
) -> tuple[RowFormat, ColumnNames, list[str]]:
    replace(fmt.dialect, **said)  # type: ignore[arg-type]  # says if no file could be read so
    names = [columns.text, *([columns.text_pair] if columns.text_pair else [])]
    like = open_like(lambda: opened(str(file)), names, fmt.dialect, said)
    found = find_like(like)
    if found is None:
        # With the delimiter that shows, in the error that follows, which columns there are.
        titles = [name for options in names for name in options]
        delimiter = said.get("delimiter") or likeliest_delimiter(like.sample, titles)
        return replace(fmt, dialect=Dialect(delimiter, like.known.encoding)), columns, []
    pair = found.fmt.text_pair_column
    these = replace(columns, text=[found.fmt.text_column], text_pair=[] if pair is None else [pair])
    dialect = found.fmt.dialect
    notes = [f"{file.name}: {note}" for note in found.notes]
    changed = [
        f"{name} {getattr(dialect, name)!r}"
        for name in ("delimiter", "encoding")
        if name not in said and getattr(dialect, name).lower() != getattr(fmt.dialect, name).lower()
    ]
    if changed:
        notes.append(f"{file.name} is read with {', '.join(changed)}, other than the files of training")
    return replace(fmt, dialect=dialect), these, notes
