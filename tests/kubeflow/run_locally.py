"""Run by the newest kfp: its own local orchestrator runs a package; what containers would do is asked of its parent.

Arguments: the package, the folder for artifacts, and the run's parameters as JSON. A line of standard output is a
container's command, as JSON; the line of standard input that answers is its exit code.
"""

import json
import sys
from typing import Any
from unittest import mock

from kfp import local
from kfp.components import load_component_from_file
from kfp.local import docker_task_handler

_parent = sys.stdout
sys.stdout = sys.stderr


def run_container(client: Any, image: str, command: list[str], **_: Any) -> int:
    """In the place of Docker: our parent starts it."""
    print(json.dumps(command), file=_parent, flush=True)
    return int(sys.stdin.readline())


package, root, parameters = sys.argv[1:]
with mock.patch("docker.from_env"), mock.patch.object(docker_task_handler, "run_docker_container", run_container):
    local.init(runner=local.DockerRunner(), pipeline_root=root, raise_on_error=False)
    load_component_from_file(package)(**json.loads(parameters))
