"""Reads files that each hold one text."""

import os
from collections.abc import Iterator

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_files import opened
from fullbake.components.data.file_kinds import ANY_TEXT, WrongKindError
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import EXCERPT_CHARACTERS, MAX_TEXT_CHARACTERS, BadRow, LineCount, Record
from fullbake.components.data.text_encoding import UNDECODABLE, decoded, undecodable


def read_single_texts(file: DataFile, fmt: RowFormat, count: LineCount) -> Iterator[Record | BadRow]:
    """Reads the files of a folder: each is a text, its line ends and all, and a bad row if it cannot be read.

    Args:
        file: The folder.
        fmt: The encoding. The text is the text column, whatever its name.
        count: Where they are counted, each as one line.
    """
    for number, name in enumerate(file.texts, 1):
        count.total += 1
        yield _read(os.path.join(file.path, name), number, fmt)


def _read(path: str, number: int, fmt: RowFormat) -> Record | BadRow:
    encoding = fmt.dialect.encoding
    try:
        with opened(path) as stream:
            text = decoded(stream, encoding, ANY_TEXT).read(MAX_TEXT_CHARACTERS + 1)
    except WrongKindError as error:
        return BadRow(number, f"the file {error}", [], "not a text file")
    if len(text) > MAX_TEXT_CHARACTERS:
        reason = f"the text is longer than {MAX_TEXT_CHARACTERS:,} characters"
        return BadRow(number, reason, [text[:EXCERPT_CHARACTERS]], "too long")
    if not text or text.isspace():
        return BadRow(number, "the file is empty" if not text else "the file has no text", [text], "missing text")
    advice = f"; is {fmt.names['encoding']} right?"
    if not text.isascii() and (problem := undecodable(text, "the file", encoding, advice)):
        return BadRow(number, problem, [text], UNDECODABLE)
    return Record(number, {fmt.text_column: text}, [text])
