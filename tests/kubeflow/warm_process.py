"""Imports what a container imports, then runs a command in a fork for every line that comes in."""

import json
import os
import sys
import tempfile

from kubeflow.entrypoint import main


def run(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Runs the entrypoint in a fork; gives its exit code and what it printed."""
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            os.environ.clear()
            os.environ.update(environment)
            os.chdir("/")
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
            sys.argv = ["kubeflow.entrypoint"]
            main(arguments)  # ends the process
        _, status = os.waitpid(child, 0)
        log.seek(0)
        return os.waitstatus_to_exitcode(status), log.read().decode()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print does not get between the answers
    for line in sys.stdin:
        answers.write(json.dumps(run(*json.loads(line))) + "\n")
        answers.flush()
