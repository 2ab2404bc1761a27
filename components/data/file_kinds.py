"""Tells by its first bytes that a file is of another kind than it should be."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager

from fullbake.contract.errors import InputError

ANY_TEXT = "text"
"""As the format that a file should have: text of any kind, which may be markup."""

_CONVERT = "convert it to CSV first"
# By their first bytes, as each format's specification has them. What is printable could begin a CSV file too, so a
# control character must be near (see `_CONTROL`).
_KINDS = (
    (b"PAR1", "a Parquet file", "let its name end in .parquet"),
    (b"ARROW1", "an Arrow file", _CONVERT),
    (b"FEA1", "a Feather file", _CONVERT),
    (b"ORC", "an ORC file", _CONVERT),
    (b"Obj\x01", "an Avro file", _CONVERT),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file", "save it as CSV first"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _CONVERT),
    (b"\x93NUMPY", "a NumPy file", _CONVERT),
    (b"%PDF-", "a PDF file", _CONVERT),
    (b"\x1f\x8b", "compressed with gzip", "let its name end in .gz"),
    (b"BZh", "compressed with bzip2", "decompress it first"),
    (b"\xfd7zXZ\0", "compressed with xz", "decompress it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "decompress it first"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_MARKUP = (
    (re.compile(rb'\s*\{\s*("|\})'), "JSON"),
    (re.compile(rb'\s*\[\s*[\[{"]'), "JSON"),
    (re.compile(rb"\s*<(!doctype\s+html|html|head|body|table)\b", re.IGNORECASE), "HTML"),
    (re.compile(rb"\s*<\?xml\b"), "XML"),
)


class WrongKindError(InputError):
    """A file is of another kind than it should be, or not in the encoding that was asked for.

    Its text goes on after the file's name.
    """


def check_kind(start: bytes, wanted: str) -> None:
    """Checks that the first bytes of a file are not those of another format.

    Args:
        start: The bytes.
        wanted: The format that the file should have, for errors; one whose name begins with JSON may begin as JSON,
            and `ANY_TEXT` with anything that can be text.

    Raises:
        WrongKindError: They are.
    """
    for magic, kind, remedy in _KINDS:
        if start.startswith(magic) and _CONTROL.search(start):
            raise WrongKindError(f"is {kind}, not {wanted}; {remedy}")
    if start.startswith(b"PK\x03\x04"):
        if b"xl/" in start or b"[Content_Types].xml" in start:
            raise WrongKindError(f"is an Excel workbook, not {wanted}; save it as CSV (UTF-8) first")
        if b"opendocument.spreadsheet" in start:
            raise WrongKindError(f"is an OpenDocument spreadsheet, not {wanted}; save it as CSV (UTF-8) first")
        raise WrongKindError(f"is a zip archive, not {wanted}; unpack it first")
    unmarked = start.removeprefix(codecs.BOM_UTF8)
    for pattern, kind in _MARKUP:
        if wanted != ANY_TEXT and not wanted.startswith(kind) and pattern.match(unmarked):
            raise WrongKindError(f"is {kind}, not {wanted}; convert it to CSV with a header line first")


@contextmanager
def named(name: str, source: str) -> Iterator[None]:
    """Puts the file's name into a `WrongKindError`.

    Args:
        name: What to call the file.
        source: The setting that names its folder.

    Raises:
        InputError: What was a `WrongKindError`.
    """
    try:
        yield
    except WrongKindError as error:
        raise InputError("{file} {fault}", field=source, file=name, fault=str(error)) from None
