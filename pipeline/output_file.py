"""Files that a command writes where its user says: tried before the work, and never left half-written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from trainer.errors import InputError


def check_output(file: Path, flag: str) -> None:
    """Makes sure that a file can be written, before work is paid for whose outcome goes there.

    Args:
      file: where the outcome goes.
      flag: the option that names it.

    Raises:
      InputError: there is no such folder, it is a folder itself, or it may not be written.
    """
    try:
        if _is_stream(file):
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
      file: where it goes; what is there is replaced.
      text: what goes there.
      flag: the option that names the file.

    Raises:
      InputError: it cannot be written.
    """
    target = _target(file)
    try:
        if _is_stream(file):
            file.write_text(text, encoding="utf-8")
            return
        unfinished = _unfinished(target)
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{flag}: {file} cannot be written: {error.strerror}") from error


def _target(file: Path) -> Path:
    # A link stays one: what it points at is replaced.
    return Path(os.path.realpath(file))


def _is_stream(file: Path) -> bool:
    # A pipe, or /dev/stdout, which may be a file that a shell has opened: nothing can take its place.
    return file.exists() and not file.is_dir() and (not file.is_file() or file.is_relative_to("/dev"))


def _unfinished(target: Path) -> Path:
    # A name that nobody can have put there before, for one, as a link to another file.
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.unfinished")
