"""The progress of a run on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from fullbake.command_line.terminal import plain_console
from fullbake.command_line.time_left import TimeLeft
from fullbake.components.data.text_encoding import escaped
from fullbake.contract.progress import Activity
from fullbake.pipeline.interruption import stderr_copy

# In a pipe nothing moves, so how far a long training has got is a line now and then.
_SECONDS_BETWEEN_LINES = 30.0


class ProgressDisplay:
    """Shows which of how many components runs, what it does, and how long that still takes.

    On a terminal what is done now is one line that moves, below lines that stay; elsewhere there are plain lines only.

    Args:
        stream: Where it is shown.
        quiet: Whether only warnings are.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False):
        self._quiet = quiet
        self._console = plain_console(file=stream)
        self._moving: Progress | None = None
        if stream.isatty() and not self._console.is_dumb_terminal and not quiet:
            self._moving = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
        self._count = 0
        self._begun: list[str] = []
        self._component = ""
        self._cached = False
        self._time_left = TimeLeft()
        self._last_line = 0.0
        self._text = ""

    def headline(self, name: str, text: str) -> None:
        """Shows what begins.

        Args:
            name: What is emphasized.
            text: The rest of the line.
        """
        self._print(Text.assemble((escaped(name), "bold"), escaped(text)))

    def run_of(self, count: int) -> None:
        """Takes note of how many components will run; they are numbered as they begin."""
        self._count, self._begun = count, []

    def component(self, name: str, seconds: float | None) -> None:
        """Shows that a component started (no seconds) or ended."""
        # One that runs again, because the model has to be judged once more, keeps its number.
        if name not in self._begun:
            self._begun.append(name)
        self._component = f"[{self._begun.index(name) + 1}/{self._count}] {name}"
        self._text = ""
        if seconds is None:
            self._cached = False
            if self._moving is None:
                self._print(f"  {self._component} ...")
            else:
                self._clear()
                self._moving.add_task(self._component, total=None)
        else:
            if self._moving is not None:
                self._clear()
            self._print(f"  {self._component}: {'cached' if self._cached else f'{seconds:.1f} s'}")
        self._time_left = TimeLeft()

    def cached(self) -> None:
        """Takes note that the component that runs is spared by the cache."""
        self._cached = True

    def activity(self, activity: Activity) -> None:
        """Shows what the component is doing."""
        left = self._time_left.after(activity.done, activity.total) if activity.total else ""
        text = f"{activity.text}, {left}" if left else activity.text
        if self._moving is not None:
            for task in self._moving.task_ids:
                self._moving.update(task, description=escaped(f"{self._component}: {text}"))
            return
        now = time.monotonic()
        # Transform traces its function several times, and each time says the same.
        if (not activity.total and text != self._text) or now - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line, self._text = now, text
            self._print(f"    {text}")

    def warning(self, text: str) -> None:
        """Shows what is allowed and yet unwise, also where nothing else is."""
        self._console.print(f"warning: {text}", style="yellow", soft_wrap=True)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the line that moves, inside the `with` block."""
        if self._moving is None:
            yield
            return
        with self._moving:
            yield
            self._clear()

    def _clear(self) -> None:
        if self._moving is not None:
            for task in self._moving.task_ids:
                self._moving.remove_task(task)
            self._moving.refresh()  # else the next line that stays is printed above the old one

    def _print(self, line: str | Text) -> None:
        if not self._quiet:
            self._console.print(line, soft_wrap=True)


@contextmanager
def progress_display(*, quiet: bool) -> Iterator[ProgressDisplay]:
    """Gives a display on stderr that goes on showing while that is captured.

    Args:
        quiet: Whether it shows warnings only.
    """
    with stderr_copy() as stream:
        display = ProgressDisplay(stream, quiet=quiet)
        with display.shown():
            yield display
