"""Errors about full disks and unusable temporary folders."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fullbake.contract.errors import InputError

# Python, TensorFlow, Beam and SQLite each have an exception of their own; what they have in common is these words of
# the C library, of SQLite, or the number of the error.
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), "database or disk is full")
_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # in the order in which Python's tempfile asks for them


def check_temporary_folder() -> None:
    """Raises InputError where temporary files have no place: Python would take another folder in silence, if any."""
    for name in _TEMPORARY:
        if folder := os.environ.get(name):
            try:
                with tempfile.NamedTemporaryFile(dir=folder, prefix="fullbake-") as file:
                    file.write(b"x")
            except OSError as error:
                raise InputError(
                    f"{name}: temporary files cannot be written to {folder}: {error.strerror}; name a folder that has "
                    f"room and can be written to, or unset {name}"
                ) from error
            return
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise InputError(f"TMPDIR: {error.strerror}; set it to a folder that has room and can be written to") from error


@contextmanager
def full_disk_told(root: Path) -> Iterator[None]:
    """Turns the errors of a full disk into an InputError that names the disk.

    Args:
        root: The output root. Beside it, temporary files need room.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if not _is_full(error):
            raise
        free = {str(folder): shutil.disk_usage(folder).free for folder in (root, Path(tempfile.gettempdir()))}
        fullest = min(free, key=lambda folder: free[folder])
        raise InputError(
            "no space is left on the disk of {fullest} ({free} MB are free): free some, or name another folder with "
            "{root}, or with TMPDIR for temporary files; what was finished is kept, and the next run goes on from "
            "there",
            fullest=fullest,
            free=f"{free[fullest] / 2**20:,.0f}",
        ) from error


def _is_full(error: BaseException | None) -> bool:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if getattr(one, "errno", None) in _FULL_NUMBERS or any(words in str(one) for words in _FULL):
            return True
        waiting += [one.__cause__, one.__context__]
    return False
