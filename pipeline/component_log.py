"""The log of a run: a file, and calls for each component that starts, ends or warns."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import absl.logging

from fullbake.pipeline.config.redaction import LOG_LINE, RedactingFormatter


class ComponentLog(logging.Handler):
    """Writes TFX's log to a file, and calls back when a component starts, ends or warns.

    TFX's local runner has no callbacks; it logs `Component %s is running.` and `Component %s is finished.`

    Args:
        file: The log; what is secret in Beam's arguments is left out of it.
        args: `beam.args` of the config.
        on_component: As in `local_runner.run_locally`.
        on_warning: As in `local_runner.run_locally`. Default: warnings go to the file only.
    """

    def __init__(
        self,
        file: Path,
        args: Sequence[str],
        on_component: Callable[[str, float | None], None],
        on_warning: Callable[[str], None] = lambda text: None,
    ):
        super().__init__(logging.INFO)
        self._on_component = on_component
        self._on_warning = on_warning
        self._file = logging.FileHandler(file, encoding="utf-8")
        self._file.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk is reported once, at the end
        self._file.setFormatter(RedactingFormatter(LOG_LINE, args))
        self._started = 0.0

    def __enter__(self) -> ComponentLog:
        self._root = logging.getLogger()
        self._before = self._root.level, list(self._root.handlers), absl.logging.get_verbosity()
        # TensorFlow's logger prints by itself; through the root logger its lines go to the file like all others.
        tensorflow = logging.getLogger("tensorflow")
        tensorflow.handlers, tensorflow.propagate = [], True
        self._root.setLevel(logging.INFO)
        self._root.handlers = [self, self._file]
        absl.logging.set_verbosity(absl.logging.INFO)
        return self

    def __exit__(self, *error: object) -> None:
        level, self._root.handlers, verbosity = self._before
        self._root.setLevel(level)
        absl.logging.set_verbosity(verbosity)
        self._file.close()

    def emit(self, record: logging.LogRecord) -> None:
        """Calls back for a component that starts, ends or warns."""
        if record.name == "fullbake" and record.levelno >= logging.WARNING:
            self._on_warning(record.getMessage())
        elif record.msg == "Component %s is running.":
            self._started = time.monotonic()
            self._on_component(str(record.args[0]), None)  # type: ignore[index]
        elif record.msg == "Component %s is finished.":
            self._on_component(str(record.args[0]), time.monotonic() - self._started)  # type: ignore[index]
