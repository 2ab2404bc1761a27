"""What settings are called in the texts that a stage prints or leaves behind; whoever runs the stages says it.

An error is put into words where it is caught (see `contract.errors`). A warning is kept as text in the files of its
stage, so the names must be known where it is made. They are no settings of the stage: they decide nothing about what
it makes, and are in no cache key.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any


class SettingNames(dict[str, Any]):
    """By the name of a setting, what people call it; a name that is missing stands for itself."""

    def __missing__(self, name: str) -> str:
        return name


_names = SettingNames()


@contextlib.contextmanager
def settings_named(names: Mapping[str, str]) -> Iterator[None]:
    """While this lasts, `setting_names` returns these.

    Args:
        names: By the name of a setting, what people call it, such as the key of a config.
    """
    before = dict(_names)
    _names.update(names)
    try:
        yield
    finally:
        _names.clear()
        _names.update(before)


def setting_names() -> Mapping[str, str]:
    """Returns what people call each setting, by its name. Where nobody said it, that is the name."""
    return _names
