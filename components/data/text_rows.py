"""Unlabelled text out of plain text files: a text to a line."""

from collections.abc import Iterator
from typing import BinaryIO

from fullbake.components.data.csv_records import (
    EXCERPT_CHARACTERS,
    MAX_RECORD_CHARACTERS,
    BadRow,
    LineCount,
    WrongKindError,
    decoded,
    undecodable,
)
from fullbake.components.data.csv_rows import Row
from fullbake.contract.errors import InputError


def is_plain_text(path: str) -> bool:
    """Says by a file's name whether it is plain text; otherwise it is CSV."""
    return path.endswith((".txt", ".txt.gz"))


def read_lines(
    stream: BinaryIO, name: str, encoding: str, source: str, count: LineCount | None = None
) -> Iterator[Row | BadRow]:
    r"""Reads the lines that are not blank, one at a time: memory does not grow with the file.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        name: What to call the file in errors.
        encoding: Any text encoding Python knows. A byte-order mark at the start of the file goes before it.
        source: The config key of the file's folder, for errors.
        count: Where its lines are counted, all of them and the blank ones; nowhere by default.

    Yields:
        In the file's order, a `Row` without a label for each line that can be used, and a `BadRow` for each that does
        not decode or is longer than `MAX_RECORD_CHARACTERS`.

    Raises:
        InputError: Every line is blank, or there is none, or the file is no text; when the first text is asked for.

    Example:
        >>> import io
        >>> for row in read_lines(io.BytesIO(b"so kind\n\nso bad\n"), "all.txt", "utf-8", "pretraining.corpus_base"):
        ...     print(row)
        Row(line=1, text='so kind', text_pair=None, label='', lines=1)
        Row(line=3, text='so bad', text_pair=None, label='', lines=1)
    """
    count = LineCount() if count is None else count
    try:
        text = decoded(stream, encoding)
    except WrongKindError as error:
        raise InputError(f"{source}: {name} {error}") from None
    found = False
    while line := text.readline(MAX_RECORD_CHARACTERS + 1):
        count.total += 1
        number = count.total
        content = line.rstrip("\r\n")
        if not content.strip():
            count.blank += 1
            continue
        found = True
        if len(content) > MAX_RECORD_CHARACTERS:
            while line and line[-1] not in "\r\n":
                line = text.readline(2**20)
            excerpt = content[:EXCERPT_CHARACTERS]
            yield BadRow(number, f"the line is longer than {MAX_RECORD_CHARACTERS:,} characters", [excerpt], "too long")
        elif problem := undecodable(content, "the line", encoding):
            yield BadRow(number, problem, [content], "undecodable bytes")
        else:
            yield Row(number, content, None, "")
    if not found:
        raise InputError(f"{source}: {name} has no text; write a text to a line, or take it away")
