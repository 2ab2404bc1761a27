"""Starts a real Flink or Spark of two workers on this machine, and a worker pool as Beam's images do.

The folder that FULLBAKE_BEAM_ENGINES names is not part of this project. In it are

- `flink`: the folder `deps` of PyPI's apache-flink-libraries, unpacked;
- `spark`: the folder `deps` of PyPI's pyspark, unpacked;
- `job-servers/flink` and `job-servers/spark`: what kubeflow/job-servers builds, as in the image;
- `boot`: what starts a worker in Beam's images, of the locked Beam's release:
  `go install github.com/apache/beam/sdks/v2/python/container@v2.61.0`.

docs/kubeflow.md names the versions.
"""

import ensurepip
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ENGINES_VARIABLE = "FULLBAKE_BEAM_ENGINES"
WORKERS = 2

# What Flink's and Spark's own scripts open to them on Java 17.
_OPENED = ("java.lang", "java.net", "java.nio", "java.util", "java.util.concurrent", "java.util.concurrent.atomic")

# A task manager that no script has started is to be told how much memory is for what.
_FLINK_CONFIG = """
jobmanager.rpc.address: localhost
jobmanager.rpc.port: {rpc}
jobmanager.memory.process.size: 1g
rest.address: localhost
rest.port: {rest}
taskmanager.host: localhost
taskmanager.numberOfTaskSlots: 1
taskmanager.cpu.cores: 1
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 128m
taskmanager.memory.task.heap.size: 512m
taskmanager.memory.task.off-heap.size: 128m
taskmanager.memory.managed.size: 256m
taskmanager.memory.network.min: 256m
taskmanager.memory.network.max: 256m
taskmanager.network.sort-shuffle.min-buffers: 16
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 192m
taskmanager.memory.jvm-overhead.max: 192m
taskmanager.resource-id: {name}
io.tmp.dirs: {folder}
"""


def engines_folder() -> Path | None:
    """The folder of the engines, if there is one on this machine."""
    named = os.environ.get(ENGINES_VARIABLE)
    return Path(named).resolve() if named else None


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        port: int = taken.getsockname()[1]
        return port


def read_json(address: str) -> Any:
    """What an engine's web interface says at this address."""
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 (an engine of this machine)
        return json.load(answer)


@contextmanager
def _process(command: list[Any], log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=output, env={**os.environ, **(env or {})}
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(timeout=30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _until(ready: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if ready():
                return
        except OSError:
            pass  # nobody answers yet
        if time.monotonic() > deadline:
            raise TimeoutError("".join(f"{log}:\n{log.read_text()}\n" for log in sorted(folder.glob("*.log"))))
        time.sleep(0.2)


@contextmanager
def flink(engines: Path, folder: Path) -> Iterator[str]:
    """A job manager and two task managers of one slot each.

    Yields:
        The address of the job manager's web interface, as --flink_master wants it.
    """
    rest, rpc = _free_port(), _free_port()
    java = ["java", "-Xmx640m", *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED)]
    java += ["-cp", f"{engines}/flink/lib/*"]
    mains = {"jobmanager": "entrypoint.StandaloneSessionClusterEntrypoint"}
    mains |= {f"taskmanager-{number}": "taskexecutor.TaskManagerRunner" for number in range(WORKERS)}
    with ExitStack() as running:
        for name, main in mains.items():
            config = folder / name
            config.mkdir(parents=True)
            text = _FLINK_CONFIG.format(rpc=rpc, rest=rest, name=name, folder=config)
            (config / "flink-conf.yaml").write_text(text, encoding="utf-8")
            command = [*java, f"org.apache.flink.runtime.{main}", "--configDir", config]
            running.enter_context(_process(command, folder / f"{name}.log"))
        address = f"http://localhost:{rest}"
        _until(lambda: len(read_json(f"{address}/taskmanagers")["taskmanagers"]) == WORKERS, folder)
        yield address


@contextmanager
def spark(engines: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """A standalone master and two workers of one core each.

    Yields:
        The master's address, as --spark_master_url wants it, and that of its web interface.
    """
    folder.mkdir(parents=True)
    port, web = _free_port(), _free_port()
    spark_class = engines / "spark/bin/spark-class"
    deploy = "org.apache.spark.deploy"
    env = {"SPARK_HOME": str(engines / "spark"), "SPARK_LOCAL_HOSTNAME": "localhost"}
    with ExitStack() as running:
        master = [spark_class, f"{deploy}.master.Master", "--host", "localhost", "--port", port, "--webui-port", web]
        running.enter_context(_process(master, folder / "master.log", env))
        for number in range(WORKERS):
            worker = [spark_class, f"{deploy}.worker.Worker", "--host", "localhost", "--webui-port", 0, "--cores", 1]
            worker += ["--memory", "2g", "--work-dir", folder / f"worker-{number}", f"spark://localhost:{port}"]
            running.enter_context(_process(worker, folder / f"worker-{number}.log", env))
        interface = f"http://localhost:{web}"
        _until(lambda: read_json(f"{interface}/json/")["aliveworkers"] == WORKERS, folder)
        yield f"spark://localhost:{port}", interface


@contextmanager
def worker_pool(engines: Path, folder: Path) -> Iterator[list[str]]:
    """A worker pool as the image of target beam-worker starts one.

    Yields:
        The arguments that name it.
    """
    folder.mkdir(parents=True)
    port = _free_port()
    (pip,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(pip),  # the image has it in its environment, and this one may have none
        "RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT": "1",
    }
    command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"]
    command += [f"--container_executable={engines / 'boot'}"]
    with _process(command, folder / "worker-pool.log", env):
        _until(lambda: socket.create_connection(("localhost", port), timeout=1).close() is None, folder)
        yield ["--environment_type=EXTERNAL", f"--environment_config=localhost:{port}"]
