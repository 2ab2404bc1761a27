"""The terminal: consoles, warnings, progress, and libraries that are kept quiet."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from fullbake.components.data.text_encoding import escaped
from fullbake.pipeline.interruption import stderr_copy

if TYPE_CHECKING:
    from rich.console import Console


def quiet_libraries() -> None:
    """Keeps TensorFlow and Python's warnings quiet; to be called before anything heavy is imported."""
    # TensorFlow's C++ half reads this when it is loaded; 3 leaves out all but fatal errors, of which the others come
    # back as Python exceptions anyway.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        os.environ.setdefault("PYTHONWARNINGS", "ignore")  # of Beam's workers, which are processes of their own


@contextmanager
def native_stderr_silenced() -> Iterator[TextIO]:
    """Silences what TensorFlow 2.21 writes when it is imported, before it heeds its log level.

    Yields:
        The stderr of before.
    """
    sys.stderr.flush()
    before = os.dup(2)
    with stderr_copy() as kept:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield kept
        finally:
            os.dup2(before, 2)
            os.close(before)


@contextmanager
def loading(*, quiet: bool = False) -> Iterator[None]:
    """Shows that heavy libraries are being imported, while they are: on a terminal as long as it lasts, else as a line.

    Args:
        quiet: Whether nothing is shown.
    """
    said = "loading TensorFlow and TFX, about 15 seconds"
    with native_stderr_silenced() as shown:
        if quiet or not shown.isatty():
            if not quiet:
                print(said, file=shown, flush=True)
            yield
            return
        with plain_console(file=shown).status(said):
            yield


def warn(warnings: Sequence[str]) -> None:
    """Prints what is allowed and yet unwise, a sentence each."""
    for warning in warnings:
        click.secho(f"warning: {escaped(warning)}", fg="yellow", err=True)


def print_json(result: Any) -> None:
    """Prints what a command came to as one JSON document on stdout; NaN is no JSON, and an error here.

    Args:
        result: Plain values.
    """
    click.echo(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False))


def plain_console(**settings: Any) -> Console:
    """Returns a console that shows labels, names and paths as they stand: `[/b]` is no markup, `:x:` no emoji.

    What a terminal would take for a command is shown escaped, not obeyed.

    Args:
        settings: As of `rich.console.Console`.
    """
    from rich.console import Console
    from rich.text import Text

    class Escaping(Console):
        def render_str(self, text: str, **styles: Any) -> Text:
            return super().render_str("\n".join(map(escaped, text.split("\n"))), **styles)

    return Escaping(markup=False, emoji=False, highlight=False, **settings)


def table_console(width_of_pipe: int) -> Console:
    """Returns a console for tables.

    Args:
        width_of_pipe: Columns where the output goes into a file or a pipe, which has no width.
    """
    return plain_console(width=None if sys.stdout.isatty() else width_of_pipe)


def number(value: float | None) -> str:
    """Returns a rate with three decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def short_path(path: str) -> str:
    """Returns a path relative to the current folder, if it is below that."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
