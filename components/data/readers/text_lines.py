"""Reads plain text files without labels: a text to a line."""

from collections.abc import Iterator
from typing import BinaryIO

from fullbake.components.data.file_kinds import named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import EXCERPT_CHARACTERS, MAX_TEXT_CHARACTERS, BadRow, LineCount, Record
from fullbake.components.data.text_encoding import UNDECODABLE, decoded, undecodable
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
        text = decoded(stream, fmt.encoding)
    found = False
    while line := text.readline(MAX_TEXT_CHARACTERS + 1):
        count.total += 1
        number = count.total
        content = line.rstrip("\r\n")
        if not content.strip():
            count.blank += 1
            continue
        found = True
        if len(content) > MAX_TEXT_CHARACTERS:
            while line and line[-1] not in "\r\n":
                line = text.readline(2**20)
            excerpt = content[:EXCERPT_CHARACTERS]
            yield BadRow(number, f"the line is longer than {MAX_TEXT_CHARACTERS:,} characters", [excerpt], "too long")
        elif problem := undecodable(content, "the line", fmt.encoding, f"; is {fmt.names['encoding']} right?"):
            yield BadRow(number, problem, [content], UNDECODABLE)
        else:
            yield Record(number, {fmt.text_column: content}, [content])
    if not found:
        raise InputError("{file} has no text; write a text to a line, or take it away", field=source, file=name)
