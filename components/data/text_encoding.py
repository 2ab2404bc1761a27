"""The bytes of a file as text: its encoding, its byte-order mark, and bytes that do not decode."""

import codecs
import io
import re
from typing import Any, BinaryIO

from fullbake.components.data.file_kinds import WrongKindError, check_kind

KEEP_UNDECODABLE = "fullbake.keep_undecodable"
"""Codec error handler: a byte that does not decode becomes the lone surrogate U+DC00 + byte, and back on encoding.

No good bytes decode to a lone surrogate. Python's `surrogateescape` is the same for bytes from 128 on, and refuses
those below, which a broken UTF-16 file can have.
"""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# Unicode's control characters, separators of lines and paragraphs, and what turns the direction of writing around.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

UNDECODABLE = "undecodable bytes"
"""The kind of bad row that holds such bytes."""

_UNDECODABLE_ORIGIN = 0xDC00

# A byte-order mark says the encoding more surely than a config does. UTF-32's begins with UTF-16's: longest first.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_LOOKED_AT = 2**16  # bytes of the start of a file by which its kind is known; what a workbook is, its first entries say
_SNIFFED_AT_ONCE = 2**20  # bytes
_CP1252_UNDEFINED = set(b"\x81\x8d\x8f\x90\x9d")


def decoded(stream: BinaryIO, encoding: str, wanted: str = "CSV") -> io.TextIOWrapper:
    """Opens a file's bytes as text, line ends left as they are and undecodable bytes as `KEEP_UNDECODABLE` makes them.

    Args:
        stream: The bytes, from their start. It is not closed.
        encoding: Any text encoding Python knows. A byte-order mark at the start of the file precedes it.
        wanted: The format that the file should have, for errors.

    Raises:
        WrongKindError: The bytes are of another format, or nothing says in what order those of UTF-16 stand.
    """
    buffered = io.BufferedReader(_Borrowed(stream), buffer_size=_LOOKED_AT)
    start = buffered.peek(_LOOKED_AT)
    check_kind(start, wanted)
    marked = _marked_encoding(start)
    name = codecs.lookup(encoding).name
    if marked is None and start and name in ("utf-16", "utf-32"):
        raise WrongKindError(
            f"has no byte-order mark, without which {encoding} does not say how its bytes are ordered; "
            f"set the encoding to {name}-le or {name}-be, or, if it is not {name}, to what it is"
        )
    return io.TextIOWrapper(buffered, marked or encoding, errors=KEEP_UNDECODABLE, newline="")


def find_encoding(stream: BinaryIO) -> str:
    """Returns the encoding of a file: what a byte-order mark says, else UTF-8 if most of it is, else Windows-1252.

    Of a file with bytes that Windows-1252 does not have, Latin-1.

    Args:
        stream: The file's bytes, from their start. It is read to its end, unless its first bytes say enough.
    """
    chunk = stream.read(_SNIFFED_AT_ONCE)
    marked = _marked_encoding(chunk)
    if marked in ("utf-16", "utf-32"):
        return marked
    # Letters of a header without a byte-order mark: three of four bytes are zero, or every other.
    if chunk[1:4] == b"\0\0\0" or chunk[0:3] == b"\0\0\0":
        return "utf-32-le" if chunk[1] == 0 and chunk[0] else "utf-32-be"
    if chunk[1:4:2] == b"\0\0" or chunk[0:3:2] == b"\0\0":
        return "utf-16-le" if chunk[1] == 0 else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")(KEEP_UNDECODABLE)
    good = bad = 0
    seen: set[int] = set()
    while chunk:
        text = decoder.decode(chunk)
        if not text.isascii():
            broken = sum(map(len, re.findall("[\udc00-\udcff]+", text)))
            bad += broken
            good += len(text) - len(text.encode("ascii", "ignore")) - broken
            seen.update(chunk)
        chunk = stream.read(_SNIFFED_AT_ONCE)
    if bad <= good:
        return "utf-8"
    return "latin-1" if seen & _CP1252_UNDEFINED else "cp1252"


def is_file_encoding(encoding: str) -> bool:
    """Says whether Python can read files in an encoding, whatever bytes they hold: rot13, idna and hex are no such."""
    sample = 'a,"b"\r\n'
    try:
        encoded = sample.encode(encoding)  # raises LookupError too where it is no text encoding
        # Read in pieces, a long run of what is not ASCII ends in a MemoryError (seen in Python 3.10).
        if codecs.lookup(encoding).name == "utf-7":
            return False
        return codecs.getincrementaldecoder(encoding)(KEEP_UNDECODABLE).decode(encoded, True) == sample
    except (LookupError, ValueError):
        return False


def undecodable(text: str, where: str, encoding: str, advice: str) -> str | None:
    """Says which byte of a text from `decoded` was not in the encoding; None if all were.

    Args:
        text: The text.
        where: What to call its place.
        encoding: The encoding that was asked for.
        advice: What else it says.
    """
    found = LONE_SURROGATE.search(text)
    if found is None:
        return None
    byte = ord(found.group()) - _UNDECODABLE_ORIGIN
    what = f"byte 0x{byte:02x}" if 0 <= byte <= 0xFF else f"lone surrogate U+{ord(found.group()):04X}"
    return f"{what} in {where} is not {encoding}{advice}"


def escaped(text: str) -> str:
    r"""Returns a text that a terminal can show: its control characters escaped, U+FFFD for what did not decode.

    Example:
        >>> print(escaped("\x1b[31mred\n"))
        \x1b[31mred\n
    """
    text = _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
    return LONE_SURROGATE.sub("\ufffd", text)


def printable(text: str) -> str:
    """Returns a text on one line, so that an error can show it: white space as single spaces, the rest `escaped`."""
    return escaped(" ".join(text.split()))


def _marked_encoding(start: bytes) -> str | None:
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), None)


class _Borrowed(io.RawIOBase):
    """Reads another's stream of bytes, of which it asks `read(size)` alone, and does not close it."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        filled = 0
        while filled < len(buffer) and (chunk := self._stream.read(len(buffer) - filled)):
            buffer[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        return filled


def _keep_undecodable(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(_UNDECODABLE_ORIGIN + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        byte = ord(error.object[error.start]) - _UNDECODABLE_ORIGIN
        if 0 <= byte <= 0xFF:
            return bytes([byte]), error.start + 1
    raise error


codecs.register_error(KEEP_UNDECODABLE, _keep_undecodable)
