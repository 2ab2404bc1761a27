"""Tells how many test rows a model has labelled, while it does; in this process alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

_listeners: list[Callable[[], None]] = []


@contextlib.contextmanager
def listening(listener: Callable[[], None]) -> Iterator[None]:
    """While this lasts, the listener is called after each row that Beam's workers in this process have labelled."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def row_done() -> None:
    """Tells that a row is labelled."""
    for listener in _listeners:
        listener()
