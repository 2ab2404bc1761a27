"""The log of a run: a file, and calls for each component that starts, ends, warns or says what it does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import absl.logging

from fullbake.contract.progress import PROGRESS_LOGGER, Activity, activity_of
from fullbake.pipeline.config.redaction import LOG_LINE, RedactingFormatter

CACHED = Activity("cached")
"""Told of a component whose result is in the cache."""

# Each has a handler of its own for stderr; through the root logger their lines go to the file like all others.
_OWN_HANDLERS = ("tensorflow", "transformers", "huggingface_hub")


class ComponentLog(logging.Handler):
    """Writes TFX's log to a file, and calls back when a component starts, ends, warns or says what it does.

    TFX's local runner has no callbacks; it logs `Component %s is running.`, `A cached execution %d is used.` and
    `Component %s is finished.`

    Args:
        file: The log; what is secret in Beam's arguments is left out of it.
        args: `beam.args` of the config.
        on_component: As in `local_runner.run_locally`.
        on_warning: As in `local_runner.run_locally`. Default: warnings go to the file only.
        on_activity: Likewise. Default: nobody is told.
    """

    def __init__(
        self,
        file: Path,
        args: Sequence[str],
        on_component: Callable[[str, float | None], None],
        on_warning: Callable[[str], None] = lambda text: None,
        on_activity: Callable[[Activity], None] = lambda activity: None,
    ):
        super().__init__(logging.DEBUG)
        self._on_component = on_component
        self._on_warning = on_warning
        self._on_activity = on_activity
        self._file = logging.FileHandler(file, encoding="utf-8")
        self._file.setLevel(logging.INFO)  # not each step of a training
        self._file.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk is reported once, at the end
        self._file.setFormatter(RedactingFormatter(LOG_LINE, args))
        self._started = 0.0

    def __enter__(self) -> ComponentLog:
        self._root = logging.getLogger()
        self._before = self._root.level, list(self._root.handlers), absl.logging.get_verbosity()
        for name in _OWN_HANDLERS:
            library = logging.getLogger(name)
            library.handlers, library.propagate = [], True
        logging.getLogger(PROGRESS_LOGGER).setLevel(logging.DEBUG)
        self._root.setLevel(logging.INFO)
        self._root.handlers = [self, self._file]
        absl.logging.set_verbosity(absl.logging.INFO)
        return self

    def __exit__(self, *error: object) -> None:
        level, self._root.handlers, verbosity = self._before
        self._root.setLevel(level)
        absl.logging.set_verbosity(verbosity)
        logging.getLogger(PROGRESS_LOGGER).setLevel(logging.NOTSET)
        self._file.close()

    def emit(self, record: logging.LogRecord) -> None:
        """Calls back for a component that starts, ends, warns or says what it does."""
        if (activity := activity_of(record)) is not None:
            self._on_activity(activity)
        elif record.name == "fullbake" and record.levelno >= logging.WARNING:
            self._on_warning(record.getMessage())
        elif record.msg == "Component %s is running.":
            self._started = time.monotonic()
            self._on_component(str(record.args[0]), None)  # type: ignore[index]
        elif record.msg == "A cached execution %d is used.":
            self._on_activity(CACHED)
        elif record.msg == "Component %s is finished.":
            self._on_component(str(record.args[0]), time.monotonic() - self._started)  # type: ignore[index]
