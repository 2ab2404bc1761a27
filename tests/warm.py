"""Commands in forks of one process that has imported TensorFlow and TFX, which spares each of them ten seconds.

A fork is a process of its own: arguments, folder, environment, exit code and what it prints are those of the command
alone. What it does not show is whether a command imports what it needs; so one command of each kind is also run cold.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def fullbake(arguments: list[str]) -> None:
    """The console script."""
    from fullbake.command_line.main import main

    main(arguments, prog_name="fullbake")


def entrypoint(arguments: list[str]) -> None:
    """What a container runs."""
    from fullbake.kubeflow.entrypoint import main

    main(arguments)


def chaos(arguments: list[str]) -> None:
    """The console script, ended at a moment."""
    from tests.pipeline.chaos import main

    main(arguments)


PROGRAMS: dict[str, Callable[[list[str]], None]] = {"fullbake": fullbake, "entrypoint": entrypoint, "chaos": chaos}


class WarmProcess:
    """The process, for as long as it is wanted.

    It forks before it has used TensorFlow, whose threads would not survive a fork.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def run(
        self, program: str, arguments: list[str], folder: Path, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command.

        Args:
            program: A key of `PROGRAMS`.
            arguments: Its arguments.
            folder: Its current directory.
            environment: All variables it sees. Default: those of the tests.
        """
        given = [program, arguments, str(folder), dict(os.environ) if environment is None else environment]
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        return subprocess.CompletedProcess([program, *arguments], *json.loads(self._process.stdout.readline()))

    def tell(self, number: signal.Signals) -> None:
        """Sends a signal to the command that is being run; to be called from another thread."""
        pid = self._process.pid
        (command,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        os.kill(int(command), number)

    def stop(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def _run(program: str, arguments: list[str], folder: str, environment: dict[str, str]) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            code: object = 1
            try:
                os.environ.clear()
                os.environ.update(environment)
                os.chdir(folder)
                os.dup2(stdout.fileno(), 1)
                os.dup2(stderr.fileno(), 2)
                sys.argv = [program]
                PROGRAMS[program](arguments)
            except SystemExit as end:
                code = end.code
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code if isinstance(code, int) else int(code is not None))
        _, status = os.waitpid(child, 0)
        printed = []
        for stream in (stdout, stderr):
            stream.seek(0)
            printed.append(stream.read().decode(errors="replace"))
        return os.waitstatus_to_exitcode(status), *printed


if __name__ == "__main__":
    for module in (
        "fullbake.command_line.main",
        "fullbake.kubeflow.entrypoint",
        "fullbake.pipeline.local_runner",
        "fullbake.pipeline.prediction.predictor",
    ):
        importlib.import_module(module)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print does not get between the answers
    for line in sys.stdin:
        answers.write(json.dumps(_run(*json.loads(line))) + "\n")
        answers.flush()
