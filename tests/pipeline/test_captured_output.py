import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from fullbake.pipeline.captured_output import captured_output
from fullbake.pipeline.interruption import stderr_copy
with stderr_copy() as shown:
    with captured_output(Path(sys.argv[1])):
        print("of Python")
        print("of Python, on stderr", file=sys.stderr)
        os.write(1, b"of C\\n")
        os.write(2, b"of C, on stderr\\n")
        subprocess.run(["echo", "of a child"])
        print("progress", file=shown, flush=True)
print("result")
print("said after", file=sys.stderr)
"""


def test_what_anything_prints_goes_to_the_log_and_what_was_copied_before_is_shown(tmp_path: Path):
    log = tmp_path / "run.log"
    log.write_text("of before\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, log],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.stdout, done.stderr) == ("result\n", "progress\nsaid after\n")
    assert sorted(log.read_text(encoding="utf-8").splitlines()) == [
        *("of C", "of C, on stderr", "of Python", "of Python, on stderr", "of a child", "of before")
    ]
