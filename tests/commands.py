"""Commands run one after the other in one new process, which also tells what they imported."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# Heavy: what costs seconds to import, for which no help text and no error about a config should wait.
SCRIPT = """
import contextlib, io, json, sys, time
from fullbake.command_line.main import main
given = []
for arguments in json.loads(sys.argv[1]):
    out, err, code = io.StringIO(), io.StringIO(), None
    started = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
    heavy = {"tensorflow", "tfx", "transformers", "apache_beam", "numpy", "pyarrow", "kfp", "kfp_server_api"}
    heavy &= set(sys.modules)
    given.append([code, out.getvalue(), err.getvalue(), sorted(heavy), time.process_time() - started])
print(json.dumps(given))
"""


class Answer(NamedTuple):
    """What a command gave, the heavy libraries that were imported by then, and its seconds of processor time."""

    code: int
    stdout: str
    stderr: str
    heavy: list[str]
    seconds: float


def answers(folder: Path, commands: list[list[str]]) -> list[Answer]:
    """Runs commands of `fullbake` in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [Answer(*answer) for answer in json.loads(done.stdout)]
