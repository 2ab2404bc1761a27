"""Keeps what libraries print off the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def captured_output(file: Path) -> Iterator[None]:
    """Appends to a file what this process and its children write to stdout and stderr, inside the `with` block.

    Not only what Python prints: TensorFlow's C++ half and worker processes write to the descriptors themselves.

    Args:
        file: The log. Whoever wants to say something meanwhile needs a copy of stderr, made before.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with contextlib.ExitStack() as restored:
        # Appended to, as the log's own handler does: neither writes over the other's lines.
        log = restored.enter_context(file.open("a", encoding="utf-8", errors="backslashreplace", buffering=1))
        for number in (1, 2):
            before = os.dup(number)
            restored.callback(os.close, before)
            restored.callback(os.dup2, before, number)
            os.dup2(log.fileno(), number)
        # Not always on these descriptors: a notebook's are not.
        restored.enter_context(contextlib.redirect_stdout(log))
        restored.enter_context(contextlib.redirect_stderr(log))
        yield
