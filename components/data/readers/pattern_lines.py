"""Reads files whose lines fit a pattern: text and label stand on one line, and no delimiter alone parts them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from fullbake.components.data.columns import find_columns
from fullbake.components.data.file_kinds import named
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.readers.bounded_lines import bounded_lines
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Record
from fullbake.components.data.text_encoding import decoded
from fullbake.contract.errors import InputError

UNFITTING = "line that does not fit"
"""The kind of bad row that the pattern does not fit."""


def read_pattern_lines(
    stream: BinaryIO, name: str, fmt: RowFormat, source: str, quoting: Quoting, count: LineCount
) -> Iterator[Record | BadRow]:
    r"""Reads the lines that are not blank, one at a time: memory does not grow with the file.

    Args: As of `formats.ReadRecords`. The format's dialect has a line pattern, whose groups are the columns.

    Raises:
        InputError: Every line is blank, or there is none, the file is no text, or a wanted column is no group.

    Example:
        >>> import io
        >>> from fullbake.components.data.dialect import Dialect
        >>> fmt = RowFormat("text", "label", (), dialect=Dialect(line_pattern=r"(?P<label>\w+):\w+ (?P<text>.*)"))
        >>> file = io.BytesIO(b"DESC:manner How so ?\n")
        >>> [record.values for record in read_pattern_lines(file, "a.label", fmt, "input_base", Quoting(), LineCount())]
        [{'text': 'How so ?', 'label': 'DESC'}]
    """
    pattern = re.compile(fmt.dialect.line_pattern or "")
    with named(name, source):
        text = decoded(stream, fmt.dialect.encoding)
    groups = list(pattern.groupindex)
    columns = {column: groups[place] for column, place in find_columns(groups, fmt, name, source).items()}
    advice = f"; is {fmt.names['encoding']} right?"
    found = False
    for line in bounded_lines(text, fmt.dialect.encoding, advice, count):
        found = True
        if isinstance(line, BadRow):
            yield line
            continue
        fit = pattern.fullmatch(line.text)
        if fit is None:
            yield BadRow(line.number, f"the line does not fit {fmt.names['line_pattern']}", [line.text], UNFITTING)
            continue
        yield Record(line.number, {column: fit[group] or "" for column, group in columns.items()}, [line.text])
    if not found:
        raise InputError("{file} is empty; give it rows, or take it away", field=source, file=name)
