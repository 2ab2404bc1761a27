"""Reads plain text files without labels: a text to a line."""

from collections.abc import Iterator
from typing import BinaryIO

from fullbake.components.data.file_kinds import named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.readers.bounded_lines import bounded_lines
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Record
from fullbake.components.data.text_encoding import decoded
from fullbake.contract.errors import InputError


def read_text_lines(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    """Reads the lines that are not blank, one at a time: memory does not grow with the file.

    Args: As of `formats.ReadRecords`. The line is the text column, whatever its name.

    Raises:
        InputError: Every line is blank, or there is none, or the file is no text.
    """
    with named(name, source):
        text = decoded(stream, fmt.dialect.encoding)
    found = False
    for line in bounded_lines(text, fmt.dialect.encoding, f"; is {fmt.names['encoding']} right?", count):
        found = True
        yield line if isinstance(line, BadRow) else Record(line.number, {fmt.text_column: line.text}, [line.text])
    if not found:
        raise InputError("{file} has no text; write a text to a line, or take it away", field=source, file=name)
