"""A path of the output root that is no pattern: TFX, TensorFlow and Beam take paths below it for patterns."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from components.plain_path import PATTERN_CHARACTERS
from trainer.errors import InputError


def plain_root(root: Path) -> Path:
    """Gives a path that means the output root and nothing else, even where its own has characters such as ``[``.

    That is a link in the user's cache folder, or in the temporary folder. The metadata store and checkpoints get paths
    through it, so it stays there; a run makes it anew where it is gone.

    Args:
      root: an absolute path.

    Raises:
      InputError: there is no folder for the link.
    """
    if PATTERN_CHARACTERS.isdisjoint(str(root)):
        return root
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    for folder in (cache / "fullbake" / "roots", Path(tempfile.gettempdir(), f"fullbake-{os.getuid()}")):
        if PATTERN_CHARACTERS.isdisjoint(str(folder)) and _is_our_own(folder):
            with contextlib.suppress(OSError):
                _link(folder / name, root)
                return folder / name
    raise InputError(
        f"--root: {root} has characters of patterns ({''.join(sorted(PATTERN_CHARACTERS & set(str(root))))}) and there "
        "is no folder to put a plainer link to it; name another folder, or set XDG_CACHE_HOME to one that can be "
        "written to"
    )


def _is_our_own(folder: Path) -> bool:
    # In a temporary folder that all share, somebody else may have made one of this name.
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return False


def _link(link: Path, root: Path) -> None:
    if not link.is_symlink() or os.readlink(link) != str(root):
        # Renamed when made: another run may be using it.
        unfinished = link.with_name(f"{link.name}.{os.getpid()}")
        unfinished.symlink_to(root)
        unfinished.replace(link)
