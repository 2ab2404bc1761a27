"""Files that a command writes where its user says: tried before the work, and never left half-written."""

from __future__ import annotations

import io
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from fullbake.components.data.compression import compression_of
from fullbake.contract.errors import InputError

STDOUT = Path("-")
"""Stands for the standard output, where a command has an output file."""


def check_output(file: Path, flag: str) -> None:
    """Makes sure that a file can be written, before work is paid for whose outcome goes there.

    Args:
        file: Where the outcome goes.
        flag: The option that names it.

    Raises:
        InputError: There is no such folder, it is a folder itself, or it may not be written.
    """
    try:
        if is_stream(file):
            return
        target = _target(file)
        if target.is_dir():
            raise InputError(f"{flag}: {file} is a folder; name a file")
        if not target.parent.is_dir():
            raise InputError(f"{flag}: there is no folder {target.parent}; make it, or name another file")
        if target.exists() and not os.access(target, os.W_OK):
            raise InputError(f"{flag}: {file} is read-only; name another file")
        # Only an attempt can tell: permissions do not know of a file system that is read-only or full.
        unfinished = _unfinished(target)
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        raise InputError(f"{flag}: {file} cannot be written: {error.strerror}; name another file") from error


def write_output(file: Path, text: str, flag: str) -> None:
    """Writes a file as UTF-8, in whole or not at all.

    Args:
        file: Where it goes; what is there is replaced.
        text: What goes there.
        flag: The option that names the file.

    Raises:
        InputError: It cannot be written.
    """
    with writing(file, flag) as stream:
        stream.write(text)


@contextmanager
def writing(file: Path, flag: str, *, errors: str = "strict", newline: str | None = None) -> Iterator[TextIO]:
    """Opens a file for UTF-8 that takes the place of what is there when all is written, and not before.

    Args:
        file: Where it goes. What goes into one whose name says that it is compressed is that.
        flag: The option that names it.
        errors: What becomes of characters that UTF-8 does not have, as for `open`.
        newline: What becomes of line ends, as for `open`.

    Raises:
        InputError: It cannot be written.
    """
    with writing_bytes(file, flag) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors=errors, newline=newline)
        yield text
        text.flush()
        text.detach()


@contextmanager
def writing_bytes(file: Path, flag: str) -> Iterator[BinaryIO]:
    """Opens a file for bytes, as `writing` does for text.

    Raises:
        InputError: It cannot be written.
    """
    if file == STDOUT:
        yield cast(BinaryIO, _Stdout())
        sys.stdout.flush()
        return
    target = _target(file)
    try:
        if is_stream(file):
            with file.open("wb") as stream, _compressed(stream, file) as whole:
                yield whole
            return
        unfinished = _unfinished(target)
        try:
            with unfinished.open("xb") as stream, _compressed(stream, file) as whole:
                yield whole
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{flag}: {file} cannot be written: {error.strerror or error}") from error


@contextmanager
def _compressed(stream: BinaryIO, file: Path) -> Iterator[BinaryIO]:
    compression = compression_of(file.name)
    if compression is None:
        yield stream
        return
    with compression.write(stream, file.name) as compressed:
        yield compressed


def check_new(file: Path, flag: str) -> None:
    """As `check_output`, of a file that must not be there yet.

    Raises:
        InputError: It is there, or cannot be written.
    """
    if os.path.lexists(file):
        raise InputError(f"{flag}: {file} is there already, and is not overwritten; name another file, or remove it")
    check_output(file, flag)


def write_new(file: Path, text: str, flag: str) -> None:
    """Writes a file that is not there yet, as UTF-8, in whole or not at all.

    Args:
        file: Where it goes.
        text: What goes there.
        flag: The option that names the file.

    Raises:
        InputError: It is there by now, or cannot be written.
    """
    check_new(file, flag)
    try:
        file.touch(exist_ok=False)  # nobody else can make it from here on
    except FileExistsError:
        check_new(file, flag)
    except OSError as error:
        raise InputError(f"{flag}: {file} cannot be written: {error.strerror}") from error
    try:
        write_output(file, text, flag)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


class _Stdout(io.RawIOBase):
    """Writes where Python's own stdout does, and does not close it."""

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return sys.stdout.buffer.write(content)


def _target(file: Path) -> Path:
    # A link stays one: what it points at is replaced.
    return Path(os.path.realpath(file))


def is_stream(file: Path) -> bool:
    """Says whether nothing can take a file's place: stdout, which may be a file that a shell has opened, or a pipe."""
    return file == STDOUT or (
        file.exists() and not file.is_dir() and (not file.is_file() or file.is_relative_to("/dev"))
    )


def _unfinished(target: Path) -> Path:
    # A name that nobody can have put there before, for one, as a link to another file.
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.unfinished")
