"""The command line in this process, which spares the imports."""

import sys
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from pipeline.command_line import main


def command_line(patch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Gives a function that runs a command with these arguments."""
    # TFX's Beam executors read sys.argv for flags of theirs, and would take pytest's -v for one.
    patch.setattr(sys, "argv", ["fullbake"])
    return lambda *arguments: CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture
def fullbake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command."""
    return command_line(monkeypatch)
