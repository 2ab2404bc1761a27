"""Where what can be made again is kept between runs, whatever their output roots."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder for Fullbake; it need not be there.

    By the XDG Base Directory Specification: below `XDG_CACHE_HOME`, which is `~/.cache` where it is not set.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fullbake"
