"""Rows out of a data file of any format: each comes out as a `Row` or, with the reason, as a `BadRow`."""

from collections.abc import Iterator
from typing import BinaryIO

from fullbake.components.data.data_files import Opened
from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.formats import format_of
from fullbake.components.data.quoting import QUOTINGS, STANDARD, Quoting
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.row_judge import row_judge
from fullbake.components.data.rows import BadRow, LineCount, Row


def read_rows(
    stream: BinaryIO,
    name: str,
    fmt: RowFormat,
    source: str = INPUT_BASE,
    *,
    quoting: Quoting = STANDARD,
    count: LineCount | None = None,
) -> Iterator[Row | BadRow]:
    r"""Reads the rows of a file, one at a time: memory does not grow with the file.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        name: What to call the file in errors; its suffix says which format it has (see `formats`).
        fmt: The columns and labels.
        source: The setting that names the file's folder, for errors.
        quoting: What the file's quotes mean, as `quoting_of` found out; by default RFC 4180's.
        count: Where its lines are counted; nowhere by default.

    Yields:
        In the file's order, a `Row` for each record that can be used and a `BadRow` for each that cannot.

    Raises:
        InputError: As `formats.ReadRecords`.

    Example:
        >>> import io
        >>> file = io.BytesIO(b"id,text,label\n1,so kind,good\n2,,bad\n")
        >>> for row in read_rows(file, "train.csv", RowFormat("text", "label", ("good", "bad"))):
        ...     print(row)
        Row(line=2, text='so kind', text_pair=None, label='good', lines=1)
        BadRow(line=3, reason="no text in column 'text'", fields=['2', '', 'bad'], kind='missing text', lines=1)
    """
    count = LineCount() if count is None else count
    read, judge = format_of(name, labelled=fmt.labelled).read, row_judge(fmt)
    for record in read(stream, name, fmt, source, quoting, count):
        yield record if isinstance(record, BadRow) else judge(*record)


def check_file(stream: BinaryIO, name: str, fmt: RowFormat, source: str = INPUT_BASE) -> None:
    """Checks that a file has the wanted columns, and a row.

    Args:
        stream: The file's bytes, from their start; it is left somewhere after the first row, and open.
        name: As for `read_rows`.
        fmt: Likewise.
        source: Likewise.

    Raises:
        InputError: As `formats.ReadRecords`.
    """
    next(read_rows(stream, name, fmt, source, quoting=QUOTINGS[fmt.dialect.quoting] or STANDARD))


def quoting_of(opened: Opened, name: str, fmt: RowFormat, source: str = INPUT_BASE) -> Quoting:
    """Returns what the double quotes of a file mean; of a format without quoting, as of one with the standard's.

    Args:
        opened: Opens the file's bytes, from their start; it is called several times or not at all.
        name: As for `read_rows`.
        fmt: Likewise.
        source: Likewise.

    Raises:
        InputError: As `formats.ReadRecords`.
    """
    find_quoting = format_of(name, labelled=fmt.labelled).find_quoting
    return STANDARD if find_quoting is None else find_quoting(opened, name, fmt, source)


def place_of(name: str, line: int) -> str:
    """Returns the place of a row for people, such as `train.csv line 3`."""
    return f"{name} {place_in(name, line)}"


def place_in(name: str, line: int) -> str:
    """Returns the place of a row in the file of this name, such as `line 3`."""
    return f"{format_of(name, labelled=False).unit} {line}"
