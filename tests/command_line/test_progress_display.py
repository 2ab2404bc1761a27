"""What a run shows, in a pipe and on a terminal."""

import io
import os
import pty
import re
import time

import pytest

from fullbake.command_line.progress_display import ProgressDisplay
from fullbake.contract.progress import Activity


def a_run(display: ProgressDisplay, pause: float = 0.0) -> None:
    """Shows a run of three components, and pauses where there is something to see."""
    with display.shown():
        display.headline("planted", ": output goes to [/b]out")
        display.run_of(3)
        display.component("CsvExampleGen", None)
        display.cached()
        display.component("CsvExampleGen", 0.1)
        display.component("Transform", None)
        for _ in range(3):
            display.activity(Activity("tokenizing the texts"))
        time.sleep(pause)
        display.warning("a word \x1b[31m of warning")
        display.component("Transform", 2.25)
        display.component("Trainer", None)
        for step in range(1, 41):
            display.activity(Activity(f"epoch 1 of 1, step {step} of 40", step, 40))
        time.sleep(pause)
        display.component("Trainer", 60)


def test_in_a_pipe_there_are_plain_lines_and_nothing_is_said_twice():
    stream = io.StringIO()
    a_run(ProgressDisplay(stream))
    assert stream.getvalue().splitlines() == [
        "planted: output goes to [/b]out",
        "  [1/3] CsvExampleGen ...",
        "  [1/3] CsvExampleGen: cached",
        "  [2/3] Transform ...",
        "    tokenizing the texts",
        "warning: a word \\x1b[31m of warning",
        "  [2/3] Transform: 2.2 s",
        "  [3/3] Trainer ...",
        "  [3/3] Trainer: 60.0 s",
    ]


def test_a_quiet_one_shows_warnings_only():
    stream = io.StringIO()
    a_run(ProgressDisplay(stream, quiet=True))
    assert stream.getvalue() == "warning: a word \\x1b[31m of warning\n"


def test_a_component_that_runs_again_keeps_its_number():
    stream = io.StringIO()
    display = ProgressDisplay(stream)
    display.run_of(2)
    for name in ("Evaluator", "Pusher", "Evaluator"):
        display.component(name, None)
    assert re.findall(r"\[\d/\d\] \w+", stream.getvalue()) == ["[1/2] Evaluator", "[2/2] Pusher", "[1/2] Evaluator"]


def test_on_a_terminal_what_is_done_now_is_a_line_that_moves_and_goes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    ours, its = pty.openpty()
    with os.fdopen(its, "w", encoding="utf-8") as stream:
        a_run(ProgressDisplay(stream), pause=0.5)
    shown = b""
    while part := _read(ours):
        shown += part
    os.close(ours)
    text = shown.decode()
    assert "[2/3] Transform: tokenizing the texts" in text
    assert re.search(r"\[3/3\] Trainer: epoch 1 of 1, step 40 of 40", text)
    # What stays: lines that no control sequence takes back.
    assert "  [1/3] CsvExampleGen: cached\r\n" in text
    assert "  [3/3] Trainer: 60.0 s\r\n" in text
    assert "Trainer" not in text[text.index("60.0 s") :]
    assert "\x1b[?25h" in text[text.index("60.0 s") :], "the cursor stays hidden"
    assert "[3/3] Trainer ...\r\n" not in text


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux, when nobody has the other end any more
        return b""
