"""What a stage is doing at the moment, as log records: who shows progress reads it off them, others see a log line."""

from __future__ import annotations

import logging
from dataclasses import dataclass

PROGRESS_LOGGER = "fullbake.progress"

_log = logging.getLogger(PROGRESS_LOGGER)
_ATTRIBUTE = "fullbake_activity"


@dataclass(frozen=True)
class Activity:
    """What is being done.

    Attributes:
        text: In words, such as `loading the base model`.
        done: How many steps of it are done; 0 where nobody counts them.
        total: How many there are; 0 where nobody counts them.
    """

    text: str
    done: int = 0
    total: int = 0


def tell(text: str) -> None:
    """Says what is being done from now on, at level INFO.

    Args:
        text: In words.
    """
    _log.info("%s", text, extra={_ATTRIBUTE: Activity(text)})


def tell_step(text: str, done: int, total: int) -> None:
    """Says how far it has got, at level DEBUG: there are too many steps for a log.

    Args:
        text: In words, such as `epoch 2 of 3, step 40 of 120`.
        done: Steps that are done.
        total: All steps, from the first `tell_step` of the same kind to the last.
    """
    # Asked first: without a listener a step costs next to nothing.
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s", text, extra={_ATTRIBUTE: Activity(text, done, total)})


def activity_of(record: logging.LogRecord) -> Activity | None:
    """Returns what a log record says is being done; None if it is about something else."""
    return getattr(record, _ATTRIBUTE, None)
