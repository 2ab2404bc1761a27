"""Commands that are told to stop while they load libraries, and while a line moves on a terminal."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.planted import planted_rows, write_config, write_csv

FULLBAKE = Path(sys.executable).with_name("fullbake")
KEPT = "finished components and epochs are kept in out; run the command again to go on from there"
MOVING = """
import time
from fullbake.command_line.progress_display import progress_display
from fullbake.contract.progress import Activity
from fullbake.pipeline.interruption import Interruption
interruption = Interruption()
interruption.kept = "all is kept"
with interruption.heeded(), progress_display(quiet=False) as display:
    display.run_of(1)
    display.component("Trainer", None)
    display.activity(Activity("tokenizing the texts"))
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass  # as deep in a library: the line goes on moving, until the process is ended
"""


@pytest.mark.parametrize("command", ["run", "compare"])
def test_while_libraries_are_loaded_a_command_says_what_is_kept_and_ends(tmp_path: Path, base: Path, command: str):
    write_csv(tmp_path / "data/train.csv", ["text", "label"], [[row[1], row[2]] for row in planted_rows()])
    labels = {"label_map": {0: "kind", 1: "rude", 2: "plain"}}
    write_config(tmp_path, str(base), data=labels, gate={"min_recall": {"kind": 0.5, "rude": 0.5, "plain": 0.2}})
    with subprocess.Popen(
        [FULLBAKE, command, "config.yaml", "--root", "out"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        assert any(line.startswith("loading TensorFlow") for line in lines)
        process.send_signal(signal.SIGINT)
        assert list(lines) == [f"fullbake: stopped by SIGINT: {KEPT}\n"]
        assert process.stdout
        assert process.stdout.read() == ""
    assert process.returncode == 130


def test_on_a_terminal_the_moving_line_gives_way_to_what_is_said_last():
    ours, its = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-c", MOVING], stderr=its, env=environment) as process:
        os.close(its)
        shown = b""
        while b"tokenizing" not in shown:
            shown += os.read(ours, 65536)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # Linux, when nobody has the other end any more
            pass
    os.close(ours)
    assert process.returncode == 130
    _, last = shown.decode().rsplit("\r\x1b[2K\x1b[?25h", 1)
    assert last == "fullbake: stopped by SIGINT: all is kept\r\n"
