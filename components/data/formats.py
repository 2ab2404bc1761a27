"""The formats of data files, by suffix."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from fullbake.components.data.compression import without_compression
from fullbake.components.data.data_files import Opened
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.readers.arrow import read_arrow
from fullbake.components.data.readers.csv_dialect import FoundDialect, find_dialect
from fullbake.components.data.readers.csv_file import find_file_quoting, read_csv
from fullbake.components.data.readers.excel import read_excel
from fullbake.components.data.readers.json_document import read_json
from fullbake.components.data.readers.json_lines import read_json_lines
from fullbake.components.data.readers.parquet import read_parquet
from fullbake.components.data.readers.text_lines import read_text_lines
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Record
from fullbake.components.data.suffixes import ARROW, EXCEL, JSON, JSON_LINES, PARQUET, TEXT_LINES, claimed

ReadRecords = Callable[[BinaryIO, str, RowFormat, str, Quoting, LineCount], Iterator[Record | BadRow]]
"""Reads the records of a file, in its order: what cannot be read comes out as a `BadRow`.

Args:
    stream: The file's bytes, from their start. It is not closed.
    name: What to call the file in errors.
    fmt: The wanted columns.
    source: The setting that names the file's folder, for errors.
    quoting: What the file's quotes mean, as `FileFormat.find_quoting` found out.
    count: Where its lines are counted. At the end of the file the total is the header's lines, the blank ones and the
        `lines` of all rows, good and bad.

Raises:
    InputError: The file is no file of this format, or has none of a wanted column; when the first record is asked for.
"""


class FileFormat(NamedTuple):
    """A format of data files.

    Attributes:
        suffixes: What the names of its files end in (see `suffixes`); empty: whatever no other format claims.
        read: Reads the records of a file.
        unit: What people call the place of a record in its file.
        has_labels: Whether its files can have labels. A format that cannot is for files without alone.
        find_quoting: Finds what the quotes of a file mean; None where they mean nothing.
        find_dialect: Finds out how a file is written; None if there is nothing to find out.
    """

    suffixes: tuple[str, ...]
    read: ReadRecords
    unit: str = "line"
    has_labels: bool = True
    find_quoting: Callable[[Opened, str, RowFormat, str], Quoting] | None = None
    find_dialect: Callable[[Opened, RowFormat], FoundDialect] | None = None


CSV = FileFormat((), read_csv, find_quoting=find_file_quoting, find_dialect=find_dialect)

TEXTS = FileFormat(TEXT_LINES, read_text_lines, has_labels=False)

_CSV_SUFFIXES = (".csv", ".tsv", ".tab", ".psv")  # by which CSV is known where a file may as well be plain text

FORMATS = (
    TEXTS,
    FileFormat(JSON_LINES, read_json_lines),
    FileFormat(JSON, read_json, unit="object"),
    FileFormat(PARQUET, read_parquet, unit="row"),
    FileFormat(ARROW, read_arrow, unit="row"),
    FileFormat(EXCEL, read_excel, unit="row"),
    CSV,
)
"""All of them; the first that claims a file has it."""


def format_of(name: str, *, labelled: bool) -> FileFormat:
    """Returns the format of a file by its name.

    Args:
        name: The file's name or path.
        labelled: Whether labels are wanted of it.
    """
    suffixes = claimed(without_compression(name))
    return next(found for found in FORMATS if (found.has_labels or not labelled) and found.suffixes in ((), suffixes))


def is_table(name: str) -> bool:
    """Says by a file's name whether it has columns, of files that may as well hold texts and nothing else."""
    return bool(format_of(name, labelled=True).suffixes) or without_compression(name).endswith(_CSV_SUFFIXES)


def says_no_format(name: str) -> bool:
    """Says whether nothing in a file's name tells whether it is a table or holds texts and nothing else."""
    return not is_table(name) and not format_of(name, labelled=False).suffixes


def without_format(name: str) -> str:
    """Returns a file's name without the suffixes that say how it is compressed and which format it has.

    Example:
        >>> without_format("neg.txt.gz"), without_format("rt-polarity.pos")
        ('neg', 'rt-polarity.pos')
    """
    plain = without_compression(name)
    suffixes = (*format_of(name, labelled=False).suffixes, *_CSV_SUFFIXES)
    return next((plain.removesuffix(suffix) for suffix in suffixes if plain.endswith(suffix)), plain)
