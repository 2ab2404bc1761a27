"""Where this run's inputs are. A cache key names an input by its content, so that a folder may be moved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

_located: dict[str, str] = {}


@contextlib.contextmanager
def located(locations: Mapping[str, str]) -> Iterator[None]:
    """While this lasts, `locate` finds these inputs.

    Args:
        locations: By the name that stands in execution properties, the path or address.
    """
    before = dict(_located)
    _located.update(locations)
    try:
        yield
    finally:
        _located.clear()
        _located.update(before)


def locate(name: str) -> str:
    """Where the input of this name is; any other text is a path or an address itself."""
    return _located.get(name, name)
