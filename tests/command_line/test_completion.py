"""The shell completion that docs/command_line.md tells of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fullbake.command_line.main import COMMANDS

DOCS = Path(__file__).parents[2] / "docs/command_line.md"
BIN = Path(sys.executable).parent
LINE = 'eval "$(_FULLBAKE_COMPLETE=bash_source fullbake)"'


def shell(script: str, **variables: str) -> str:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}
    done = subprocess.run(
        ["/bin/bash", "-c", script], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("typed", "completed"), [("sch", "schedule"), ("comp", "compare compile")])
def test_bash_completes_a_command_by_the_line_of_the_page(typed: str, completed: str):
    assert LINE in DOCS.read_text(encoding="utf-8")
    # What bash does when the tab key is pressed.
    pressed = f'COMP_WORDS=(fullbake {typed}); COMP_CWORD=1; _fullbake_completion fullbake; echo "${{COMPREPLY[@]}}"'
    assert shell(f"{LINE}\n{pressed}") == f"{completed}\n"


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_other_shells_get_a_script_that_asks_for_completions(name: str):
    asked = f"_FULLBAKE_COMPLETE={name}_source fullbake"
    assert asked in DOCS.read_text(encoding="utf-8")
    assert f"_FULLBAKE_COMPLETE={name}_complete" in shell(asked)


def test_the_page_has_every_command_in_a_line():
    table = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    described = {line.split("`")[1]: line for line in table if "| `fullbake " in line}
    assert sorted(described) == sorted(str(command.name) for command in COMMANDS)
    for name, line in described.items():
        assert f"| `fullbake {name} " in line
