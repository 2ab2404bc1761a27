"""Shows on stderr how far `fullbake predict` is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

import click

from fullbake.command_line.terminal import native_stderr_silenced, plain_console

SECONDS_BETWEEN_LINES = 10.0
"""Between two lines of progress where stderr is no terminal."""


class LabellingProgress:
    """A bar on a terminal, a line now and then in a pipe, nothing with `--quiet`; a `pipeline.prediction` progress.

    Args:
        quiet: Whether nothing is shown.
        lines: Whether lines are shown where stderr is no terminal.
    """

    def __init__(self, *, quiet: bool, lines: bool = True):
        self._quiet, self._lines = quiet, lines and not quiet
        self._started = self._told = time.monotonic()
        self._stack = ExitStack()
        self._show = self._nowhere

    def __enter__(self) -> LabellingProgress:
        if not self._quiet and sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            # A terminal of its own: stderr is silenced while libraries are imported.
            terminal = self._stack.enter_context(os.fdopen(os.dup(2), "w", encoding="utf-8"))
            bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                console=plain_console(file=terminal),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._stack.enter_context(bar)
            task = bar.add_task("reading", total=None)
            self._lines = False
            self._show = lambda text, part: bar.update(task, description=text, total=part and 1.0, completed=part or 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Shows, inside the `with` block, that the model is being opened; what libraries say then is not shown."""
        self._show("loading the model, some 10 seconds", None)
        with native_stderr_silenced():
            yield
        self._show("labelling", None)
        self._started = self._told = time.monotonic()

    def advance(self, rows: int, part: float) -> None:
        """Shows that so many rows came back, which are this part of the file, from 0 to 1."""
        now = time.monotonic()
        text = f"{rows:,} rows"
        if 0 < part < 1:
            text += f", {part:.0%}, {_in_words((now - self._started) * (1 - part) / part)} left"
        self._show(text, part)
        if self._lines and now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            click.echo(text, err=True)

    @staticmethod
    def _nowhere(text: str, part: float | None) -> None:
        pass


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {minutes} min" if minutes < 90 else f"about {minutes // 60} h {minutes % 60:02} min"
