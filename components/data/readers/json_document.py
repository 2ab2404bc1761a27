"""Reads JSON files: a list of objects, an object with one such list, or in truth JSON Lines; in UTF-8."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

from fullbake.components.data.file_kinds import WrongKindError, named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.readers.json_lines import (
    AS_NUMBERS,
    AS_WRITTEN,
    ENCODING,
    JsonLine,
    object_of,
    read_lines,
    records_of,
)
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import MAX_TEXT_CHARACTERS, BadRow, LineCount, Record
from fullbake.components.data.text_encoding import decoded

FORMAT = "JSON"
_READ_AT_ONCE = 2**20  # characters
_SPACE = " \t\r\n"
_REMEDY = "write a list of objects (in pandas: orient='records')"
_ANY = json.JSONDecoder(parse_int=str, parse_float=str)


def read_json_objects(
    stream: BinaryIO, count: LineCount, *, numbers_as_written: bool = True
) -> Iterator[JsonLine | BadRow]:
    """Reads the objects of a file, one at a time: memory does not grow with the file.

    They are numbered from 1. Each is read as one of JSON Lines is (see `read_objects`).

    Args: As of `read_objects`; objects are counted for lines.

    Raises:
        WrongKindError: The file is no text, no whole JSON, or has no list of objects, or several.
    """
    text = decoded(stream, ENCODING, FORMAT)
    decoder = AS_WRITTEN if numbers_as_written else AS_NUMBERS
    first, second = _line(text), ""
    if first.lstrip().startswith("{") and first[-1] in "\r\n":
        second = _line(text)
    if not first:
        return
    if _is_json_lines(first, second):
        found = read_lines(_PutBack([first, second], text), count, decoder)
    else:
        found = _Document(text, first + second, decoder).objects(count)
    for number, item in enumerate(found, 1):
        yield item._replace(line=number) if isinstance(item, JsonLine) else dataclasses.replace(item, line=number)


def read_json(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    """Reads the records of a file.

    Args: As of `formats.ReadRecords`.

    Raises:
        InputError: As of `read_json_objects`; or there is no object, or none of the first has a wanted column.
    """
    with named(name, source):  # to its end: what is wrong further on is a matter of the whole file, too
        yield from records_of(read_json_objects(stream, count), name, fmt, source, _REMEDY)


def _line(text: TextIO) -> str:
    """Returns the next line that is not blank, or its start if it is long; nothing at the end."""
    return next((line for line in iter(lambda: text.readline(MAX_TEXT_CHARACTERS), "") if line.strip()), "")


def _is_json_lines(first: str, second: str) -> bool:
    """Says whether a file with these first lines that are not blank is JSON Lines: its first value ends with a line."""
    try:
        value = _ANY.decode(first.strip())
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and (bool(second) or not any(isinstance(v, dict | list) for v in value.values()))


class _PutBack:
    """A text whose first lines were read already."""

    def __init__(self, lines: list[str], text: TextIO):
        self._lines = list(filter(None, lines))
        self._text = text

    def readline(self, size: int) -> str:
        return self._lines.pop(0) if self._lines else self._text.readline(size)


class _Document:
    """A JSON text, of which a piece is held.

    Args:
        text: What is still to be read.
        held: What comes before it.
        decoder: Reads an object.
    """

    def __init__(self, text: TextIO, held: str, decoder: json.JSONDecoder):
        self._text = text
        self._held = held
        self._place = 0  # in what is held
        self._lines = 1  # before that
        self._decoder = decoder

    def objects(self, count: LineCount) -> Iterator[JsonLine | BadRow]:
        """Yields the objects of the one list."""
        start = self._next()
        if start == "[":
            yield from self._items(count)
        elif start == "{":
            yield from self._items_of_the_list(count)
        else:
            raise WrongKindError(f"is no list of objects; {_REMEDY}")
        if self._next():
            raise self._fault("goes on after its end")

    def _items(self, count: LineCount) -> Iterator[JsonLine | BadRow]:
        self._place += 1
        if self._next() == "]":
            self._place += 1
            return
        while True:
            count.total += 1
            yield self._item(count.total)
            after = self._next()
            self._place += 1
            if after == "]":
                return
            if after != ",":
                self._place -= 1
                raise self._fault(f"has no comma after object {count.total:,}" if after else "is cut off")
            self._next()

    def _item(self, number: int) -> JsonLine | BadRow:
        try:
            value, text = self._value(self._decoder)
        except json.JSONDecodeError:
            raise
        except ValueError as error:  # of the decoder's own hooks, such as a key that stands twice
            _, text = self._value(_ANY)
            return BadRow(number, f"the object is no JSON: {error}", [text], "malformed JSON")
        return object_of(number, text, value)

    def _items_of_the_list(self, count: LineCount) -> Iterator[JsonLine | BadRow]:
        """Yields the objects of the one list among the values of an object."""
        found: list[str] = []
        columns, end = True, ","
        while end == ",":
            self._place += 1
            if self._next() == "}" and not found:
                break
            key, _ = self._value(_ANY)
            if not isinstance(key, str) or self._next() != ":":
                raise self._fault("is no JSON: a key and a colon are missing")
            self._place += 1
            if self._next() == "[" and self._begins_with_object():
                found.append(key)
                if len(found) > 1:
                    raise WrongKindError(f"has lists of objects in {found[0]!a} and in {key!a}; {_REMEDY}")
                yield from self._items(count)
            else:
                value, _ = self._value(_ANY, f"is JSON with no list of objects in {key!a}; {_REMEDY}")
                columns = columns and isinstance(value, dict | list)
            end = self._next()
        if end != "}" and self._next() != "}":
            raise self._fault("is no JSON: a comma is missing" if end else "is cut off")
        self._place += 1
        if not found:
            what = "has a column to a key, as pandas writes JSON by default" if columns else "has no list of objects"
            raise WrongKindError(f"{what}; {_REMEDY}")

    def _begins_with_object(self) -> bool:
        """Says whether the list that begins here begins with an object."""
        while True:
            rest = self._held[self._place + 1 : self._place + _READ_AT_ONCE].lstrip(_SPACE)
            if rest or not self._more():
                return rest.startswith("{")

    def _next(self) -> str:
        """Goes to the next character that is no white space, and returns it; nothing at the end."""
        while True:
            held, place = self._held, self._place
            while place < len(held) and held[place] in _SPACE:
                place += 1
            self._place = place
            if place < len(held):
                return held[place]
            if not self._more():
                return ""

    def _value(self, decoder: json.JSONDecoder, too_long: str = "") -> tuple[Any, str]:
        """Reads a value and returns it, and how it is written."""
        self._next()
        while True:
            try:
                value, end = decoder.raw_decode(self._held, self._place)
            except (json.JSONDecodeError, RecursionError) as error:
                if too_long and len(self._held) - self._place > MAX_TEXT_CHARACTERS:
                    raise WrongKindError(too_long) from None
                if len(self._held) - self._place > MAX_TEXT_CHARACTERS or not self._more():
                    reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                    raise self._fault(f"is no whole JSON: {reason}") from None
                continue
            if end == len(self._held) and self._more():  # a number may go on
                continue
            text = self._held[self._place : end]
            self._place = end
            return value, text

    def _more(self) -> bool:
        """Reads on, as much as is held; says whether there was more."""
        self._lines += self._held.count("\n", 0, self._place)
        self._held = self._held[self._place :]
        self._place = 0
        more = self._text.read(max(_READ_AT_ONCE, len(self._held)))
        self._held += more
        return bool(more)

    def _fault(self, what: str) -> WrongKindError:
        line = self._lines + self._held.count("\n", 0, self._place)
        return WrongKindError(f"{what} (line {line:,}); write it again")
