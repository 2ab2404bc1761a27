"""Reads JSON Lines: an object to a line, in UTF-8."""

import itertools
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from fullbake.components.data.columns import find_columns
from fullbake.components.data.file_kinds import named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.readers.bounded_lines import HasLines, bounded_lines
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import MAX_TEXT_CHARACTERS, BadRow, LineCount, Record
from fullbake.components.data.text_encoding import UNDECODABLE, decoded, undecodable
from fullbake.contract.errors import InputError

FORMAT = "JSON Lines"
ENCODING = "utf-8"  # RFC 8259, 8.1

MISSING_COLUMN = "missing column"
"""The kind of bad row whose object has no such key."""

NOT_TEXT = "not text"
"""The kind of bad row whose text or label is a list or an object."""

_LINES_LOOKED_AT = 1000  # at the start of a file; one of them at least must have each wanted column
_ADVICE = "; JSON is UTF-8"


class JsonLine(NamedTuple):
    """A line with an object.

    Attributes:
        line: Its number, from 1.
        text: The line, as it stands.
        values: The object.
    """

    line: int
    text: str
    values: dict[str, Any]


def read_objects(stream: BinaryIO, count: LineCount, *, numbers_as_written: bool = True) -> Iterator[JsonLine | BadRow]:
    """Reads the lines that are not blank, one at a time: memory does not grow with the file.

    Lines may end in LF, CRLF or CR, and a byte-order mark is no part of the first. Of an object in which a key stands
    twice nothing says which value is meant, so the line cannot be used. NaN and Infinity, which JSON does not have but
    pandas and Python write, are read.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        count: Where the lines are counted.
        numbers_as_written: Whether numbers become texts, as they stand in the file, and NaN becomes None; otherwise
            they are numbers.

    Yields:
        A `JsonLine` for each line that is an object, and a `BadRow` for each that is not.

    Raises:
        WrongKindError: The file is no text.
    """
    decoder = AS_WRITTEN if numbers_as_written else AS_NUMBERS
    yield from read_lines(decoded(stream, ENCODING, FORMAT), count, decoder)


def read_lines(text: HasLines, count: LineCount, decoder: json.JSONDecoder) -> Iterator[JsonLine | BadRow]:
    """Reads the lines of a text as `read_objects` does; `AS_WRITTEN` and `AS_NUMBERS` are decoders."""
    for line in bounded_lines(text, ENCODING, _ADVICE, count):
        yield line if isinstance(line, BadRow) else _parsed(line.number, line.text, decoder)


def _parsed(line: int, content: str, decoder: json.JSONDecoder) -> JsonLine | BadRow:
    try:
        value = decoder.decode(content)
    except (ValueError, RecursionError) as error:
        reason = f"{error.msg}, at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        return BadRow(line, f"the line is no JSON: {reason}", [content], "malformed JSON")
    if isinstance(value, dict):
        return JsonLine(line, content, value)
    return BadRow(line, f"the line is {_described(value)}, not an object", [content], "not an object")


def object_of(number: int, text: str, value: Any) -> JsonLine | BadRow:
    """Returns what stands in a list of objects in this place, as `read_objects` does what stands on a line."""
    if not isinstance(value, dict):
        return BadRow(number, f"it is {_described(value)}, not an object", [text], "not an object")
    if not text.isascii() and (problem := undecodable(text, "the object", ENCODING, _ADVICE)):
        return BadRow(number, problem, [text], UNDECODABLE)
    return JsonLine(number, text, value)


def _described(value: Any) -> str:
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a single value"


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!a} stands twice")
    return values


AS_WRITTEN = json.JSONDecoder(
    object_pairs_hook=_once_each,
    parse_int=str,
    parse_float=str,
    parse_constant=lambda name: None if name == "NaN" else name,
)
AS_NUMBERS = json.JSONDecoder(object_pairs_hook=_once_each)


def text_of(found: JsonLine, column: str) -> str | BadRow:
    """Returns a value of an object whose numbers are as written: a text itself, empty for null, else as JSON writes it.

    Args:
        found: The line.
        column: The key of the value. If it is not there, or its value is a list, an object, or no Unicode, the row
            cannot be used.
    """
    value = found.values.get(column)
    if isinstance(value, str):
        if not value.isascii() and (problem := undecodable(value, f"column {column!r}", ENCODING, _ADVICE)):
            return BadRow(found.line, problem, [found.text], UNDECODABLE)
        return value
    if isinstance(value, bool):
        return json.dumps(value)
    if value is not None:
        return BadRow(found.line, f"column {column!r} holds {_described(value)}, no text", [found.text], NOT_TEXT)
    if column not in found.values:
        return BadRow(found.line, f"the object has no {column!r}", [found.text], MISSING_COLUMN)
    return ""


def is_list_of_values(value: Any) -> bool:
    """Says whether a value is a list, and no value in it is a list or an object."""
    return isinstance(value, list) and not any(isinstance(part, list | dict) for part in value)


def read_json_lines(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    """Reads the records of a file.

    Args: As of `formats.ReadRecords`.

    Raises:
        InputError: The file is empty or no text, or none of its first lines has a wanted column.
    """
    yield from records_of(read_objects(stream, count), name, fmt, source, "write an object to a line")


def records_of(
    found: Iterator[JsonLine | BadRow], name: str, fmt: RowFormat, source: str, remedy: str
) -> Iterator[Record | BadRow]:
    """Yields the records that are in the objects of a file.

    Args:
        found: The objects.
        name: As of `formats.ReadRecords`.
        fmt: Likewise.
        source: Likewise.
        remedy: What to do if there is none.

    Raises:
        InputError: As of `read_json_lines`.
    """
    columns = {column: column.strip() for _, column in fmt.wanted}
    several = fmt.label_column if fmt.label_separator is not None else None
    with named(name, source):
        first = _first_lines(found, set(columns.values()))
    if not first:
        raise InputError("{file} is empty; {remedy}, or take it away", field=source, file=name, remedy=remedy)
    if keys := list(dict.fromkeys(key for line in first if isinstance(line, JsonLine) for key in line.values)):
        find_columns(keys, fmt, name, source)
    for line in itertools.chain(first, found):
        yield line if isinstance(line, BadRow) else _record(line, columns, several)


def _first_lines(found: Iterator[JsonLine | BadRow], columns: set[str]) -> list[JsonLine | BadRow]:
    """Returns the lines up to the one by which each of the columns has been seen, but not too many."""
    first: list[JsonLine | BadRow] = []
    characters = 0
    for line in found:
        first.append(line)
        if isinstance(line, JsonLine):
            columns = columns - line.values.keys()
            characters += len(line.text)
        if not columns or len(first) == _LINES_LOOKED_AT or characters > MAX_TEXT_CHARACTERS:
            break
    return first


def _record(line: JsonLine, columns: dict[str, str], several: str | None) -> Record | BadRow:
    """Makes the record of an object, in which the column with several labels, if there is one, may hold a list."""
    values = {}
    for column, key in columns.items():
        text = text_of(line, key)
        if column == several and isinstance(text, BadRow) and is_list_of_values(line.values.get(key)):
            text = json.dumps(line.values[key], ensure_ascii=False)
            if problem := undecodable(text, f"column {key!r}", ENCODING, _ADVICE):
                return BadRow(line.line, problem, [line.text], UNDECODABLE)
        if isinstance(text, BadRow):
            return text
        values[column] = text
    return Record(line.line, values, [line.text])
