"""A path of the output root without the characters of patterns: TFX, TensorFlow and Beam take paths for patterns."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from fullbake.components.serving.plain_path import PATTERN_CHARACTERS
from fullbake.contract.cache_folder import cache_folder
from fullbake.contract.errors import InputError


def plain_root(root: Path) -> Path:
    """Returns a path of the output root that has no characters of patterns, such as `[`.

    That is a link in the user's cache folder. The metadata store and checkpoints get paths through it, so it stays
    there; a run makes it anew where it is gone.

    Args:
        root: An absolute path.

    Raises:
        InputError: There is no folder for the link.
    """
    if PATTERN_CHARACTERS.isdisjoint(str(root)):
        return root
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    folder = cache_folder() / "roots"
    if PATTERN_CHARACTERS.isdisjoint(str(folder)):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            _link(folder / name, root)
            return folder / name
    raise InputError(
        "{folder} has characters of patterns ({characters}) and there is no folder to put a plainer link to it; name "
        "another folder, or set XDG_CACHE_HOME to one that can be written to",
        field="root",
        folder=root,
        characters="".join(sorted(PATTERN_CHARACTERS & set(str(root)))),
    )


def _link(link: Path, root: Path) -> None:
    if not link.is_symlink() or os.readlink(link) != str(root):
        # Renamed when made: another run may be using it.
        unfinished = link.with_name(f"{link.name}.{os.getpid()}")
        unfinished.symlink_to(root)
        unfinished.replace(link)
