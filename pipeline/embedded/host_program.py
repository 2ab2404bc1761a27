"""The program that Fullbake is a guest in, and whose settings it leaves as it found them."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS

# What a run sets for a while belongs to the whole process: the handlers of the root logger, the temporary folder.
_one_at_a_time = threading.RLock()
_LOGGERS = (None, "absl", "tensorflow")
_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextmanager
def guest(**names: str) -> Iterator[TextIO]:
    """Keeps libraries quiet inside the `with` block, and then puts back what they changed of the host program.

    That is the arguments of its command line, which TFX and Beam would take for theirs, its filters of warnings, and
    the handlers and levels of the loggers. A second thread waits until the first is done.

    Args:
        **names: By the name of a setting that no config has, what it is called here; for errors.

    Yields:
        The stdout of before, for what the host program itself prints meanwhile.

    Raises:
        InputError: As the block does, with the settings of a config named by their keys.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments, level = sys.argv, os.environ.get(_LOG_LEVEL)
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        before = [(logger, logger.level, list(logger.handlers), logger.propagate) for logger in loggers]
        sys.argv = [arguments[0] if arguments else "fullbake"]
        os.environ.setdefault(_LOG_LEVEL, "3")  # read when TensorFlow is loaded; 3 leaves out all but fatal errors
        try:
            with open(os.devnull, "w", encoding="utf-8") as nowhere:
                shown = sys.stdout
                with redirect_stdout(nowhere):
                    yield shown
        except InputError as error:
            raise error.named({**CONFIG_KEYS, **names}) from error
        finally:
            sys.argv = arguments
            if level is None:
                os.environ.pop(_LOG_LEVEL, None)
            for logger, threshold, handlers, propagate in before:
                logger.setLevel(threshold)
                logger.handlers, logger.propagate = handlers, propagate
