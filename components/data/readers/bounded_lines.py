"""The lines of a text file, one at a time, however long they are."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from fullbake.components.data.rows import EXCERPT_CHARACTERS, MAX_TEXT_CHARACTERS, BadRow, LineCount
from fullbake.components.data.text_encoding import UNDECODABLE, undecodable


class HasLines(Protocol):
    """What text is read from, line by line."""

    def readline(self, size: int, /) -> str:
        """Returns the next line with its end, or as many characters of it; nothing at the end."""


class Line(NamedTuple):
    """A line.

    Attributes:
        number: Its number, from 1.
        text: The line, without its end.
    """

    number: int
    text: str


def bounded_lines(text: HasLines, encoding: str, advice: str, count: LineCount) -> Iterator[Line | BadRow]:
    """Yields the lines that are not blank; memory does not grow with the file.

    Args:
        text: The file, as `text_encoding.decoded` opens it.
        encoding: The encoding that was asked for.
        advice: What an error about a byte that is not of that encoding says, too.
        count: Where the lines are counted.

    Yields:
        A `Line`, or a `BadRow` for one that is too long or has bytes that do not decode.
    """
    while line := text.readline(MAX_TEXT_CHARACTERS + 1):
        count.total += 1
        content = line.rstrip("\r\n")
        if not content.strip():
            count.blank += 1
        elif len(content) > MAX_TEXT_CHARACTERS:
            while line and line[-1] not in "\r\n":
                line = text.readline(2**20)
            reason = f"the line is longer than {MAX_TEXT_CHARACTERS:,} characters"
            yield BadRow(count.total, reason, [content[:EXCERPT_CHARACTERS]], "too long")
        elif not content.isascii() and (problem := undecodable(content, "the line", encoding, advice)):
            yield BadRow(count.total, problem, [content], UNDECODABLE)
        else:
            yield Line(count.total, content)
