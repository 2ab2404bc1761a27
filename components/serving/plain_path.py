"""A path that is no pattern: TensorFlow, Beam and TFX take for one what is meant to be a folder."""

import contextlib
import os
import tempfile
from collections.abc import Iterator

PATTERN_CHARACTERS = frozenset("*?[]{}\\^$|")
"""What stands for other characters in the patterns of TensorFlow, Beam or TFX, which makes regular expressions of some
without escaping them."""


@contextlib.contextmanager
def plain_path(folder: str) -> Iterator[str]:
    """Gives a path of a folder that has no other meaning as a pattern: its own, or that of a link for a while.

    An address on another file system is given as it is.
    """
    if PATTERN_CHARACTERS.isdisjoint(folder) or "://" in folder:
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="fullbake-") as scratch:
            link = os.path.join(scratch, "folder")
            os.symlink(os.path.abspath(folder), link)
            yield link
