"""Commands that are told to stop, in new processes: what they say, leave, and how soon they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Does what it is given, while it is told to stop.
SCRIPT = """
import os, subprocess, sys, time
from pathlib import Path
from fullbake.pipeline.interruption import Interruption
leftover, work = Path(sys.argv[1]), sys.argv[2]
leftover.mkdir()
child = subprocess.Popen(["sleep", "100"])
interruption = Interruption()
interruption.kept, interruption.leftovers = "all is kept", [leftover]
with interruption.heeded():
    print(child.pid, flush=True)
    exec(work)
print("done")
"""
LEAVES = """
try:
    time.sleep(60)
finally:
    print("noise", file=sys.stderr)
    leftover.with_name("tidied").touch()
"""
SWALLOWS = """
while True:
    try:
        time.sleep(60)
    except BaseException as error:
        print("swallowed", repr(error), file=sys.stderr)
"""
WRAPS = """
try:
    time.sleep(60)
except BaseException as error:
    raise RuntimeError("Beam does so") from error
"""
# One call into C, in which no Python code of the main thread runs.
DEAF = "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 1 << 30)"
SILENCED = """
with open(os.devnull, "wb") as nowhere:
    os.dup2(nowhere.fileno(), 2)
time.sleep(60)
"""


def start(folder: Path, work: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, folder / "leftover", work],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout
    return process, int(process.stdout.readline())


def alive(process_id: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    except OSError:
        return False


def ends(process_id: int) -> bool:
    """Whether the process ends within seconds: a signal is heeded only when the process next has a core."""
    for _ in range(50):
        if not alive(process_id):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("number", "work", "tidied"),
    [
        (signal.SIGTERM, LEAVES, True),
        (signal.SIGINT, SILENCED, False),
        (signal.SIGTERM, SWALLOWS, False),
        (signal.SIGTERM, WRAPS, False),
        (signal.SIGINT, DEAF, False),
    ],
)
def test_a_process_that_is_told_to_stop_says_one_line_and_ends(tmp_path: Path, number: int, work: str, tidied: bool):
    process, child = start(tmp_path, work)
    time.sleep(0.3)
    told = time.monotonic()
    process.send_signal(number)
    output, error = process.communicate(timeout=20)
    assert time.monotonic() - told < 8
    assert process.returncode == 128 + number
    assert error == f"fullbake: stopped by {signal.Signals(number).name}: all is kept\n"
    assert output == ""
    assert {file.name for file in tmp_path.iterdir()} == ({"tidied"} if tidied else set())
    assert ends(child)


def test_a_fork_that_is_told_to_stop_does_not_stop_the_process_it_came_from(tmp_path: Path):
    fork = """
child_id = os.fork()
if not child_id:
    time.sleep(60)
time.sleep(0.5)
os.kill(child_id, 15)
os.waitpid(child_id, 0)
time.sleep(0.5)
child.kill()
"""
    process, _ = start(tmp_path, fork)
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, "done\n")


def test_a_command_that_is_not_told_to_stop_leaves_the_signals_as_they_were(tmp_path: Path):
    from fullbake.pipeline.interruption import Interruption

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for _ in range(3):
        with Interruption().heeded():
            assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
