"""How far `fullbake evaluate` is: a line that changes on a terminal, and now and then a line in a file."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from fullbake.command_line.terminal import plain_console
from fullbake.contract.durations import duration_in_words

if TYPE_CHECKING:
    from typing_extensions import Self

_SECONDS_BETWEEN_LINES = 15.0  # where lines stay
_SECONDS_BETWEEN_CHANGES = 0.2


class JudgingProgress:
    """Shows progress, inside a `with` block.

    Args:
        shown: Where it is shown.
        quiet: Whether it is not.
    """

    def __init__(self, shown: TextIO, *, quiet: bool):
        self._quiet = quiet
        self._console = plain_console(file=shown)
        self._status = self._console.status("") if self._console.is_terminal and not quiet else None
        self._stage = ""
        self._began = self._told = 0.0

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def show(self, stage: str, done: int, rows: int) -> None:
        """Shows what is done.

        Args:
            stage: In words.
            done: With how many rows.
            rows: Of how many; 0 where nobody counts.
        """
        now = time.monotonic()
        new = stage != self._stage
        if new:
            self._stage, self._began = stage, now
        pause = _SECONDS_BETWEEN_CHANGES if self._status else _SECONDS_BETWEEN_LINES
        if self._quiet or not (new or now - self._told >= pause):
            return
        self._told = now
        line = stage if not rows else f"{stage}: {done:,} of {rows:,} rows{self._left(done, rows, now)}"
        if self._status:
            self._status.update(line)
        else:
            self._console.print(line, soft_wrap=True)

    def _left(self, done: int, rows: int, now: float) -> str:
        spent = now - self._began
        if not done or spent < 1:
            return ""
        return f", about {duration_in_words(spent / done * (rows - done))} left"
