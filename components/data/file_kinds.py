"""Says by its first bytes that a file is of another kind than it should be."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager

from fullbake.contract.errors import InputError

ANY_TEXT = "text"
"""As the format that a file should have: text of any kind, which may be markup."""

_CONVERT = "convert it to CSV first"
_WITH_HEADER = "convert it to CSV with a header line first"
_UNPACK = "unpack it first"
# Where, and what stands there, as each format's specification has it. What is printable could begin a CSV file too, so
# a control character must be near (see `_CONTROL`).
_KINDS = (
    (0, b"PAR1", "a Parquet file", "let its name end in .parquet"),
    (0, b"ARROW1", "an Arrow file", "let its name end in .arrow"),
    (0, b"\xff\xff\xff\xff", "an Arrow file", "let its name end in .arrow"),
    (0, b"FEA1", "a Feather file of the first version", _CONVERT),
    (0, b"ORC", "an ORC file", _CONVERT),
    (0, b"Obj\x01", "an Avro file", _CONVERT),
    (0, b"SQLite format 3\0", "an SQLite database", "export the table as CSV first"),
    (4, b"Standard Jet DB\0", "an Access database", "export the table as CSV first"),
    (4, b"Standard ACE DB\0", "an Access database", "export the table as CSV first"),
    (8, b"DUCK", "a DuckDB database", "export the table as Parquet first"),
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel or Office file, or has a password",
        "save it as .xlsx without a password",
    ),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", _CONVERT),
    (0, b"\x93NUMPY", "a NumPy file", _CONVERT),
    *(
        (0, bytes([0x80, version]), "a pickle of Python", "save the table as CSV or Parquet first")
        for version in range(2, 6)
    ),
    (0, b"RDX2\n", "an R workspace", "write the table as CSV in R first"),
    (0, b"RDX3\n", "an R workspace", "write the table as CSV in R first"),
    (0, b"X\n\0\0\0", "an RDS file of R", "write the table as CSV in R first"),
    (0, b"$FL2@(#)", "an SPSS file", _CONVERT),
    (0, b"$FL3@(#)", "an SPSS file", _CONVERT),
    (0, b"<stata_dta>", "a Stata file", _CONVERT),
    *(
        (0, version + order + b"\x01\0", "a Stata file", _CONVERT)
        for version in (b"r", b"s")
        for order in (b"\1", b"\2")
    ),
    (0, bytes(12) + b"\xc2\xea\x81\x60", "a SAS file", _CONVERT),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file", _CONVERT),
    (0, b"%PDF-", "a PDF file", _CONVERT),
    (0, b"\x89PNG\r\n\x1a\n", "a picture", "take it away"),
    (0, b"\xff\xd8\xff", "a picture", "take it away"),
    (0, b"\x1f\x8b", "compressed with gzip", "let its name end in .gz"),
    (0, b"BZh", "compressed with bzip2", "let its name end in .bz2"),
    (0, b"\xfd7zXZ\0", "compressed with xz", "let its name end in .xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "let its name end in .zst"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4", "decompress it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
)
# Of zip archives: what is among the names of their first members.
_ZIPS = (
    (b"xl/", "an Excel workbook", "let its name end in .xlsx"),
    (b"word/", "a Word document", "save its text as CSV first"),
    (b"ppt/", "a PowerPoint file", "save its text as CSV first"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", "save it as CSV (UTF-8) or .xlsx first"),
    (b"opendocument.text", "an OpenDocument text", "save its text as CSV first"),
    (b"/data.pkl", "a PyTorch file", "save the table as CSV or Parquet first"),
    (b"[Content_Types].xml", "an Excel workbook or another Office file", "let a workbook's name end in .xlsx"),
    (b"", "a zip archive", "let its name end in .zip"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_MARKUP = (
    (re.compile(rb'\s*\{\s*("|\})'), "JSON", "let its name end in .json"),
    (re.compile(rb'\s*\[\s*[\[{"]'), "JSON", "let its name end in .json"),
    (re.compile(rb"\s*<(!doctype\s+html|html|head|body|table)\b", re.IGNORECASE), "HTML", _WITH_HEADER),
    (re.compile(rb"\s*<\?xml\b"), "XML", _WITH_HEADER),
)


class WrongKindError(InputError):
    """A file is of another kind than it should be, or not in the encoding that was asked for.

    Its text goes on after the file's name.
    """


def check_kind(start: bytes, wanted: str) -> None:
    """Checks that the first bytes of a file are not those of another format.

    Args:
        start: The bytes.
        wanted: The format that the file should have, for errors; what it is called begins with its kind here. What
            should be `ANY_TEXT` may begin with any markup.

    Raises:
        WrongKindError: They are.
    """
    for place, magic, kind, remedy in _KINDS:
        if start.startswith(magic, place) and _CONTROL.search(start):
            raise WrongKindError(f"is {kind}, not {wanted}; {remedy}")
    if start.startswith(b"PK\x03\x04"):
        _, kind, remedy = next(found for found in _ZIPS if found[0] in start)
        if not kind.startswith(wanted):
            raise WrongKindError(f"is {kind}, not {wanted}; {remedy}")
    unmarked = start.removeprefix(codecs.BOM_UTF8)
    for pattern, kind, remedy in _MARKUP:
        if wanted != ANY_TEXT and not wanted.startswith(kind) and pattern.match(unmarked):
            raise WrongKindError(f"is {kind}, not {wanted}; {remedy}")


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
