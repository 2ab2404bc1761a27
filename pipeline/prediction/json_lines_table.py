"""JSON Lines whose rows are labelled."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fullbake.components.data.data_files import opened
from fullbake.components.data.readers.json_document import read_json_objects
from fullbake.components.data.readers.json_lines import JsonLine, read_objects, text_of
from fullbake.components.data.rows import BadRow, LineCount
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE, printable
from fullbake.contract.errors import InputError
from fullbake.pipeline.output_file import writing
from fullbake.pipeline.prediction.plain_values import as_json
from fullbake.pipeline.prediction.table import Answer, Batch, Table, TextOptions, Write

_UNREADABLE = "input_line"  # the key under which a line comes back that is no object
_LINE_ENDS = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")  # of which no string of JSON has one
_NUMBERS = {frozenset([int]): int, frozenset([float]): float, frozenset([int, float]): float, frozenset([bool]): bool}


class JsonLinesTable:
    """A file of objects, opened.

    Args:
        objects: The objects.
        kinds: By key, in the order in which they are met, the types of its values.
        count: How many there are.
    """

    encoding: str | None = None
    notes: Sequence[str] = ()

    def __init__(self, objects: Iterator[JsonLine | BadRow], kinds: dict[str, set[type]], count: int):
        self.columns = list(kinds)
        self.types: list[type] = [_NUMBERS.get(frozenset(found), str) for found in kinds.values()]
        self.part_read: Callable[[int], float] = lambda rows: rows / max(1, count)
        self._objects = objects

    def batches(self, places: Mapping[str, int], size: int) -> Iterator[Batch]:
        """Yields all rows, as `Table.batches`; null is an empty text."""
        features = {feature: self.columns[place] for feature, place in places.items()}
        while lines := list(itertools.islice(self._objects, size)):
            bad: list[BadRow | None] = []
            texts: dict[str, list[str]] = {feature: [] for feature in features}
            for line in lines:
                found = line if isinstance(line, BadRow) else _texts(line, features)
                bad.append(found if isinstance(found, BadRow) else None)
                for feature, column in texts.items():
                    column.append("" if isinstance(found, BadRow) else found[feature])
            yield Batch([line.line for line in lines], bad, texts, lines, partial(self._values, lines, places))

    def _values(self, lines: list[JsonLine | BadRow], places: Mapping[str, int]) -> list[list[Any]]:
        rows = []
        for line in lines:
            if isinstance(line, JsonLine):
                values = json.loads(line.text)
                rows.append([values.get(column) for column in self.columns])
            else:  # what cannot be read comes back in the place of the text
                row: list[Any] = [None] * len(self.columns)
                row[min(places.values(), default=0)] = line.fields[0]
                rows.append(row)
        return rows


def _texts(line: JsonLine, features: dict[str, str]) -> dict[str, str] | BadRow:
    """Returns the texts of a row by feature, or why it has none."""
    found = {}
    for feature, column in features.items():
        text = text_of(line, column)
        if isinstance(text, BadRow):
            return text
        found[feature] = text
    return found


def _kind(value: Any) -> type:
    """Returns the type of a value; of a whole number that no column of numbers holds, that of its text."""
    return str if type(value) is int and not -(2**63) <= value < 2**63 else type(value)


@contextmanager
def open_json_lines(source: Path, options: TextOptions) -> Iterator[JsonLinesTable]:
    """Opens a file whose rows are to be labelled; it is read once to know its columns.

    Args:
        source: The file.
        options: Of no matter.

    Raises:
        InputError: No line of it is an object.
        WrongKindError: It is no text.
    """
    with _open(source, read_objects) as table:
        yield table


@contextmanager
def open_json(source: Path, options: TextOptions) -> Iterator[JsonLinesTable]:
    """Opens a file of JSON, as `open_json_lines` does one of JSON Lines.

    Raises:
        InputError: No object is in it.
        WrongKindError: It is no text, or no whole JSON.
    """
    with _open(source, read_json_objects) as table:
        yield table


@contextmanager
def _open(source: Path, read: Callable[..., Iterator[JsonLine | BadRow]]) -> Iterator[JsonLinesTable]:
    kinds: dict[str, set[type]] = {}
    count = 0
    with opened(str(source)) as stream:
        for line in read(stream, LineCount(), numbers_as_written=False):
            count += 1
            if isinstance(line, JsonLine):
                for key, value in line.values.items():
                    kinds.setdefault(key, set()).update(() if value is None else (_kind(value),))
    if not kinds:
        raise InputError(f"--input: {source} has no line with an object; write one to a line")
    with opened(str(source)) as stream:
        yield JsonLinesTable(read(stream, LineCount()), kinds, count)


def check_json_lines(source: Path, options: TextOptions) -> None:
    """Looks whether a file has a line.

    Raises:
        InputError: It has none.
        WrongKindError: It is no text.
    """
    with opened(str(source)) as stream:
        if next(read_objects(stream, LineCount()), None) is None:
            raise InputError(f"--input: {source} is empty; write an object to a line")


def check_json(source: Path, options: TextOptions) -> None:
    """Looks whether a file has an object.

    Raises:
        InputError: It has none.
        WrongKindError: It is no text, or no whole JSON.
    """
    with opened(str(source)) as stream:
        if next(read_json_objects(stream, LineCount()), None) is None:
            raise InputError(f"--input: {source} is empty; write a list of objects")


@contextmanager
def write_json(target: Path, table: Table, columns: list[str], options: TextOptions) -> Iterator[Write]:
    """Opens a file for a list of labelled rows, as `write_json_lines` one for JSON Lines: an object to a line, too."""
    with _writing(target, table, columns, "[\n", ",\n", "\n]\n") as write:
        yield write


@contextmanager
def write_json_lines(target: Path, table: Table, columns: list[str], options: TextOptions) -> Iterator[Write]:
    """Opens a file for labelled rows; it appears when all is written.

    An object of a source of this format comes back as it was written, with keys added. Probabilities have six decimals.

    Args:
        target: The file.
        table: Where the rows come from.
        columns: The names of all columns: those of the table, then those that are added.
        options: Of no matter.

    Raises:
        InputError: It cannot be written.
    """
    with _writing(target, table, columns, "", "\n", "\n") as write:
        yield write


@contextmanager
def _writing(target: Path, table: Table, columns: list[str], before: str, between: str, after: str) -> Iterator[Write]:
    width = len(table.columns)
    added = columns[width:]
    renamed = {old: new for old, new in zip(table.columns, columns, strict=False) if old != new}

    def own(answer: Answer | None) -> dict[str, Any]:
        if answer is None:
            return dict.fromkeys(added)
        return dict(zip(added, answer.values(), strict=True))

    with writing(target, "--output", errors=KEEP_UNDECODABLE, newline="") as sink:
        lead = before

        def write(batch: Batch, answers: list[Answer | None]) -> None:
            nonlocal lead
            if isinstance(table, JsonLinesTable):
                rows = [_kept(line, renamed) for line in batch.rows]
            else:
                rows = [_dumped(dict(zip(columns, map(as_json, row), strict=False))) for row in batch.values()]
            for row, answer in zip(rows, answers, strict=True):
                start = row.rstrip()[:-1].rstrip()  # without its closing brace
                comma = "" if start.lstrip() == "{" else ", "
                sink.write(f"{lead}{start}{comma}{_dumped(own(answer))[1:]}")
                lead = between

        yield write
        sink.write(after if lead is between else before + after.lstrip() if before else "")


def _kept(line: JsonLine | BadRow, renamed: dict[str, str]) -> str:
    """Returns a line of a source as it was written, unless one of its keys has another name now."""
    if isinstance(line, BadRow):
        return _dumped({_UNREADABLE: printable(line.fields[0])})
    if renamed.keys().isdisjoint(line.values):
        return _LINE_ENDS.sub(" ", line.text)
    values = json.loads(line.text)
    return _dumped({renamed.get(key, key): value for key, value in values.items()})


def _dumped(values: dict[str, Any]) -> str:
    text = json.dumps(values, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a character, which only an escape can stand for
        return json.dumps(values)
    return text
