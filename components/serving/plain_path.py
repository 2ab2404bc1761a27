"""A path that is no pattern: TensorFlow, Beam and TFX may read the name of a folder as a pattern."""

import contextlib
import os
import tempfile
from collections.abc import Iterator

PATTERN_CHARACTERS = frozenset("*?[]{}\\^$|")
"""What stands for other characters in the patterns of TensorFlow, Beam or TFX, which makes regular expressions of some
without escaping them."""


@contextlib.contextmanager
def plain_path(folder: str) -> Iterator[str]:
    """Yields a path of a folder that has no other meaning as a pattern: its own, or that of a temporary link.

    An address on another file system stays as it is.
    """
    if PATTERN_CHARACTERS.isdisjoint(folder) or "://" in folder:
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="fullbake-") as scratch:
            link = os.path.join(scratch, "folder")
            os.symlink(os.path.abspath(folder), link)
            yield link
