"""The folder of a run's temporary files, which the next run removes if this one is killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fullbake.contract.errors import InputError


@contextlib.contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Makes a folder to which all temporary files of this process and its children go.

    It stands in the system's temporary folder (`TMPDIR`), and its name stands for the output root. So the next run of
    the same root removes what a killed run left. Only one run at a time may have a root.

    Args:
        root: The output root.

    Raises:
        InputError: The temporary folder is not there or cannot be written to.
    """
    prefix = f"fullbake-{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:12]}-"
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    try:
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            # Others may write there too, and name things as they like.
            if left.lstat().st_uid == os.getuid() and left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix))
    except OSError as error:
        raise InputError(
            f"TMPDIR: the temporary folder cannot be written to ({error.strerror}); free some space in it, or set "
            "TMPDIR to another folder"
        ) from error
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable
        shutil.rmtree(folder, ignore_errors=True)
