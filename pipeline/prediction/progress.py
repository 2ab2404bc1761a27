"""What is told while a file is labelled."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Shows how far the labelling of a file is."""

    def loading(self) -> AbstractContextManager[None]:
        """Shows, inside the `with` block, that the model is being opened."""

    def advance(self, rows: int, part: float) -> None:
        """Shows that so many rows came back, which are this part of the file, from 0 to 1."""


class NoProgress:
    """Shows nothing."""

    def loading(self) -> AbstractContextManager[None]:
        """Nothing is shown."""
        return nullcontext()

    def advance(self, rows: int, part: float) -> None:
        """Nothing is shown."""
