"""The ways in which files are compressed, by suffix."""

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Literal, NamedTuple, cast

import zstandard

from fullbake.components.data.file_kinds import WrongKindError
from fullbake.components.data.suffixes import claimed

# A block of zstd is 128 KiB at most and may take four bytes (RFC 8878, 3.1.1.2), so this gives 128 MiB at the worst.
_ZSTD_BYTES_AT_ONCE = 4096
_ENCRYPTED = 1  # the bit of a zip member's flags that says so (APPNOTE 4.4.4)
_DAMAGE = (
    *(EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, zstandard.ZstdError),
    NotImplementedError,  # zipfile, of a method it does not know
)


class Compression(NamedTuple):
    """A way to compress files.

    Attributes:
        suffix: What the names of its files end in.
        name: What people call it.
        read: Opens what was compressed, for the bytes of a file and its name. It holds little of it at once.
        write: Opens a file for what is to be compressed, likewise.
    """

    suffix: str
    name: str
    read: Callable[[BinaryIO, str], Any]
    write: Callable[[BinaryIO, str], AbstractContextManager[Any]]


def _open_member(stream: BinaryIO, name: str) -> Any:
    """Opens the one data file in a zip archive, which must be of the format that the archive's name says."""
    archive = zipfile.ZipFile(stream)
    members = [member for member in archive.infolist() if _is_data(member)]
    if len(members) != 1:
        raise WrongKindError(f"is a zip archive with {len(members) or 'no'} files in it, not one; unpack it")
    (member,) = members
    if member.flag_bits & _ENCRYPTED:
        raise WrongKindError("is a zip archive with a password; unpack it")
    inner = os.path.basename(member.filename)
    if compression_of(inner):
        raise WrongKindError(f"is a zip archive with a compressed file in it, {inner!a}; unpack it")
    if claimed(inner) != claimed(without_compression(name)):
        suffix = claimed(inner)[:1] or (".csv",)
        raise WrongKindError(f"is a zip archive with {inner!a} in it; let its name end in {suffix[0]}.zip")
    return archive.open(member)


def _is_data(member: zipfile.ZipInfo) -> bool:
    hidden = os.path.basename(member.filename).startswith(".") or member.filename.startswith("__MACOSX/")
    return not member.is_dir() and not hidden


def _xz(stream: BinaryIO, mode: Literal["rb", "wb"]) -> lzma.LZMAFile:
    return lzma.LZMAFile(stream, mode)


class _ZipWriter(io.RawIOBase):
    """Writes the one file in a zip archive."""

    def __init__(self, stream: BinaryIO, name: str):
        plain = without_compression(os.path.basename(name))
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
        member = zipfile.ZipInfo(plain if claimed(plain) or "." in plain else f"{plain}.csv")
        member.compress_type = zipfile.ZIP_DEFLATED
        self._member = self._archive.open(member, "w", force_zip64=True)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return self._member.write(content)

    def close(self) -> None:
        if not self.closed:
            self._member.close()
            self._archive.close()
        super().close()


class _ZstdReader(io.RawIOBase):
    """Reads all frames of a file; zstandard's own reader does not say when the last is cut off."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._frame: Any = None
        self._found = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._found:
            content = (self._frame and self._frame.unused_data) or self._stream.read(_ZSTD_BYTES_AT_ONCE)
            if not content:
                if self._frame and not self._frame.eof:
                    raise EOFError("it ends in the middle of a frame")
                return 0
            if not self._frame or self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._found = memoryview(self._frame.decompress(content))
        size = min(len(buffer), len(self._found))
        buffer[:size], self._found = self._found[:size], self._found[size:]
        return size


COMPRESSIONS = (
    Compression(
        ".gz",
        "gzip",
        lambda stream, _: gzip.GzipFile(fileobj=stream),
        lambda stream, _: gzip.GzipFile(filename="", fileobj=stream, mode="wb", mtime=0),
    ),
    Compression(
        ".bz2", "bzip2", lambda stream, _: bz2.BZ2File(stream), lambda stream, _: bz2.BZ2File(stream, mode="wb")
    ),
    Compression(".xz", "xz", lambda stream, _: _xz(stream, "rb"), lambda stream, _: _xz(stream, "wb")),
    Compression(
        ".zst",
        "zstd",
        lambda stream, _: _ZstdReader(stream),
        lambda stream, _: zstandard.ZstdCompressor(write_checksum=True).stream_writer(stream, closefd=False),
    ),
    Compression(".zip", "zip", _open_member, _ZipWriter),
)
"""All of them."""


def compression_of(name: str) -> Compression | None:
    """Returns how a file is compressed, by its name; None if it is not."""
    return next((found for found in COMPRESSIONS if name.endswith(found.suffix)), None)


def without_compression(name: str) -> str:
    """Returns a file's name without the suffix that says that it is compressed."""
    found = compression_of(name)
    return name.removesuffix(found.suffix) if found else name


def check_uncompressed(name: str, kind: str) -> None:
    """Checks by its name that a file is not compressed as a whole, of a format that is read here and there.

    Raises:
        WrongKindError: It is.
    """
    if compression_of(name):
        raise WrongKindError(f"is compressed as a whole, and {kind} is read from its end; decompress it first")


def decompressed(stream: BinaryIO, name: str) -> BinaryIO:
    """Opens what was compressed into a file; its own bytes if its name does not say that it is.

    Args:
        stream: The file's bytes, from their start. It is not closed.
        name: The file's name.

    Returns:
        The bytes, to be read from their start to their end. Where the file turns out to be damaged or cut off, reading
        raises a `WrongKindError`.

    Raises:
        WrongKindError: It is no such file.
    """
    compression = compression_of(name)
    return stream if compression is None else cast(BinaryIO, _Told(compression, stream, name))


class _Told(io.RawIOBase):
    """Reads what was compressed, and says in one way what each library says in its own."""

    def __init__(self, compression: Compression, stream: BinaryIO, name: str):
        self._kind = compression.name
        self._stream = self._told(compression.read, stream, name)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return cast(int, self._told(self._stream.readinto, buffer))

    def _told(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except _DAMAGE as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the file's
                raise
            raise WrongKindError(f"is not a whole {self._kind} file ({error}); copy it here again") from error
