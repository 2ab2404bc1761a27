"""The output root of a run, which one run at a time uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.disk import check_temporary_folder, full_disk_told
from fullbake.pipeline.interruption import Interruption
from fullbake.pipeline.scratch import scratch_folder

ROOT = "root"
"""The setting that names the output root; for errors (see `InputError`)."""
ROOT_LOCK = ".lock"
"""A file in the output root, locked by the run that writes to it."""


def default_root(config: Config) -> Path:
    """Returns the output root of a config where no other is named."""
    return Path("runs", config.name)


@contextmanager
def sole_use(root: Path, interruption: Interruption) -> Iterator[None]:
    """Makes the output root and keeps other runs away: two in one metadata store would read each other's verdict.

    All temporary files of the run are in one folder. The next run removes it if this one is killed.

    Args:
        root: The output root.
        interruption: Gets what is kept when the run is stopped, and which folder is to be removed then.

    Raises:
        InputError: The root is no folder that can be written to, another run is at work in it, or its disk is full.
    """
    check_temporary_folder()
    if root.exists() and not root.is_dir():
        raise InputError("{folder} is a file; name a folder", field=ROOT, folder=root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / ROOT_LOCK).acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            "another run is at work in {folder}; wait until it is done, or name a folder of its own",
            field=ROOT,
            folder=root,
        ) from error
    except OSError as error:
        raise InputError(
            "{folder} cannot be written to: {reason}; name a folder that can",
            field=ROOT,
            folder=root,
            reason=error.strerror,
        ) from error
    with lock, full_disk_told(root), scratch_folder(root) as scratch:
        interruption.kept = (
            f"finished components and epochs are kept in {root}; run the command again to go on from there"
        )
        interruption.leftovers.append(scratch)
        yield
